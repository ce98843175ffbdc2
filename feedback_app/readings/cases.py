"""A case as the reading page gets it: enough to read it, and not a word more."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse

from feedback_app.readings.adjudication.beside import NOTE, describe_others
from feedback_app.readings.claims import lease_s_of
from feedback_app.readings.framing import Framing, Size, display_size_of, framing_of
from feedback_app.readings.locks import is_locked
from feedback_app.readings.models import Flag, Reading, SkipReason
from feedback_app.readings.report_models import ReportReason, WrittenReport
from feedback_app.readings.services.shown import ShownText
from feedback_app.readings.training_models import TrainingAnswer, TrainingSlot
from feedback_app.readings.worklist import Place, place_of
from feedback_app.studies.models import (
    CaseReference,
    CaseText,
    Criterion,
    CriterionKind,
    Phase,
    Slot,
    Study,
    StudyState,
    questions_of,
)
from feedback_app.studies.modes import mode_of
from generation.conditioning.masks import MASK_KINDS, as_kind, label_of

NO_REPORT: dict[str, Any] = {"report": None, "preferences": []}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A case as the room shows it, whatever it is: a reader's slot, training, a preview."""

    key: UUID
    study: Study
    phase: str
    prompt: str
    mask_kinds: Sequence[str]
    criteria: Sequence[Criterion]
    picture_addresses: Sequence[str]
    mask_address: Callable[[str], str]
    place: Place
    texts: Sequence[ShownText] = ()
    reading: dict[str, Any] | None = None
    is_open: bool = True
    is_locked: bool = False
    is_bookmarked: bool = False
    is_pool: bool = False
    is_training: bool = False
    lease_s: int | None = None
    phase_note: str = ""
    reference: dict[str, Any] | None = None
    others: Sequence[dict[str, Any]] = ()


def describe_case(slot: Slot, *, holding: Collection[UUID] = ()) -> dict[str, Any]:
    """Returns the JSON of a slot; ``holding`` are the slots that the reader's page has already."""
    study = slot.study
    sheet = Sheet(
        key=slot.pk,
        study=study,
        phase=slot.phase,
        prompt=slot.prompt,
        mask_kinds=slot.mask_kinds,
        criteria=slot.criteria(),
        picture_addresses=pictures_at(slot.pk, count=len(slot.image_order)),
        mask_address=masks_at(slot.pk),
        texts=_texts_of(slot),
        place=place_of(slot, holding=holding),
        reading=_describe_reading(slot, display_size_of(study)),
        is_open=study.state == StudyState.OPEN,
        is_locked=is_locked(slot),
        is_bookmarked=slot.is_bookmarked,
        is_pool=study.is_pool,
        lease_s=lease_s_of(slot),
        phase_note=_note_of_phase(slot),
        reference=describe_reference(
            study,
            slot.case_id,
            display_size_of(study),
            address=reverse("readings:reference", args=[slot.pk]),
        ),
        others=describe_others(slot, display_size_of(study)),
    )
    return describe(sheet, size=display_size_of(study))


def _texts_of(slot: Slot) -> list[CaseText]:
    """Returns the reports that the slot shows; most studies have none to be asked for."""
    is_asked = any(criterion.is_of_reports for criterion in slot.criteria())
    return slot.texts_in_order() if is_asked else []


def describe_training(slot: TrainingSlot) -> dict[str, Any]:
    """Returns the JSON of a training case; what is right is told only once it is answered."""
    study, case = slot.study, slot.case
    answer = TrainingAnswer.objects.filter(slot=slot).first()
    sheet = Sheet(
        key=slot.pk,
        study=study,
        phase=slot.phase,
        prompt=case.prompt,
        mask_kinds=list(case.masks.values_list("kind", flat=True)),
        criteria=slot.criteria(),
        picture_addresses=pictures_at(slot.pk, count=len(slot.image_order)),
        mask_address=masks_at(slot.pk),
        texts=slot.texts_in_order(),
        place=_place_in_round(slot),
        reading={"revision": 1, **answer.content} if answer else None,
        is_open=study.state == StudyState.OPEN,
        is_locked=answer is not None,
        is_training=True,
    )
    return describe(sheet, size=display_size_of(study))


