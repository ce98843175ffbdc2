"""Sending cases to adjudicators: a panel of their own, with a copy of each case."""

import secrets
from collections.abc import Collection, Iterator, Sequence
from itertools import product
from random import Random
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.readings.framing import display_size_of
from feedback_app.readings.models import Reading, StudyDisplay
from feedback_app.studies.models import (
    AdjudicatedCase,
    Adjudication,
    Case,
    CaseImage,
    CaseMask,
    CaseReference,
    CaseText,
    Criterion,
    FlagKind,
    GuidelineExample,
    Phase,
    Slot,
    Study,
    StudyReader,
    StudyState,
)
from feedback_app.studies.requests import SEED_LIMIT
from feedback_app.studies.services.telling import tell_waiting
from generation.errors import RemediableError

CASES_MAX = 500
NAME_KEPT = 76
"""Characters of the study's name in that of a panel, which has at most 100."""
INSTRUCTIONS = (
    "These cases were sent to you for a final reading. You read all of them blind first; then "
    "each again beside what the readers said of it, their names hidden, and give your final "
    "reading with its reason."
)


@transaction.atomic
def send_to_adjudication(
    study: Study,
    *,
    cases: Collection[UUID],
    adjudicators: Sequence[User],
    sent_by: User | None = None,
) -> Adjudication:
    """Open a panel in which these people read these cases, each blind first and then for good.

    The study and its readings stay as they are. Who has adjudicated a case knows what was said
    of it, and is not sent it again.
    """
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    originals = _cases_to_send(study, cases)
    _require_adjudicators(adjudicators)
    _require_new_to(adjudicators, originals)
    panel = _open_panel(study, adjudicators, sent_by=sent_by)
    adjudication = Adjudication.objects.create(study=study, panel=panel, sent_by=sent_by)
    copies = [_copy(original, panel, position=at) for at, original in enumerate(originals)]
    AdjudicatedCase.objects.bulk_create(
        AdjudicatedCase(adjudication=adjudication, original=original, copy=copy)
        for original, copy in zip(originals, copies, strict=True)
    )
    _plan_slots(panel, adjudicators, copies)
    tell_waiting(panel, adjudicators)
    audit.record(
        "study.sent_to_adjudication",
        actor=sent_by,
        target=study.name,
        target_id=study.pk,
        details={
            "cases": [case.position + 1 for case in originals],
            "adjudicators": [reader.username for reader in adjudicators],
            "panel": panel.name,
        },
    )
    return adjudication


def _cases_to_send(study: Study, keys: Collection[UUID]) -> list[Case]:
    if study.is_draft or hasattr(study, "adjudicates"):
        raise RemediableError(
            f"The cases of “{study.name}” cannot be sent to adjudication.",
            remedy="Send cases of a study that was opened.",
        )
    if not 0 < len(keys) <= CASES_MAX:
        raise RemediableError(
            f"{len(keys)} cases were chosen.", remedy=f"Choose from 1 to {CASES_MAX} cases."
        )
    read = Reading.objects.filter(slot__study=study).values("slot__case")
    found = Case.objects.filter(study=study, pk__in=keys).filter(pk__in=read)
    cases = list(found.select_related("reference").prefetch_related("case_images", "masks"))
    if len(cases) < len(set(keys)):
        raise RemediableError(
            "Some of these cases are not of this study, or nobody has read them.",
            remedy="Choose cases from its page Case by case.",
        )
    return cases


def _require_adjudicators(adjudicators: Sequence[User]) -> None:
    if not adjudicators:
        raise RemediableError(
            "Nobody was chosen.", remedy="Choose one adjudicator, or several for a consensus round."
        )
    away = [one.display_name for one in adjudicators if not one.is_active]
    if away:
        raise RemediableError(
            f"{', '.join(away)} cannot log in.", remedy="Choose somebody who can."
        )
    if len({one.is_simulated for one in adjudicators}) > 1:
        raise RemediableError(
            "People and simulated readers were chosen together.",
            remedy="Choose either; what simulated readers say is marked and never mixed.",
        )


