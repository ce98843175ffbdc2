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
from uuid import UUID

from django.db.models import Count, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from feedback_app.accounts.models import User
from feedback_app.studies.models import (
    ActiveOrder,
    CaseRole,
    Draw,
    DrawRule,
    Slot,
    SlotQuerySet,
    Study,
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

    ``shared`` are free seats of cases that all read, ``ordinary`` counts the others;
    ``top`` is the one of the highest value, None where no case has one.
    """

    shared: tuple[UUID, ...]
    ordinary: int
    top: Slot | None
    exploration: float

    @property
    def claimable(self) -> int:
        return len(self.shared) + self.ordinary

    @property
    def epsilon(self) -> float:
        return self.exploration if self.top else 1.0

    def uniform(self, *, seats: int) -> float:
        return seats / self.claimable

    def propensity(self, case: UUID, *, seats: int, is_shared: bool) -> float:
        """Of a case with so many free seats."""
        if is_shared:
            return self.uniform(seats=seats)
        by_lot = self.epsilon * seats / self.ordinary
        by_value = 1 - self.epsilon if self.top and self.top.case_id == case else 0.0
        return self.ordinary / self.claimable * (by_lot + by_value)


def draw(study: Study, reader: User) -> Slot | None:
    """A free slot for the reader, and the log of it; None where nothing is new to her.

    Call it in the transaction that gives her the slot.
    """
    order = lock_order(study.pk)
    study.refresh_from_db(fields=["seat_count"])
    ballot = ballot_of(study, reader, order=order)
    if not ballot.claimable:
        return None
    order.draws += 1
    order.taken += 1
    order.save(update_fields=["draws", "taken"])
    rng = Random(f"{study.shuffle_seed}:draw {order.draws}")
    rule, chosen = _choose(study, reader, ballot=ballot, rng=rng)
    slot = (
        Slot.objects.select_for_update(of=["self"])
        .select_related("case", "bookmark")
        .get(pk=chosen)
    )
    seats = _free(study).filter(case=slot.case_id).count()
    Draw.objects.create(
        slot=slot,
        number=order.draws,
        rule=rule,
        propensity=ballot.propensity(slot.case_id, seats=seats, is_shared=rule == DrawRule.SHARED),
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
    free = study.seat_count - order.taken - _free_of_her_cases(study, reader)
    shared = new_to(study, reader, _free(study)).exclude(case__role=CaseRole.ORDINARY)
    of_all = tuple(shared.order_by("position").values_list("pk", flat=True))
    by_value = new_to(study, reader, _free(study)).filter(value__isnull=False)
    return Ballot(
        shared=of_all,
        ordinary=free - len(of_all),
        top=by_value.order_by("seat", "-value", "position").first(),
        exploration=study.exploration_percent / 100,
    )


def new_to(study: Study, reader: User, slots: SlotQuerySet) -> SlotQuerySet:
    """Slots of cases that she has no slot of.

    The scalar subquery looks every case up in the index on (study, case, reader), one by
    one, until the first that is new to her. As NOT EXISTS the planner joins it with all
    that she has, which after some thousand cases takes longer than all the rest.
    """
    own = Slot.objects.filter(study=study, case=OuterRef("case"), reader=reader).order_by()
    return slots.alias(own=Subquery(own.values("pk")[:1])).filter(own__isnull=True)


def _free(study: Study) -> SlotQuerySet:
    """As of the count of seats that was read: what is added just now comes with the next draw."""
    return Slot.objects.filter(study=study, reader__isnull=True, position__lt=study.seat_count)


def _free_of_her_cases(study: Study, reader: User) -> int:
    """Free seats of cases that she has a slot of, looked up case by case."""
    same = _free(study).filter(case=OuterRef("case")).order_by().values("case")
    counted = same.annotate(count=Count("pk")).values("count")
    own = Slot.objects.filter(study=study, reader=reader).order_by()
    found = own.aggregate(seats=Sum(Coalesce(Subquery(counted), 0)))["seats"]
    return found or 0


def _choose(study: Study, reader: User, *, ballot: Ballot, rng: Random) -> tuple[DrawRule, UUID]:
    if rng.random() * ballot.claimable < len(ballot.shared):
        return DrawRule.SHARED, rng.choice(ballot.shared)
    if ballot.top is not None and rng.random() >= ballot.epsilon:
        return DrawRule.VALUE, ballot.top.pk
    return DrawRule.LOT, _by_lot(study, reader, ballot=ballot, rng=rng)


def _by_lot(study: Study, reader: User, *, ballot: Ballot, rng: Random) -> UUID:
    """Any ordinary seat, all equally likely: no two free ones have one position."""
    ordinary = new_to(study, reader, _free(study)).filter(case__role=CaseRole.ORDINARY)
    if ballot.ordinary <= LISTED:
        return rng.choice(list(ordinary.order_by("position").values_list("pk", flat=True)))
    least, most = AT_ONCE
    count = min(most, max(least, 2 * study.seat_count // ballot.ordinary))
    for _ in range(ROUNDS):
        drawn = [rng.randrange(study.seat_count) for _ in range(count)]
        rows = ordinary.filter(position__in=drawn).order_by().values_list("position", "pk")
        found: dict[int, UUID] = dict(rows)
        if hits := [position for position in drawn if position in found]:
            return found[hits[0]]
    raise AssertionError(f"{ballot.ordinary} seats of {study} are free, and none was found")
