"""Cases written out: from batches, with what each of them is for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from feedback_app.images.models import Batch, Image
from feedback_app.studies.drafting import TEXT_MAX
from feedback_app.studies.models import (
    Case,
    CaseImage,
    CaseMask,
    CaseRole,
    CaseText,
    Criterion,
    CriterionKind,
    FlagKind,
    GoldAnswer,
    Study,
    TrainingImage,
)
from feedback_app.studies.modes import mode_of
from feedback_app.studies.planning import CasePlan, CasesAdded, Picks, Sample
from feedback_app.studies.report_answers import require_findings
from feedback_app.studies.scales import MASK_FLAG
from feedback_app.studies.services.design import Design, lock, require_draft
from feedback_app.studies.services.references import write_references
from feedback_app.studies.services.writing import Report, tell_nobody
from feedback_app.text import problem_of_text
from generation.errors import RemediableError

ROWS_AT_ONCE = 5_000


def add_cases_from_batch(study: Study, batch: Batch) -> CasesAdded:
    """Write out the cases that a batch gives; a second call adds only what is new."""
    return add_cases(study, [batch])


@transaction.atomic
def add_cases(
    study: Study, batches: Iterable[Batch], *, against: Batch | None = None
) -> CasesAdded:
    """Fill a draft with the cases that batches give, real images among them where wanted."""
    return fill_locked(lock(study), batches, against=against)


def fill_locked(
    study: Study,
    batches: Iterable[Batch],
    *,
    against: Batch | None,
    report: Report = tell_nobody,
) -> CasesAdded:
    """Fills a draft that the caller holds."""
    require_draft(study)
    report(0, "Planning the cases")
    plan = plan_for(study, batches, against=against)
    report(0, "Writing the cases")
    write_cases(study, plan)
    _settle_mask_flag(study)
    return plan.added


def plan_for(study: Study, batches: Iterable[Batch], *, against: Batch | None = None) -> CasePlan:
    """Returns what batches, and a draft's picks, give that is not in the study yet."""
    taken = images_in(study) | images_that_teach(study)
    seed = study.shuffle_seed
    if not study.is_draft:
        return mode_of(study.mode).plan(study, batches, against=against, seed=seed, taken=taken)
    return plan_draft(study, batches, against=against, seed=seed, taken=taken)


def plan_draft(
    design: Design | Study,
    batches: Iterable[Batch],
    *,
    against: Batch | None,
    seed: int,
    taken: Collection[UUID] = (),
) -> CasePlan:
    """Returns what the design's batches give, or the sample of them, and what was picked by
    hand.
    """
    picked = [Picks(tuple(design.picked))] if design.picked else []
    size = design.sample_size
    return mode_of(design.mode).plan(
        design,
        [*batches, *picked],
        against=against,
        seed=seed,
        taken=taken,
        sample=None if size is None else Sample(images=size, seed=seed),
    )


def images_in(study: Study) -> frozenset[UUID]:
    return frozenset(CaseImage.objects.filter(case__study=study).values_list("image", flat=True))


def images_that_teach(study: Study) -> frozenset[UUID]:
    """Returns images of training cases and examples: readers know them, so they are in no other
    case.
    """
    trained = TrainingImage.objects.filter(case__study=study).values_list("image", flat=True)
    return frozenset([*trained, *study.examples.values_list("image", flat=True)])


def write_cases(study: Study, plan: CasePlan) -> list[Case]:
    last = study.cases.aggregate(last=Max("position"))["last"]
    first = 0 if last is None else last + 1
    cases = Case.objects.bulk_create(
        [
            Case(study=study, position=first + offset, prompt=planned.prompt)
            for offset, planned in enumerate(plan.cases)
        ],
        batch_size=ROWS_AT_ONCE,
    )
    CaseImage.objects.bulk_create(
        [
            CaseImage(case=case, image_id=image, position=position)
            for case, planned in zip(cases, plan.cases, strict=True)
            for position, image in enumerate(planned.images)
        ],
        batch_size=ROWS_AT_ONCE,
    )
    CaseMask.objects.bulk_create(
        [
            CaseMask(case=case, kind=kind, blob_id=blob)
            for case, planned in zip(cases, plan.cases, strict=True)
            for kind, blob in planned.masks
        ],
        batch_size=ROWS_AT_ONCE,
    )
    CaseText.objects.bulk_create(
        [
            CaseText(case=case, position=position, source=source, text=text)
            for case, planned in zip(cases, plan.cases, strict=True)
            for position, (source, text) in enumerate(planned.texts)
        ],
        batch_size=ROWS_AT_ONCE,
    )
    write_references(study, cases)
    return cases