def describe_reference(
    study: Study, case: UUID, size: Size, *, address: str
) -> dict[str, Any] | None:
    """Returns what stands beside a case; None where nothing does. Its spacing may be told: it is
    real.

    Studies that show nothing beside their cases, which are most, ask the database nothing.
    """
    has_references = study.reference_cohort_id or study.shows_prior
    reference = reference_of(case) if has_references else None
    if reference is None:
        return None
    stored_mm = reference.image.cohort_image.spacing_mm
    spacing = framing_of(reference.image, size).spacing(stored_mm) if stored_mm else None
    return {
        "address": address,
        "width": size.width,
        "height": size.height,
        "is_prior": study.shows_prior,
        "spacing_mm": list(spacing) if spacing else None,
    }


def reference_of(case: UUID) -> CaseReference | None:
    """Returns the real image beside a case, with its file's row."""
    rows = CaseReference.objects.filter(case=case)
    return rows.select_related("image__blob", "image__cohort_image").first()


def pictures_at(key: UUID, *, count: int) -> list[str]:
    return [reverse("readings:picture", args=[key, place]) for place in range(count)]


def masks_at(key: UUID) -> Callable[[str], str]:
    return lambda kind: reverse("readings:mask", args=[key, kind])


def describe(sheet: Sheet, *, size: Size) -> dict[str, Any]:
    """Returns what the reading page gets. Nothing in it may tell where an image comes from.

    Images go by their place; no id of an image, candidate or case is given to a reader, and
    all images of a study have one size.
    """
    study = sheet.study
    has_guideline = study.guideline or questions_of(study).has_examples
    return {
        "slot": str(sheet.key),
        "study": study.name,
        "instructions": study.instructions,
        "guideline": reverse("api:guideline", args=[study.pk]) if has_guideline else "",
        "is_open": sheet.is_open,
        "state": study.state,
        "is_locked": sheet.is_locked,
        "is_training": sheet.is_training,
        "gives_feedback": sheet.is_training or study.gold_teaches,
        "mode": mode_of(study.mode).shown_as(sheet.phase),
        "images": [
            {"address": address, "width": size.width, "height": size.height}
            for address in sheet.picture_addresses
        ],
        **_describe_condition(sheet),
        **_describe_questions(sheet),
        **_describe_texts(sheet),
        "break_every_min": study.break_every_min,
        "is_bookmarked": sheet.is_bookmarked,
        "is_pool": sheet.is_pool,
        "lease_s": sheet.lease_s,
        "phase_note": sheet.phase_note,
        "reference": sheet.reference,
        "others": sheet.others,
        "asks_reason": sheet.phase == Phase.FINAL,
        "reading": sheet.reading,
        **_describe_place(sheet.place),
    }


def _describe_condition(sheet: Sheet) -> dict[str, Any]:
    is_shown = mode_of(sheet.study.mode).shows_condition
    return {
        "prompt": sheet.prompt if is_shown else "",
        "masks": [
            {"kind": kind, "label": label_of(kind), "address": sheet.mask_address(kind)}
            for kind in (_in_order(sheet.mask_kinds) if is_shown else [])
        ],
    }


def _describe_texts(sheet: Sheet) -> dict[str, Any]:
    """Reports by their place, a draft or left and right; no word of where they are from."""
    asks_report = any(one.kind == CriterionKind.REPORT for one in sheet.criteria)
    return {
        "texts": [shown.text for shown in sheet.texts],
        "report_reasons": [
            {"slug": reason.value, "label": reason.label}
            for reason in (ReportReason if asks_report and sheet.texts else ())
        ],
    }


def _in_order(kinds: Sequence[str]) -> list[str]:
    """Returns the case's masks in the order of the vocabulary, which says nothing about the
    case.
    """
    return sorted(kinds, key=lambda kind: MASK_KINDS.index(as_kind(kind)))


