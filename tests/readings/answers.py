"""Complete answers to a slot, as services and the API take them."""

import uuid
from dataclasses import asdict
from typing import Any

from feedback_app.readings.models import Reading
from feedback_app.readings.services import (
    GivenChoice,
    GivenPreference,
    GivenReport,
    GivenScore,
    submit,
)
from feedback_app.studies.models import CriterionKind, Slot


def scores_for(slot: Slot, *, value: int = 3) -> list[GivenScore]:
    return [
        GivenScore(place=place, criterion=criterion.slug, value=value)
        for place in range(len(slot.image_order))
        for criterion in slot.criteria()
        if criterion.kind in {CriterionKind.ORDINAL, CriterionKind.CONFIDENCE}
    ]


def choices_for(slot: Slot, *, place: int = 0, strength: int = 2) -> list[GivenChoice]:
    return [
        GivenChoice(criterion=criterion.slug, verdict="better", place=place, strength=strength)
        for criterion in slot.criteria()
        if criterion.kind == CriterionKind.COMPARISON
    ]


def report_for(slot: Slot) -> GivenReport | None:
    """The draft accepted as it is, or a report from nothing, where one is asked for."""
    if not any(criterion.kind == CriterionKind.REPORT for criterion in slot.criteria()):
        return None
    texts = slot.texts_in_order()
    if texts:
        return GivenReport(text=texts[0].text, is_accepted=True)
    return GivenReport(text="No acute finding.")


def preferences_for(slot: Slot, *, points: int = 4) -> list[GivenPreference]:
    return [
        GivenPreference(criterion.slug, points)
        for criterion in slot.criteria()
        if criterion.kind == CriterionKind.PREFERENCE
    ]


def posted_for(slot: Slot, *, value: int = 3, **changes: Any) -> dict[str, Any]:
    """A body for the API."""
    report = report_for(slot)
    return {
        "report": report and asdict(report),
        "preferences": [asdict(one) for one in preferences_for(slot)],
        "idempotency_key": str(uuid.uuid4()),
        "scores": [asdict(score) for score in scores_for(slot, value=value)],
        "choices": [asdict(choice) for choice in choices_for(slot)],
        "flags": [],
        "comment": "",
        "active_ms": 1_000,
    } | changes


def read(slot: Slot, *, value: int = 3, **parts: Any) -> Reading:
    """The slot's reader answers everything, or what ``parts`` say."""
    assert slot.reader is not None
    answers: dict[str, Any] = {
        "scores": scores_for(slot, value=value),
        "choices": choices_for(slot),
        "report": report_for(slot),
        "preferences": preferences_for(slot),
    }
    return submit(slot=slot, reader=slot.reader, idempotency_key=uuid.uuid4(), **answers | parts)
