"""A case as the reading page gets it: enough to read it, and not a word more."""

from typing import Any

from django.urls import reverse

from feedback_app.readings.models import Reading
from feedback_app.readings.worklist import Place, place_of
from feedback_app.studies.models import Slot, StudyState


def describe_case(slot: Slot) -> dict[str, Any]:
    """JSON of a slot. Nothing in it may tell where an image comes from.

    Images go by their place in this slot; no id of an image, candidate or case is given.
    """
    place = place_of(slot)
    study = slot.study
    return {
        "slot": str(slot.pk),
        "study": study.name,
        "instructions": study.instructions,
        "is_open": study.state == StudyState.OPEN,
        "prompt": slot.case.prompt,
        "images": [
            {
                "address": reverse("readings:picture", args=[slot.pk, number]),
                "width": image.width,
                "height": image.height,
            }
            for number, image in enumerate(slot.images_in_order())
        ],
        "criteria": list(study.criteria.values("slug", "name", "question", "anchors")),
        "flags": list(study.flag_kinds.values("slug", "name")),
        "reading": _describe_reading(slot),
        **_describe_place(place),
    }


def _describe_place(place: Place) -> dict[str, Any]:
    return {
        "position": place.position,
        "total": place.total,
        "read": place.read,
        "next": str(place.next) if place.next else None,
        "previous": str(place.previous) if place.previous else None,
    }


def _describe_reading(slot: Slot) -> dict[str, Any] | None:
    reading = Reading.objects.filter(slot=slot).current().first()
    if reading is None:
        return None
    shown_at = {image.pk: place for place, image in enumerate(slot.images_in_order())}
    return {
        "revision": reading.revision,
        "comment": reading.comment,
        "scores": [
            {
                "place": shown_at[score.image_id],
                "criterion": score.criterion.slug,
                "value": score.value,
            }
            for score in reading.scores.select_related("criterion")
        ],
        "flags": [
            {"place": shown_at[flag.image_id], "flag": flag.kind.slug, "grade": flag.grade}
            for flag in reading.flags.select_related("kind")
        ],
    }
