"""Complete answers to a slot, as services and the API take them."""

import uuid
from typing import Any

from feedback_app.readings.services import GivenScore
from feedback_app.studies.models import Slot


def scores_for(slot: Slot, *, value: int = 3) -> list[GivenScore]:
    return [
        GivenScore(place=place, criterion=criterion.slug, value=value)
        for place in range(len(slot.image_order))
        for criterion in slot.study.criteria.all()
    ]


def posted_for(slot: Slot, *, value: int = 3, **changes: Any) -> dict[str, Any]:
    """A body for the API."""
    return {
        "idempotency_key": str(uuid.uuid4()),
        "scores": [vars(score) for score in scores_for(slot, value=value)],
        "flags": [],
        "comment": "",
        "active_ms": 1_000,
    } | changes
