"""The one way from an answer to a stored reading."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from feedback_app.accounts.models import User
from feedback_app.readings.access import locked_slot_for
from feedback_app.readings.claims import keep_seat
from feedback_app.readings.errors import InvalidReading, KeyAlreadyUsed, StudyNotOpen
from feedback_app.readings.locks import require_changeable
from feedback_app.readings.models import Choice, Flag, Reading, Region, Score
from feedback_app.readings.services.given import (
    GivenChoice,
    GivenFlag,
    GivenPreference,
    GivenReading,
    GivenReport,
    GivenScore,
)
from feedback_app.readings.services.reports import write_reports
from feedback_app.readings.services.shown import Shown, content_given, content_stored
from feedback_app.readings.services.validation import validate
from feedback_app.readings.unmasking import is_over, unmask
from feedback_app.studies.models import Phase, Slot, Study, StudyState

REMEDIES = {
    StudyState.PAUSED: "It goes on soon; what you read is kept in your browser until then.",
    StudyState.CLOSED: "Ask its coordinator to reopen it; what you read is kept in your browser.",
}


def submit(
    *,
    slot: Slot,
    reader: User,
    idempotency_key: UUID,
    scores: Sequence[GivenScore] = (),
    choices: Sequence[GivenChoice] = (),
    flags: Sequence[GivenFlag] = (),
    report: GivenReport | None = None,
    preferences: Sequence[GivenPreference] = (),
    comment: str = "",
    skip_reason: str = "",
    none_acceptable: bool = False,
    active_ms: int = 0,
    display: Mapping[str, Any] | None = None,
) -> Reading:
    """Calls ``submit_reading`` with the parts of the reading one by one."""
    given = GivenReading(
        scores=scores,
        choices=choices,
        flags=flags,
        report=report,
        preferences=preferences,
        comment=comment,
        skip_reason=skip_reason,
        none_acceptable=none_acceptable,
        active_ms=active_ms,
        display=display or {},
    )
    return submit_reading(given, slot_id=slot.pk, reader=reader, idempotency_key=idempotency_key)


@transaction.atomic
def submit_reading(
    given: GivenReading, *, slot_id: UUID, reader: User, idempotency_key: UUID
) -> Reading:
    """Store a reading as the slot's next revision; the same key again returns the stored one.

    Raises ``Http404`` for a slot that is not the reader's own. The slot's row is locked,
    so that the same reading posted twice at once is stored once.
    """
    slot = locked_slot_for(reader, slot_id)
    shown = Shown.of(slot)
    known = list(Reading.objects.filter(Q(slot=slot) | Q(idempotency_key=idempotency_key)))
    for stored in known:
        if stored.idempotency_key == idempotency_key:
            _require_the_same(stored, given, slot=slot, shown=shown)
            return stored
    require_open(slot.study)
    of_slot = [stored for stored in known if stored.slot_id == slot.pk]
    if of_slot:
        require_changeable(slot)
    validate(given, shown)
    require_reason(given, slot)
    unmask(slot)
    reading = Reading.objects.create(
        slot=slot,
        reader=reader,
        revision=1 + max((stored.revision for stored in of_slot), default=0),
        idempotency_key=idempotency_key,
        is_simulated=reader.is_simulated,
        skip_reason=given.skip_reason,
        none_acceptable=given.none_acceptable,
        comment=given.comment,
        active_ms=given.active_ms,
        display=dict(given.display),
        after_unmasking=is_over(slot),
    )
    _write_scores(reading, given, shown)
    _write_choices(reading, given, shown)
    _write_flags(reading, given, shown)
    write_reports(reading, given, shown)
    keep_seat(slot)
    return reading


def require_open(study: Study) -> None:
    if study.state != StudyState.OPEN:
        raise StudyNotOpen(
            f"The study “{study.name}” is {study.state}.",
            remedy=REMEDIES.get(StudyState(study.state), ""),
        )


def require_reason(given: GivenReading, slot: Slot) -> None:
    """A final reading says why, in its comment."""
    if slot.phase == Phase.FINAL and not given.skip_reason and not given.comment.strip():
        raise InvalidReading(
            "A final reading needs its reason.", remedy="Say in the comment why you decide so."
        )


def _require_the_same(stored: Reading, given: GivenReading, *, slot: Slot, shown: Shown) -> None:
    is_same = stored.slot_id == slot.pk and content_stored(stored) == content_given(given, shown)
    if not is_same:
        raise KeyAlreadyUsed(
            f"The key {stored.idempotency_key} was used for another reading.",
            remedy="Make a new random key for every reading.",
        )


def _write_scores(reading: Reading, given: GivenReading, shown: Shown) -> None:
    Score.objects.bulk_create(
        Score(
            reading=reading,
            image=shown.images[score.place],
            criterion=shown.criteria[score.criterion],
            value=score.value,
        )
        for score in given.scores
    )


def _write_choices(reading: Reading, given: GivenReading, shown: Shown) -> None:
    Choice.objects.bulk_create(
        Choice(
            reading=reading,
            criterion=shown.criteria[choice.criterion],
            verdict=choice.verdict,
            image=None if choice.place is None else shown.images[choice.place],
            strength=choice.strength,
        )
        for choice in given.choices
    )


def _write_flags(reading: Reading, given: GivenReading, shown: Shown) -> None:
    flags = Flag.objects.bulk_create(
        Flag(
            reading=reading,
            image=shown.images[flag.place],
            kind=shown.kinds[flag.flag],
            grade=flag.grade,
        )
        for flag in given.flags
    )
    Region.objects.bulk_create(
        Region(
            flag=row,
            shape=region.shape,
            points=shown.stored_points(flag.place, region.points),
        )
        for row, flag in zip(flags, given.flags, strict=True)
        for region in flag.regions
    )
