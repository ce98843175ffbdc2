"""Open pools: who has which case, for how long, and who gets the next one.

A pool's slots are written out when the study opens, one a seat, without readers. Claiming
one gives it a reader and a lease; the page's heartbeat renews the lease, and a reading ends
it (``lease_until`` is None again). A slot whose lease ran out unread loses its seat to a
new free slot and keeps its reader and its ``lease_until`` in the past: a reading that still
comes takes a seat of the case that is free, or else is kept beyond the readings wanted.

A reader's claims are made one after the other, by a lock on their place in the study.
"""

from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from random import Random
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.http import Http404
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.readings.errors import SeatTaken, StudyNotOpen
from feedback_app.readings.lots import draw
from feedback_app.studies.models import (
    ActiveOrder,
    CaseImage,
    Slot,
    Study,
    StudyReader,
    StudyState,
    turns,
)
from feedback_app.studies.services.active import values_of

LEASE = timedelta(seconds=settings.LEASE_S)
PLENTY_A_READER = 3
"""So many free slots a reader must be left before anybody is given one to keep for later."""
SEATED = ("seat", "position")
"""A seat and its place in the order belong together: no two free slots have one position."""


@transaction.atomic
def claim(
    study: Study, reader: User, *, holding: Collection[UUID] = (), is_ahead: bool = False
) -> Slot | None:
    """Returns the next slot of a pool for this reader, with a fresh lease; None where nothing is
    left.

    Their own unread slots come first, save those that a page of theirs is ``holding``; then those
    whose seat they lost and nobody took; then a free slot of a case that is new to them: the
    first one, or, where the order is active, the one that is drawn. One that ``is_ahead`` is kept
    for later, and given only while there are plenty for everybody. Raises ``Http404`` where
    they are no reader of the study.
    """
    _take_turn(study, reader)
    if study.state != StudyState.OPEN:
        raise StudyNotOpen(
            f"The study “{study.name}” is {study.state}.", remedy="Go back to your work list."
        )
    next_free = draw if study.is_active else _first_free
    slot = _own(study, reader, holding=holding)
    if slot is None and is_ahead and not _are_plenty(study):
        return None
    slot = slot or next_free(study, reader)
    if slot is None and release_lapsed(study=study):
        slot = next_free(study, reader)
    if slot is None:
        return None
    slot.study = study
    slot.reader = reader
    slot.lease_until = timezone.now() + LEASE
    slot.save(update_fields=["reader", *SEATED, "lease_until"])
    return slot


@transaction.atomic
def renew_lease(slot: Slot) -> int | None:
    """Seconds that the slot is the reader's own from now; None where it needs no lease.

    Raises ``SeatTaken`` where the lease had run out and somebody else has the seat.
    """
    slot = Slot.objects.select_for_update(of=["self"]).get(pk=slot.pk)
    if slot.lease_until is None:
        return None
    if slot.seat is None and not _take_free_seat(slot):
        raise SeatTaken(
            "You were away for a while, and somebody else reads this case now.",
            remedy="Submit what you have, it is kept; or go on with the next case.",
        )
    slot.lease_until = timezone.now() + LEASE
    slot.save(update_fields=[*SEATED, "lease_until"])
    return int(LEASE.total_seconds())


def keep_seat(slot: Slot) -> None:
    """Give a slot that was read too late a free seat of its case; call with its row locked.

    So nobody reads the case in vain; where there is no seat it is one more than was wanted. Its
    lease has ended with its first reading (``Slot``).
    """
    if slot.lease_until is None:
        return
    slot.lease_until = None
    if slot.seat is None and _take_free_seat(slot):
        slot.save(update_fields=SEATED)


@transaction.atomic
def release_lapsed(*, study: Study | None = None) -> int:
    """Give the seats of slots whose lease ran out unread to new free slots; how many."""
    lapsed = Slot.objects.select_for_update(skip_locked=True, of=["self"]).select_related("study")
    lapsed = lapsed.filter(
        lease_until__lt=timezone.now(), seat__isnull=False, study__state=StudyState.OPEN
    )
    if study is not None:
        lapsed = lapsed.filter(study=study)
    slots = list(lapsed)
    values = _values_now(slots)
    free = [_free_again(slot, value=values.get(slot.case_id)) for slot in slots]
    Slot.objects.filter(pk__in=[slot.pk for slot in slots]).update(seat=None)
    Slot.objects.bulk_create(free)
    _give_back(slots)
    return len(free)


