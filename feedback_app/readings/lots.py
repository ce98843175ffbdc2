"""The next case of a pool whose order is active: drawn by lot, with a known propensity.

Of the free seats of cases that are new to a reader, some are of cases that all read; such
a one is drawn as often as its share of them, whatever any value is, as in a shuffled pool.
Else it is epsilon-greedy: with probability epsilon, the study's exploration share, any
ordinary seat, all equally likely; otherwise that of the highest value among the cases given
to fewest readers so far. So for a case with f of the n ordinary seats

    propensity = share of ordinary seats x ((1 - epsilon) [it is the highest] + epsilon f / n)

exactly. Draws of a study are made one after the other, under the lock of its order. Of equal
values the one comes first whose place in the shuffled order is first. A case without a value
is drawn by lot alone; where no case has one, all draws are by lot.
"""

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, Subquery

from feedback_app.accounts.models import User
from feedback_app.related import number_of
from feedback_app.studies.models import (
    ActiveOrder,
    CaseRole,
    Draw,
    DrawRule,
    Slot,
    SlotQuerySet,
    Study,
    turns,
)

LISTED = 500
"""Where no more seats can be drawn they are listed; of more, positions are drawn until one is
free, 400 of a pool of 200,000 seats at most on average."""
AT_ONCE = (16, 400)
ROUNDS = 60
"""None of which finds a free seat once in 10^26 times."""


@dataclass(frozen=True)
class Ballot:
    """What a reader may be given now.

    ``shared`` counts the free seats of cases that all read, ``ordinary`` the others; ``top``
    is the one of the highest value, None where no case has one.
    """

    shared: int
    ordinary: int
    top: Slot | None
    exploration: float

    @property
    def claimable(self) -> int:
        return self.shared + self.ordinary

    @property
    def epsilon(self) -> float:
        return self.exploration if self.top else 1.0

    def uniform(self, *, seats: int) -> float:
        return seats / self.claimable

    def propensity(self, case: UUID, *, seats: int, is_shared: bool) -> float:
        """Says how likely a case with so many free seats is to be drawn."""
        if is_shared:
            return self.uniform(seats=seats)
        by_lot = self.epsilon * seats / self.ordinary
        by_value = 1 - self.epsilon if self.top and self.top.case_id == case else 0.0
        return self.ordinary / self.claimable * (by_lot + by_value)


def draw(study: Study, reader: User) -> Slot | None:
    """Returns a free slot for the reader, and the log of it; None where nothing is new to them.

    Call it in the transaction that gives them the slot.
    """
    order = lock_order(study.pk)
    ballot = ballot_of(study, reader, order=order)
    if not ballot.claimable:
        return None
    order.draws += 1
    order.taken += 1
    order.save(update_fields=["draws", "taken"])
    rng = Random(f"{study.shuffle_seed}:draw {order.draws}")
    rule, slot = _choose(study, reader, ballot=ballot, rng=rng)
    seats: int = slot.seats_of_case  # type: ignore[attr-defined]
    is_shared = rule == DrawRule.SHARED
    Draw.objects.create(
        slot=slot,
        number=order.draws,
        rule=rule,
        propensity=ballot.propensity(slot.case_id, seats=seats, is_shared=is_shared),
        uniform=ballot.uniform(seats=seats),
        value=slot.value,
        claimable=ballot.claimable,
        reward_model_id=order.reward_model_id,
    )
    return slot


def lock_order(study_id: UUID) -> ActiveOrder:
    """Held until the transaction ends: no seat of the study is taken or given back meanwhile."""
    return ActiveOrder.objects.select_for_update(no_key=True).get(study=study_id)


def ballot_of(study: Study, reader: User, *, order: ActiveOrder) -> Ballot:
    """Seats are counted from how many are taken, not one by one."""
    named: dict[str, Any] = {"study": study.pk, "reader": reader.pk}
    with connection.cursor() as cursor:
        cursor.execute(turns.FREE_SEATS, named)
        study.seat_count, of_theirs, shared = cursor.fetchone()
    by_value = Slot.objects.raw(turns.OF_HIGHEST_VALUE, named | {"seat_count": study.seat_count})
    return Ballot(
        shared=shared,
        ordinary=study.seat_count - order.taken - of_theirs - shared,
        top=next(iter(by_value), None),
        exploration=study.exploration_percent / 100,
    )


def new_to(study: Study, reader: User, slots: SlotQuerySet) -> SlotQuerySet:
    """Slots of cases that the reader has no slot of.

    The scalar subquery looks every case up in the index on (study, case, reader), one by
    one, until the first that is new to them. As NOT EXISTS the planner joins it with all
    that they have, which after some thousand cases takes longer than all the rest.
    """
    own = Slot.objects.filter(study=study, case=OuterRef("case"), reader=reader).order_by()
    return slots.alias(own=Subquery(own.values("pk")[:1])).filter(own__isnull=True)


def _counted(study: Study) -> SlotQuerySet:
    """Free ones that were there as seats were counted; what is added just now comes later."""
    return Slot.objects.filter(study=study, reader__isnull=True, position__lt=study.seat_count)


def _to_give(study: Study, slots: SlotQuerySet) -> SlotQuerySet:
    """Locked, with all that a claim needs, and how many seats of its case are free."""
    seats = number_of(_counted(study).filter(case=OuterRef("case")))
    return slots.annotate(seats_of_case=seats).with_page().select_for_update(of=["self"])


def _choose(study: Study, reader: User, *, ballot: Ballot, rng: Random) -> tuple[DrawRule, Slot]:
    free = new_to(study, reader, _counted(study))
    if rng.random() * ballot.claimable < ballot.shared:
        shared = free.exclude(case__role=CaseRole.ORDINARY)
        return DrawRule.SHARED, _any_of(study, shared, rng=rng)
    if ballot.top is not None and rng.random() >= ballot.epsilon:
        return DrawRule.VALUE, ballot.top
    ordinary = free.filter(case__role=CaseRole.ORDINARY)
    if ballot.ordinary <= LISTED:
        return DrawRule.LOT, _any_of(study, ordinary, rng=rng)
    return DrawRule.LOT, _by_position(study, ordinary, count=ballot.ordinary, rng=rng)


def _any_of(study: Study, slots: SlotQuerySet, *, rng: Random) -> Slot:
    chosen = rng.choice(list(slots.order_by("position").values_list("pk", flat=True)))
    return _to_give(study, Slot.objects.filter(pk=chosen)).get()


def _by_position(study: Study, slots: SlotQuerySet, *, count: int, rng: Random) -> Slot:
    """Draws any of so many, all equally likely: no two free slots have one position."""
    least, most = AT_ONCE
    at_once = min(most, max(least, 2 * study.seat_count // count))
    for _ in range(ROUNDS):
        drawn = [rng.randrange(study.seat_count) for _ in range(at_once)]
        found = dict(slots.filter(position__in=drawn).order_by().values_list("position", "pk"))
        if hits := [found[position] for position in drawn if position in found]:
            return _to_give(study, Slot.objects.filter(pk=hits[0])).get()
    raise AssertionError(f"{count} seats of {study} are free, and none was found")
