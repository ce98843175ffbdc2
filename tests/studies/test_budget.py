"""How long a study will take, from how long readings took."""

import uuid

import pytest

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading, SkipReason
from feedback_app.studies.models import Slot
from feedback_app.studies.services.budget import pace_of
from tests.studies.making import make_study

pytestmark = pytest.mark.django_db


def _read(slot: Slot, *, seconds: int, **changes: object) -> None:
    assert slot.reader is not None
    Reading.objects.create(
        slot=slot,
        reader=slot.reader,
        revision=1,
        idempotency_key=uuid.uuid4(),
        active_ms=1000 * seconds,
        **changes,
    )


def test_nobody_has_read_so_thirty_seconds_an_image_are_assumed(db: None) -> None:
    pace = pace_of("rate_k", images_per_case=4)
    assert (pace.seconds, pace.is_seen) == (120, False)


def test_the_pace_is_the_median_of_what_people_took_in_the_same_mode(rosa: User) -> None:
    slots = list(make_study(rosa, mode="rate", prompts=1, each=4).slots.all())
    for slot, seconds in zip(slots, (10, 20, 90), strict=False):
        _read(slot, seconds=seconds)
    _read(slots[3], seconds=1, skip_reason=SkipReason.TECHNICAL)
    pace = pace_of("rate", images_per_case=1)
    assert (pace.seconds, pace.is_seen) == (20, True)
    assert not pace_of("compare", images_per_case=2).is_seen


def test_simulated_readers_tell_nothing_about_time(db: None) -> None:
    robot = User.objects.create_user("robot", is_simulated=True)
    slot = make_study(robot).slots.first()
    assert slot is not None
    _read(slot, seconds=1, is_simulated=True)
    assert not pace_of("rate_k", images_per_case=4).is_seen


def test_six_images_take_half_as_long_again_as_four(rosa: User) -> None:
    slot = make_study(rosa).slots.first()
    assert slot is not None
    _read(slot, seconds=60)
    assert pace_of("rate_k", images_per_case=6).seconds == 90