def _describe_questions(sheet: Sheet) -> dict[str, Any]:
    study = sheet.study
    return {
        "criteria": [
            {
                "slug": criterion.slug,
                "name": criterion.name,
                "question": criterion.question,
                "kind": criterion.kind,
                "anchors": criterion.anchors,
            }
            for criterion in sheet.criteria
        ],
        "flags": [
            {"slug": flag.slug, "name": flag.name} for flag in questions_of(study).flag_kinds
        ],
        "skip_reasons": [
            {"slug": reason.value, "label": reason.label} for reason in SkipReason if reason.value
        ],
        "allows_none_acceptable": mode_of(study.mode).asks_none_acceptable,
    }


def _place_in_round(slot: TrainingSlot) -> Place:
    rows = list(
        TrainingSlot.objects.filter(study=slot.study_id, reader=slot.reader_id, round=slot.round)
        .order_by("position")
        .values_list("pk", "answer")
    )
    keys = [key for key, _ in rows]
    at = keys.index(slot.pk)
    waiting = [key for key, answer in [*rows[at + 1 :], *rows[:at]] if answer is None]
    return Place(
        position=at + 1,
        total=len(rows),
        read=sum(answer is not None for _, answer in rows),
        next=waiting[0] if waiting else None,
        previous=keys[at - 1] if at else None,
    )


def _note_of_phase(slot: Slot) -> str:
    """Returns what the mode says before a phase, until the reader has read a case of it."""
    note = NOTE if slot.phase == Phase.FINAL else mode_of(slot.study.mode).note_of(slot.phase)
    if not note:
        return ""
    has_begun = Reading.objects.filter(
        reader=slot.reader_id, slot__study=slot.study_id, slot__phase=slot.phase
    ).exists()
    return "" if has_begun else note


def _describe_place(place: Place) -> dict[str, Any]:
    return {
        "position": place.position,
        "total": place.total,
        "read": place.read,
        "next": str(place.next) if place.next else None,
        "previous": str(place.previous) if place.previous else None,
    }


def _describe_reading(slot: Slot, size: Size) -> dict[str, Any] | None:
    if slot.lease_until is not None:  # claimed and not read: see ``claims``
        return None
    reading = Reading.objects.filter(slot=slot).order_by("after_unmasking", "-revision").first()
    if reading is None:
        return None
    images = slot.images_in_order()
    shown_at = {image.pk: place for place, image in enumerate(images)}
    framings = [framing_of(image, size) for image in images]
    asks_reports = any(criterion.is_of_reports for criterion in slot.criteria())
    return {
        "revision": reading.revision,
        "comment": reading.comment,
        "skip_reason": reading.skip_reason,
        "none_acceptable": reading.none_acceptable,
        **(_describe_reported(reading) if asks_reports else NO_REPORT),
        "scores": [
            {
                "place": shown_at[score.image_id],
                "criterion": score.criterion.slug,
                "value": score.value,
            }
            for score in reading.scores.select_related("criterion")
        ],
        "choices": [
            {
                "criterion": choice.criterion.slug,
                "verdict": choice.verdict,
                "place": shown_at[choice.image_id] if choice.image_id else None,
                "strength": choice.strength,
            }
            for choice in reading.choices.select_related("criterion")
        ],
        "flags": [
            _describe_flag(flag, place=shown_at[flag.image_id], framings=framings)
            for flag in reading.flags.select_related("kind").prefetch_related("regions")
        ],
    }


def _describe_reported(reading: Reading) -> dict[str, Any]:
    report = WrittenReport.objects.filter(reading=reading).first()
    preferences = reading.preferences.select_related("criterion")
    return {
        "report": report
        and {"text": report.text, "reasons": report.reasons, "is_accepted": report.is_accepted},
        "preferences": [
            {"criterion": one.criterion.slug, "points": one.points} for one in preferences
        ],
    }


def _describe_flag(flag: Flag, *, place: int, framings: list[Framing]) -> dict[str, Any]:
    return {
        "place": place,
        "flag": flag.kind.slug,
        "grade": flag.grade,
        "regions": [
            {
                "shape": region.shape,
                "points": [
                    list(point)
                    for point in framings[place].to_served([(x, y) for x, y in region.points])
                ],
            }
            for region in flag.regions.all()
        ],
    }
