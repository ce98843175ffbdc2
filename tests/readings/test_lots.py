"""Active orders: who is given which case, how likely that was, and that it is known."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from feedback_app.accounts.models import User
from feedback_app.readings import lots
from feedback_app.readings.claims import claim, release_lapsed, renew_lease
from feedback_app.readings.errors import SeatTaken
from feedback_app.readings.lots import Ballot, ballot_of, draw
from feedback_app.readings.models import Reading
from feedback_app.studies.models import ActiveOrder, CaseRole, Draw, DrawRule, Slot, Study
from tests.readings.answers import read
from tests.readings.rooms import active_pool, let_lapse

pytestmark = pytest.mark.django_db


def ballot(study: Study, reader: User) -> Ballot:
    return ballot_of(study, reader, order=ActiveOrder.objects.get(study=study))


def propensities(study: Study, reader: User) -> dict[UUID, float]:
    """The propensity of every case that the reader may be given."""
    now = ballot(study, reader)
    taken = study.slots.filter(reader=reader).values("case")
    found = {}
    for case in study.cases.exclude(pk__in=taken):
        if seats := case.slots.filter(reader=None).count():
            is_shared = case.role != CaseRole.ORDINARY
            found[case.pk] = now.propensity(case.pk, seats=seats, is_shared=is_shared)
    return found


def share(study: Study, *positions: int, role: CaseRole = CaseRole.ANCHOR) -> None:
    cases = study.cases.filter(position__in=positions)
    cases.update(role=role)
    study.slots.filter(case__in=cases).update(value=None)


def held(study: Study, reader: User) -> list[Slot]:
    """All that Rosa can claim, unread, in the order of the draws."""
    slots: list[Slot] = []
    while slot := claim(study, reader, holding=[slot.pk for slot in slots]):
        slots.append(slot)
    return slots


def require_counted(study: Study) -> None:
    order = ActiveOrder.objects.get(study=study)
    study.refresh_from_db()
    positions = study.slots.filter(reader=None).values_list("position", flat=True)
    assert study.seat_count - order.taken == len(positions) == len(set(positions))


def test_what_is_drawn_is_logged(rosa: User) -> None:
    study = active_pool(rosa, values=[0.3, 0.1, None], exploration_percent=50)
    before = propensities(study, rosa)
    slot = claim(study, rosa)
    assert slot is not None
    log = slot.draw
    assert log.propensity == pytest.approx(before[slot.case_id])
    assert (log.number, log.claimable, log.uniform) == (1, 3, pytest.approx(1 / 3))
    assert (log.value, log.reward_model) == (slot.value, study.reward_model)


def test_a_propensity_by_hand(rosa: User) -> None:
    study = active_pool(rosa, values=[0.3, 0.1, 0.2], overlap=2, exploration_percent=20)
    share(study, 2)
    first, second, shared = study.cases.order_by("position")
    # Six seats: a third of them shared; of the four others, one case has the highest value.
    assert propensities(study, rosa) == {
        first.pk: pytest.approx(2 / 3 * (0.8 + 0.2 / 2)),
        second.pk: pytest.approx(2 / 3 * 0.2 / 2),
        shared.pk: pytest.approx(1 / 3),
    }


def test_propensities_add_up_to_one_whatever_is_left(rosa: User, ravi: User) -> None:
    values = [0.1 * (number % 4) if number % 5 else None for number in range(12)]
    study = active_pool(rosa, ravi, values=values, overlap=2, exploration_percent=30)
    share(study, 3, 7)
    share(study, 8, role=CaseRole.GOLD)
    for reader in [rosa, ravi, rosa] * 4:
        for other in (rosa, ravi):
            assert sum(propensities(study, other).values()) == pytest.approx(1)
        slot = claim(study, reader)
        assert slot is not None
        read(slot)
    assert ballot(study, ravi).claimable > 0


def test_every_case_keeps_its_share_of_what_is_by_lot(rosa: User) -> None:
    study = active_pool(rosa, values=[0.1, None, 0.4, 0.2, 0.3], exploration_percent=20)
    least = min(propensities(study, rosa).values())
    assert least == pytest.approx(0.2 / 5)
    study.exploration_percent = 100
    assert list(propensities(study, rosa).values()) == pytest.approx([1 / 5] * 5)


def test_without_any_value_all_is_by_lot(rosa: User) -> None:
    study = active_pool(rosa, values=[None] * 4, exploration_percent=5)
    assert list(propensities(study, rosa).values()) == pytest.approx([1 / 4] * 4)
    slots = held(study, rosa)
    assert {slot.draw.rule for slot in slots} == {DrawRule.LOT}
    assert [slot.draw.propensity for slot in slots] == pytest.approx([1 / 4, 1 / 3, 1 / 2, 1])


def test_what_is_not_measured_comes_by_lot_alone(rosa: User) -> None:
    values = [0.2 if number % 2 else None for number in range(30)]
    study = active_pool(rosa, values=values, exploration_percent=30)
    slots = held(study, rosa)
    rules = {slot.draw.rule for slot in slots if slot.value is None}
    assert rules == {DrawRule.LOT}
    assert Counter(slot.draw.rule for slot in slots)[DrawRule.VALUE] >= 8


def test_by_value_the_highest_comes_first_and_of_equals_the_first_place(rosa: User) -> None:
    study = active_pool(rosa, values=[0.2, 0.3, 0.3, 0.1], exploration_percent=5)
    slots = [slot for slot in held(study, rosa) if slot.draw.rule == DrawRule.VALUE]
    places = [(slot.value, -slot.position) for slot in slots]
    assert places == sorted(places, reverse=True)
    assert len(places) >= 3


def test_cases_given_to_fewest_come_first(rosa: User, ravi: User) -> None:
    study = active_pool(rosa, ravi, values=[0.1, 0.3], overlap=2, exploration_percent=5)
    top = ballot(study, rosa).top
    assert top is not None
    Slot.objects.filter(pk=top.pk).update(reader=rosa)
    ActiveOrder.objects.update(taken=1)
    other = ballot(study, ravi).top
    assert other is not None
    assert (top.value, other.value, other.seat) == (0.3, 0.1, 0)


@pytest.mark.parametrize("listed", [0, 500])
def test_draws_come_as_often_as_their_propensities_say(
    rosa: User, listed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seats are drawn the same from a list and by positions; Pearson's chi-squared."""
    monkeypatch.setattr(lots, "LISTED", listed)
    values = [0.1, None, 0.4, 0.2, 0.3, None, 0.2]
    study = active_pool(rosa, values=values, overlap=2, exploration_percent=60)
    share(study, 6)
    for _ in range(2):
        assert claim(study, rosa, holding=study.slots.values_list("pk", flat=True))
    now, expected = ballot(study, rosa), propensities(study, rosa)
    draws = 600
    seen = Counter(
        lots._choose(study, rosa, ballot=now, rng=Random(number))[1].case_id
        for number in range(draws)
    )
    assert set(seen) == set(expected)
    distance = sum(
        (seen[case] - draws * share) ** 2 / (draws * share) for case, share in expected.items()
    )
    assert distance < 20  # of four degrees of freedom: once in 2,000 times by chance


