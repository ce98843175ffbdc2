"""A case as the reading page gets it: enough to read it, and not a word more."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.urls import reverse

from feedback_app.readings.claims import lease_s_of
from feedback_app.readings.framing import Framing, Size, display_size_of, framing_of
from feedback_app.readings.models import Flag, Reading, SkipReason
from feedback_app.readings.unmasking import is_locked
from feedback_app.readings.worklist import Place, place_of
from feedback_app.studies.models import Slot, StudyState, questions_of
from feedback_app.studies.modes import mode_of
from generation.conditioning.masks import MASK_KINDS, as_kind, label_of


def describe_case(slot: Slot, *, holding: Collection[UUID] = ()) -> dict[str, Any]:
    """JSON of a slot. Nothing in it may tell where an image comes from.

    Images go by their place in this slot; no id of an image, candidate or case is given, and
    all images of a study have one size. ``holding`` are the slots that
    the reader's page has already.
    """
    study = slot.study
    size = display_size_of(study)
    return {
        "slot": str(slot.pk),
        "study": study.name,
        "instructions": study.instructions,
        "is_open": study.state == StudyState.OPEN,
        "state": study.state,
        "is_locked": is_locked(slot),
        "mode": mode_of(study.mode).shown_as(slot.phase),
        "images": [
            {
                "address": reverse("readings:picture", args=[slot.pk, place]),
                "width": size.width,
                "height": size.height,
            }
            for place in range(len(slot.image_order))
        ],
        **_describe_condition(slot),
        **_describe_questions(slot),
        "break_every_min": study.break_every_min,
        "is_bookmarked": slot.is_bookmarked,
        "is_pool": study.is_pool,
        "lease_s": lease_s_of(slot),
        "phase_note": _note_of_phase(slot),
        "reading": _describe_reading(slot, size),
        **_describe_place(place_of(slot, holding=holding)),
    }


def _describe_condition(slot: Slot) -> dict[str, Any]:
    is_shown = mode_of(slot.study.mode).shows_condition
    return {
        "prompt": slot.prompt if is_shown else "",
        "masks": [
            {
                "kind": kind,
                "label": label_of(kind),
                "address": reverse("readings:mask", args=[slot.pk, kind]),
            }
            for kind in (_kinds_in_order(slot) if is_shown else [])
        ],
    }


def _kinds_in_order(slot: Slot) -> list[str]:
    """The case's masks in the order of the vocabulary, which says nothing about the case."""
    return sorted(slot.mask_kinds, key=lambda kind: MASK_KINDS.index(as_kind(kind)))


def _describe_questions(slot: Slot) -> dict[str, Any]:
    study = slot.study
    return {
        "criteria": [
            {
                "slug": criterion.slug,
                "name": criterion.name,
                "question": criterion.question,
                "kind": criterion.kind,
                "anchors": criterion.anchors,
            }
            for criterion in slot.criteria()
        ],
        "flags": [
            {"slug": flag.slug, "name": flag.name} for flag in questions_of(study).flag_kinds
        ],
        "skip_reasons": [
            {"slug": reason.value, "label": reason.label} for reason in SkipReason if reason.value
        ],
        "allows_none_acceptable": mode_of(study.mode).asks_none_acceptable,
    }


def _note_of_phase(slot: Slot) -> str:
    """What the mode says before a phase, until the reader has read a case of it."""
    note = mode_of(slot.study.mode).note_of(slot.phase)
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
    return {
        "revision": reading.revision,
        "comment": reading.comment,
        "skip_reason": reading.skip_reason,
        "none_acceptable": reading.none_acceptable,
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