def _settle_mask_flag(study: Study) -> None:
    """The default flags name a mask mismatch exactly where there are masks."""
    names = set(study.flag_kinds.values_list("name", flat=True))
    defaults = mode_of(study.mode).default_flags(has_phases=study.has_phases)
    if names - {MASK_FLAG} != set(defaults):
        return
    has_masks = study.cases.filter(masks__isnull=False).exists()
    if has_masks and MASK_FLAG not in names:
        FlagKind.objects.create(
            study=study, position=len(names), slug="mask-mismatch", name=MASK_FLAG
        )
    elif not has_masks:
        study.flag_kinds.filter(name=MASK_FLAG).delete()


@transaction.atomic
def pick_anchors(study: Study, cases: Collection[UUID]) -> Study:
    """Make exactly these cases of a draft anchors; where more are wanted, lots are drawn later."""
    study = lock(study)
    require_draft(study)
    picked = study.cases.exclude(role=CaseRole.GOLD).filter(pk__in=cases)
    study.cases.filter(role=CaseRole.ANCHOR).update(role=CaseRole.ORDINARY)
    count = picked.update(role=CaseRole.ANCHOR)
    if count > study.anchor_count:
        study.anchor_count = count
        study.save(update_fields=["anchor_count"])
    return study


@dataclass(frozen=True)
class KnownAnswer:
    """``image`` scores from ``least`` to ``most``, or, in a comparison, is the better one.

    Of reports, ``text`` is one with the right findings, and ``sign`` says which of two is better,
    1 the case's first one.
    """

    criterion: Criterion
    image: Image
    least: int | None = None
    most: int | None = None
    sign: int | None = None
    text: str = ""


def known_answers_of(case: Case) -> list[KnownAnswer]:
    """Returns what is known of a gold case; of another one nothing is."""
    return [
        KnownAnswer(
            row.criterion, row.image, least=row.least, most=row.most, sign=row.sign, text=row.text
        )
        for row in case.gold_answers.select_related("criterion", "image")
    ]


@transaction.atomic
def set_gold(study: Study, case: Case, answers: Sequence[KnownAnswer]) -> Case:
    """Give a draft's case its known answers, all at once; with none it is ordinary again."""
    study = lock(study)
    require_draft(study)
    case = study.cases.get(pk=case.pk)
    images = set(case.case_images.values_list("image", flat=True))
    for answer in answers:
        require_sensible(answer, study=study, images=images)
    case.gold_answers.all().delete()
    GoldAnswer.objects.bulk_create(
        GoldAnswer(
            case=case,
            criterion=answer.criterion,
            image=answer.image,
            least=answer.least,
            most=answer.most,
            sign=answer.sign,
            text=answer.text,
        )
        for answer in answers
    )
    if answers:
        case.role = CaseRole.GOLD
    elif case.role == CaseRole.GOLD:
        case.role = CaseRole.ORDINARY
    case.save(update_fields=["role"])
    return case


def require_sensible(answer: KnownAnswer, *, study: Study, images: Collection[UUID]) -> None:
    criterion = answer.criterion
    if criterion.study_id != study.pk or answer.image.pk not in images:
        raise RemediableError(
            "The answer is about another study's criterion or another case's image.",
            remedy="Choose among the images of this case.",
        )
    if criterion.kind == CriterionKind.REPORT:
        _require_reference(answer.text)
        return
    if criterion.kind == CriterionKind.PREFERENCE:
        if answer.sign not in {-1, 0, 1}:
            raise RemediableError(
                f"“{criterion.name}” has no better report.",
                remedy="Say which of the two is better, or that they are equal.",
            )
        return
    if criterion.kind == CriterionKind.COMPARISON:
        if answer.least is not None or answer.most is not None:
            raise RemediableError(
                f"“{criterion.name}” is a comparison: it has no scores.",
                remedy="Name the better image.",
            )
        return
    if (
        answer.least is None
        or answer.most is None
        or not 0 <= answer.least <= answer.most <= criterion.score_max
    ):
        raise RemediableError(
            f"“{criterion.name}” has no answer from {answer.least} to {answer.most}.",
            remedy=f"Give whole numbers from 0 to {criterion.score_max}, the lower one first.",
        )


def _require_reference(text: str) -> None:
    if problem := problem_of_text(text, most=TEXT_MAX):
        said, remedy = problem
        raise RemediableError(f"The reference report {said}", remedy=remedy)
    require_findings(text)