def test_the_seed_gives_the_same_draws_again(rosa: User) -> None:
    study = active_pool(rosa, values=[0.1, 0.2, 0.3, None], exploration_percent=50)
    orders = []
    for _ in range(2):
        with transaction.atomic():
            orders.append([(slot.pk, slot.draw.rule) for slot in held(study, rosa)])
            transaction.set_rollback(True)
    assert orders[0] == orders[1]
    assert len(orders[0]) == 4


def test_every_reader_reads_what_all_read_as_in_a_shuffled_pool(rosa: User, ravi: User) -> None:
    study = active_pool(rosa, ravi, values=[0.5] * 20, overlap=2, exploration_percent=5)
    share(study, 0, 1, 2, 3, 4)
    for reader in (rosa, ravi):
        slots = held(study, reader)
        places = [place for place, slot in enumerate(slots) if slot.draw.rule == DrawRule.SHARED]
        assert len(places) == 5
        assert max(places) > 9  # scattered, where the highest value alone would leave them last
        assert min(places) < 10
        assert len(slots) == len({slot.case_id for slot in slots}) == 20


def test_a_log_cannot_be_changed_or_removed(rosa: User) -> None:
    claim(active_pool(rosa), rosa)
    for change in (lambda: Draw.objects.update(propensity=1), lambda: Draw.objects.all().delete()):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


def test_a_seat_that_is_free_again_is_drawn_again_at_its_value(rosa: User, ravi: User) -> None:
    study = active_pool(rosa, ravi, values=[0.3])
    lapsed = claim(study, rosa)
    assert lapsed is not None
    let_lapse(lapsed)
    assert release_lapsed() == 1
    require_counted(study)
    again = claim(study, ravi)
    assert again is not None
    assert (again.case, again.draw.number, lapsed.draw.number) == (lapsed.case, 2, 1)
    require_counted(study)


def test_a_draw_of_nothing_leaves_no_log(rosa: User) -> None:
    study = active_pool(rosa, values=[0.1])
    held(study, rosa)
    with transaction.atomic():
        assert draw(study, rosa) is None
    assert Draw.objects.count() == 1
    require_counted(study)


def test_seats_stay_counted_through_leases_lost_and_taken_back(
    rosa: User, ravi: User, otto: User
) -> None:
    readers = [rosa, ravi, otto]
    study = active_pool(*readers, values=[0.1, 0.2, None, 0.3, 0.4, 0.2], overlap=2)
    rng = Random(5)
    for _ in range(90):
        reader = rng.choice(readers)
        own = list(study.slots.filter(reader=reader, lease_until__isnull=False))
        match rng.choice(["claim", "claim", "lapse", "sweep", "renew", "read"]), own:
            case "claim", _:
                claim(study, reader, holding=[slot.pk for slot in own])
            case "sweep", _:
                release_lapsed()
            case "lapse", [slot, *_]:
                let_lapse(slot)
            case "renew", [*_, slot]:
                try:
                    renew_lease(slot)
                except SeatTaken:
                    assert slot.seat is None
            case "read", [slot, *_]:
                read(slot)
        require_counted(study)
    assert study.slots.filter(seat=None).exists()
    assert Reading.objects.count() > 6


def _read_all_in_own_connection(study: Study, reader: User) -> None:
    try:
        while (slot := claim(study, reader)) is not None:
            read(slot)
    finally:
        connection.close()


@pytest.mark.usefixtures("committed")
def test_many_readers_at_once_are_never_given_the_same_seat() -> None:
    readers = [User.objects.create_user(f"reader-{number}") for number in range(5)]
    study = active_pool(*readers, values=[0.1 * number for number in range(10)], overlap=2)
    with ThreadPoolExecutor(5) as threads:
        list(threads.map(lambda reader: _read_all_in_own_connection(study, reader), readers))
    rows = Reading.objects.values_list("slot__case", "reader")
    assert len(rows) == len(set(rows)) == 20
    assert set(Counter(case for case, _ in rows).values()) == {2}
    assert sorted(Draw.objects.values_list("number", flat=True)) == list(range(1, 21))
    require_counted(study)