def is_something_left(study: Study, reader: User) -> bool:
    """Returns whether a claim would give the reader a slot, not counting leases of others."""
    with connection.cursor() as cursor:
        cursor.execute(turns.IS_SOMETHING_LEFT, {"study": study.pk, "reader": reader.pk})
        is_left: bool = cursor.fetchone()[0]
    return is_left


def lease_s_of(slot: Slot) -> int | None:
    """Seconds left of the lease; None without one."""
    if slot.lease_until is None:
        return None
    return max(0, int((slot.lease_until - timezone.now()).total_seconds()))


def _take_turn(study: Study, reader: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(turns.TURN, {"study": study.pk, "reader": reader.pk})
        has_place = cursor.rowcount == 1
    if not has_place:
        raise Http404("You are no reader of such a study.")


def _are_plenty(study: Study) -> bool:
    """Returns whether every reader of the study could still take some free slots."""
    wanted = PLENTY_A_READER * StudyReader.objects.filter(study=study).count()
    free = Slot.objects.filter(study=study, reader__isnull=True).order_by()
    return free[:wanted].count() == wanted


def _own(study: Study, reader: User, *, holding: Collection[UUID]) -> Slot | None:
    """Returns their own unread slot: one that has its seat, whether or not the lease ran out,
    first.
    """
    unread = Slot.objects.raw(turns.OWN, {"study": study.pk, "reader": reader.pk})
    slots = [slot for slot in unread if slot.pk not in holding]
    with_seat = (slot for slot in slots if slot.seat is not None)
    back = (slot for slot in slots if slot.seat is None and _take_free_seat(slot))
    return next(with_seat, None) or next(back, None)


def _first_free(study: Study, reader: User) -> Slot | None:
    free = Slot.objects.raw(turns.FIRST_FREE, {"study": study.pk, "reader": reader.pk})
    return next(iter(free), None)


def _take_free_seat(slot: Slot) -> bool:
    """Give a slot without a seat the one of a free slot of its case, which goes."""
    order = ActiveOrder.objects.select_for_update(no_key=True).filter(study=slot.study_id).first()
    free = (
        Slot.objects.select_for_update(skip_locked=True)
        .filter(case=slot.case_id, reader__isnull=True)
        .first()
    )
    if free is None:
        return False
    free.delete()
    slot.seat, slot.position = free.seat, free.position
    if order is not None:
        order.taken += 1
        order.save(update_fields=["taken"])
    return True


def _values_now(slots: Collection[Slot]) -> dict[UUID, float | None]:
    """Looks values up by case where an order is active: they may have changed since."""
    values: dict[UUID, float | None] = {}
    orders = ActiveOrder.objects.filter(study__in={slot.study_id for slot in slots})
    for order in orders.select_related("reward_model"):
        cases = [slot.case_id for slot in slots if slot.study_id == order.study_id]
        places = CaseImage.objects.filter(case__in=cases)
        values |= values_of(places, order.reward_model)
    return values


def _give_back(slots: Collection[Slot]) -> None:
    """Count the seats of these slots as free; one study after the other, in a fixed order."""
    for study, count in sorted(Counter(slot.study_id for slot in slots).items()):
        ActiveOrder.objects.filter(study=study).update(taken=F("taken") - count)


def _free_again(slot: Slot, *, value: float | None) -> Slot:
    order = list(slot.image_order)
    Random(f"{slot.study.shuffle_seed}:{slot.pk}").shuffle(order)
    return Slot(
        study=slot.study,
        case_id=slot.case_id,
        position=slot.position,
        repetition=slot.repetition,
        phase=slot.phase,
        image_order=order,
        priority=slot.priority + 1,
        seat=slot.seat,
        value=value,
    )