def _require_new_to(adjudicators: Sequence[User], cases: Collection[Case]) -> None:
    """Whoever has adjudicated a case has seen what was said of it, and cannot read it blind.

    Not so where a round was taken back before they had read all of it blind.
    """
    sent = Slot.objects.filter(
        reader__in=adjudicators, phase=Phase.FINAL, case__copied_from__original__in=cases
    )
    of_panel = Slot.objects.filter(
        study=OuterRef("study"), reader=OuterRef("reader"), phase=Phase.BLIND
    )
    taken_back = Q(withdrawn_at__isnull=False) & Exists(of_panel.exclude(withdrawn_at=None))
    known = sent.exclude(taken_back).values_list("reader", "case__copied_from__original__position")
    for reader in adjudicators:
        numbers = sorted(position + 1 for pk, position in known if pk == reader.pk)
        if numbers:
            raise RemediableError(
                f"{reader.display_name} was sent case {', '.join(map(str, numbers))} before.",
                remedy="Choose somebody else, or leave these cases out.",
            )


def _open_panel(study: Study, adjudicators: Sequence[User], *, sent_by: User | None) -> Study:
    number = study.adjudications.count() + 1
    panel = Study.objects.create(
        name=f"{study.name[:NAME_KEPT]}, adjudication {number}",
        mode=study.mode,
        state=StudyState.OPEN,
        instructions="\n\n".join(filter(None, (INSTRUCTIONS, study.instructions))),
        readers_per_case=len(adjudicators),
        images_per_case=study.images_per_case,
        guideline=study.guideline,
        reference_cohort=study.reference_cohort,
        shows_prior=study.shows_prior,
        break_every_min=study.break_every_min,
        shuffle_seed=secrets.randbelow(SEED_LIMIT),
        created_by=sent_by,
        opened_at=timezone.now(),
    )
    size = display_size_of(study)  # pictures as they were served before
    StudyDisplay.objects.create(study=panel, width=size.width, height=size.height)
    StudyReader.objects.bulk_create(
        StudyReader(study=panel, reader=reader) for reader in adjudicators
    )
    Criterion.objects.bulk_create(
        Criterion(
            study=panel,
            position=row.position,
            kind=row.kind,
            slug=row.slug,
            name=row.name,
            question=row.question,
            anchors=row.anchors,
        )
        for row in study.criteria.all()
    )
    FlagKind.objects.bulk_create(
        FlagKind(study=panel, position=row.position, slug=row.slug, name=row.name)
        for row in study.flag_kinds.all()
    )
    GuidelineExample.objects.bulk_create(
        GuidelineExample(
            study=panel,
            criterion=row.criterion,
            value=row.value,
            flag=row.flag,
            image_id=row.image_id,
            note=row.note,
        )
        for row in study.examples.all()
    )
    return panel


def _copy(original: Case, panel: Study, *, position: int) -> Case:
    """Its role stays behind: a reader must not see that an answer is known."""
    copy = Case.objects.create(study=panel, position=position, prompt=original.prompt)
    CaseImage.objects.bulk_create(
        CaseImage(case=copy, image_id=place.image_id, position=place.position)
        for place in original.case_images.all()
    )
    CaseText.objects.bulk_create(
        CaseText(case=copy, position=text.position, source=text.source, text=text.text)
        for text in original.texts.all()
    )
    CaseMask.objects.bulk_create(
        CaseMask(case=copy, kind=mask.kind, blob_id=mask.blob_id) for mask in original.masks.all()
    )
    if hasattr(original, "reference"):
        CaseReference.objects.create(case=copy, image_id=original.reference.image_id)
    return copy


def _plan_slots(panel: Study, adjudicators: Sequence[User], cases: Sequence[Case]) -> None:
    """All cases blind, in an order of each reader's own, and then all for good in the same one."""
    Slot.objects.bulk_create(
        slot for reader in adjudicators for slot in _slots_of(panel, reader, cases)
    )


def _slots_of(panel: Study, reader: User, cases: Sequence[Case]) -> Iterator[Slot]:
    rng = Random(f"{panel.shuffle_seed}:{reader.pk}")
    order = rng.sample(list(cases), len(cases))
    shown = {case.pk: _shuffled(case, rng) for case in order}
    for position, (phase, case) in enumerate(product((Phase.BLIND, Phase.FINAL), order)):
        yield Slot(
            study=panel,
            case=case,
            reader=reader,
            position=position,
            phase=phase,
            image_order=shown[case.pk],
        )


def _shuffled(case: Case, rng: Random) -> list[int]:
    places = list(range(case.case_images.count()))
    return rng.sample(places, len(places))
