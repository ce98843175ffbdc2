"""Open pools: leases, seats, and who gets the next case."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.http import Http404
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.readings.claims import (
    LEASE,
    claim,
    is_something_left,
    lease_s_of,
    release_lapsed,
    renew_lease,
)
from feedback_app.readings.errors import SeatTaken, StudyNotOpen
from feedback_app.readings.models import Reading
from feedback_app.readings.tasks import release_lapsed as release_lapsed_task
from feedback_app.studies.models import Slot, Study
from tests.readings.answers import read
from tests.readings.rooms import let_lapse, pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(rosa: User, ravi: User) -> Study:
    """Three cases, each to be read twice."""
    return pool(rosa, ravi)


def claimed(study: Study, reader: User, *holding: Slot) -> Slot:
    slot = claim(study, reader, holding=[held.pk for held in holding])
    assert slot is not None
    return slot


def read_all(study: Study, reader: User) -> list[Slot]:
    slots = []
    while (slot := claim(study, reader)) is not None:
        read(slot)
        slots.append(slot)
    return slots


def test_a_claim_gives_the_first_free_slot_and_a_lease(study: Study, rosa: User) -> None:
    slot = claimed(study, rosa)
    assert (slot.position, slot.reader) == (0, rosa)
    assert slot.lease_until is not None
    assert timedelta(0) < slot.lease_until - timezone.now() <= LEASE


def test_a_reader_gets_every_case_once(study: Study, rosa: User) -> None:
    slots = read_all(study, rosa)
    assert sorted(slot.case.position for slot in slots) == [0, 1, 2]
    assert not is_something_left(study, rosa)


def test_every_seat_is_read_once_all_have_read(study: Study, rosa: User, ravi: User) -> None:
    read_all(study, rosa)
    assert is_something_left(study, ravi)
    read_all(study, ravi)
    assert Reading.objects.count() == study.slots.count() == 6


def test_what_a_reader_holds_comes_again_until_it_is_read(study: Study, rosa: User) -> None:
    first = claimed(study, rosa)
    assert claimed(study, rosa) == first
    read(first)
    assert claimed(study, rosa) != first


def test_what_a_page_holds_already_is_not_given_again(study: Study, rosa: User) -> None:
    first = claimed(study, rosa)
    second = claimed(study, rosa, first)
    assert second.case != first.case
    assert claimed(study, rosa, first, second) not in {first, second}


def test_a_case_for_later_is_given_only_while_there_are_plenty_for_all(
    rosa: User, ravi: User
) -> None:
    study = pool(rosa, ravi, cases=8, overlap=1)
    held = [claim(study, rosa)]
    while slot := claim(study, rosa, holding=[one.pk for one in held if one], is_ahead=True):
        held.append(slot)
    assert len(held) == 3  # with six free, two readers can still take three each
    assert claim(study, rosa, holding=[one.pk for one in held if one]) is not None
    assert claim(study, ravi) is not None


def test_two_readers_never_hold_one_slot(study: Study, rosa: User, ravi: User) -> None:
    assert claimed(study, rosa) != claimed(study, ravi)


def test_an_outsider_claims_nothing(study: Study, otto: User, cora: User) -> None:
    for other in (otto, cora):
        with pytest.raises(Http404):
            claim(study, other)


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_nothing_is_claimed_of_a_study_that_is_not_open(
    study: Study, rosa: User, state: str
) -> None:
    study.state = state
    with pytest.raises(StudyNotOpen, match=state):
        claim(study, rosa)


def test_a_reading_ends_the_lease(study: Study, rosa: User) -> None:
    slot = claimed(study, rosa)
    read(slot)
    slot.refresh_from_db()
    assert (slot.lease_until, lease_s_of(slot)) == (None, None)


def test_a_heartbeat_renews_the_lease(study: Study, rosa: User) -> None:
    slot = claimed(study, rosa)
    let_lapse(slot)
    assert renew_lease(slot) == LEASE.total_seconds()
    assert release_lapsed() == 0


def test_a_seat_whose_lease_ran_out_is_free_again_and_comes_first(
    study: Study, rosa: User, ravi: User
) -> None:
    lapsed = claimed(study, rosa)
    let_lapse(lapsed)
    assert release_lapsed() == 1
    assert release_lapsed() == 0
    free = claimed(study, ravi)
    assert free != lapsed
    assert (free.case, free.position, free.priority) == (lapsed.case, lapsed.position, 1)
    assert (free.seat, lapsed.seat) == (lapsed.seat, free.seat)
    lapsed.refresh_from_db()
    assert (lapsed.seat, lapsed.reader) == (None, rosa)


def test_seats_of_a_paused_study_wait(study: Study, rosa: User) -> None:
    let_lapse(claimed(study, rosa))
    Study.objects.update(state="paused")
    assert release_lapsed() == 0


def test_a_lapsed_seat_is_found_though_no_sweep_came(rosa: User, ravi: User) -> None:
    study = pool(rosa, ravi, cases=1, overlap=1)
    lapsed = claimed(study, rosa)
    assert claim(study, ravi) is None
    let_lapse(lapsed)
    assert claimed(study, ravi).case == lapsed.case


def test_the_task_may_run_twice(study: Study, rosa: User) -> None:
    let_lapse(claimed(study, rosa))
    for _ in range(2):
        release_lapsed_task()
    assert study.slots.filter(reader=None).count() == 6
    assert study.slots.count() == 7


def test_who_comes_back_gets_a_lapsed_case_while_nobody_took_it(study: Study, rosa: User) -> None:
    lapsed = claimed(study, rosa)
    let_lapse(lapsed)
    assert claimed(study, rosa) == lapsed
    let_lapse(lapsed)
    release_lapsed()
    again = claimed(study, rosa)
    assert again == lapsed
    assert again.seat is not None
    assert study.slots.count() == 6


def test_a_heartbeat_takes_the_seat_back_while_nobody_took_it(study: Study, rosa: User) -> None:
    lapsed = claimed(study, rosa)
    let_lapse(lapsed)
    release_lapsed()
    assert renew_lease(lapsed) == LEASE.total_seconds()
    assert study.slots.count() == 6


def test_a_heartbeat_says_that_somebody_else_has_the_seat(rosa: User, ravi: User) -> None:
    study = pool(rosa, ravi, cases=1, overlap=1)
    lapsed = claimed(study, rosa)
    let_lapse(lapsed)
    claimed(study, ravi)
    with pytest.raises(SeatTaken):
        renew_lease(lapsed)


def test_a_late_reading_takes_a_free_seat(study: Study, rosa: User, ravi: User) -> None:
    lapsed = claimed(study, rosa)
    let_lapse(lapsed)
    release_lapsed()
    read(lapsed)
    lapsed.refresh_from_db()
    assert lapsed.seat is not None
    assert study.slots.count() == 6
    read_all(study, rosa)
    read_all(study, ravi)
    assert Reading.objects.count() == 6


def test_a_late_reading_is_kept_though_every_seat_is_taken(rosa: User, ravi: User) -> None:
    study = pool(rosa, ravi, cases=1, overlap=1)
    lapsed = claimed(study, rosa)
    let_lapse(lapsed)
    read(claimed(study, ravi))
    read(lapsed)
    lapsed.refresh_from_db()
    assert (lapsed.seat, lapsed.lease_until) == (None, None)
    assert Reading.objects.count() == 2


def test_a_reader_gets_no_case_again_that_was_lost(rosa: User, ravi: User) -> None:
    study = pool(rosa, ravi, overlap=1)
    lapsed = claimed(study, rosa)
    let_lapse(lapsed)
    release_lapsed()
    taken = claimed(study, ravi)
    assert taken.case == lapsed.case
    assert lapsed.case not in {slot.case for slot in read_all(study, rosa)}


def test_slots_passed_over_are_found_in_the_end(study: Study, rosa: User) -> None:
    """Somebody else's transaction, which came to nothing, held the first slot."""
    Slot.objects.create(
        study=study, case=study.cases.all()[0], reader=rosa, position=99, image_order=[0]
    )
    assert len(read_all(study, rosa)) == 2


def _claim_in_own_connection(study: Study, reader: User) -> UUID | None:
    try:
        slot = claim(study, reader)
        return slot.pk if slot else None
    finally:
        connection.close()


@pytest.mark.usefixtures("committed")
def test_two_tabs_at_once_get_one_slot(study: Study, rosa: User) -> None:
    with ThreadPoolExecutor(6) as threads:
        slots = list(threads.map(lambda _: _claim_in_own_connection(study, rosa), range(6)))
    assert len(set(slots)) == 1
    assert study.slots.filter(reader=rosa).count() == 1


def _read_all_in_own_connection(study: Study, reader: User) -> None:
    try:
        read_all(study, reader)
    finally:
        connection.close()


@pytest.mark.usefixtures("committed")
def test_many_readers_at_once_read_every_seat_exactly_once() -> None:
    readers = [User.objects.create_user(f"reader-{number}") for number in range(6)]
    study = pool(*readers, cases=15, overlap=2)
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda reader: _read_all_in_own_connection(study, reader), readers))
    rows = Reading.objects.values_list("slot__case", "reader")
    assert len(rows) == len(set(rows)) == 30
    assert set(Counter(case for case, _ in rows).values()) == {2}
