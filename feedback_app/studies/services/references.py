"""Real images shown beside cases, for comparison: of their findings, drawn by lot.

They are of the training split alone: no reader, and nothing that learns from readers, meets an
image by which anything is tested. The lot follows from the study's seed.
"""

from collections.abc import Iterable, Sequence
from itertools import count
from random import Random
from uuid import UUID

from feedback_app.images.cohorts.priors import priors_of
from feedback_app.images.models import Candidate, CohortImage, Split
from feedback_app.studies.models import Case, CaseImage, CaseReference, Study, TrainingImage

ROWS_AT_ONCE = 5_000
Findings = tuple[str, ...]


def write_references(study: Study, cases: Sequence[Case]) -> None:
    """Gives each case a real image of its findings; none where the cohort has none.

    Where the study shows earlier images, it is that of the case's patient, of whichever split they
    are: readers see an image of them already.
    """
    if study.shows_prior:
        _write_priors(cases)
    if study.reference_cohort_id is None:
        return
    findings = _findings_of(cases)
    taken = _shown_in(study)
    drawn: dict[Findings, tuple[list[UUID], Iterable[int]]] = {}
    rows = []
    for case in cases:
        wanted = findings.get(case.pk)
        if wanted is None:
            continue
        if wanted not in drawn:
            drawn[wanted] = _drawn(study, wanted, first=case.position, without=taken), count()
        images, turns = drawn[wanted]
        if images:
            turn = next(iter(turns))
            rows.append(CaseReference(case=case, image_id=images[turn % len(images)]))
    CaseReference.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)


def _write_priors(cases: Sequence[Case]) -> None:
    shown = dict(CaseImage.objects.filter(case__in=cases).values_list("case", "image"))
    earlier = priors_of(shown.values())
    CaseReference.objects.bulk_create(
        [
            CaseReference(case=case, image_id=earlier[shown[case.pk]])
            for case in cases
            if shown[case.pk] in earlier
        ],
        batch_size=ROWS_AT_ONCE,
    )


def _findings_of(cases: Sequence[Case]) -> dict[UUID, Findings]:
    """Returns what the case's candidates were to show; a case of real images alone has no line."""
    rows = Candidate.objects.filter(image__caseimage__case__in=cases).values_list(
        "image__caseimage__case", "recipe__findings"
    )
    return {case: tuple(sorted(findings)) for case, findings in rows}


def _shown_in(study: Study) -> frozenset[UUID]:
    shown = CaseImage.objects.filter(case__study=study).values_list("image", flat=True)
    trained = TrainingImage.objects.filter(case__study=study).values_list("image", flat=True)
    return frozenset([*shown, *trained])


def _drawn(study: Study, findings: Findings, *, first: int, without: frozenset[UUID]) -> list[UUID]:
    """Returns those with these findings and the fewest others, in the order of the lot."""
    images = CohortImage.objects.filter(
        cohort=study.reference_cohort_id, patient__split=Split.TRAIN
    ).exclude(pk__in=without)
    if findings:
        images = images.filter(findings__contains=list(findings))
    else:
        images = images.filter(is_normal=True)
    shown = list(images.order_by("source_id").values_list("pk", "findings"))
    fewest = min((len(found) for _, found in shown), default=0)
    keys = [key for key, found in shown if len(found) == fewest]
    Random(f"{study.shuffle_seed}:beside {first}").shuffle(keys)
    return keys
