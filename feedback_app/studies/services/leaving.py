"""Taking a reader out of a study that is open: others read for them, their readings stay."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.studies.models import CaseRole, Slot, Study, StudyReader
from feedback_app.studies.modes import mode_of
from feedback_app.studies.services.design import lock
from feedback_app.studies.services.growing import require_running
from feedback_app.studies.services.opening import facts_of, reader_slots
from feedback_app.studies.services.writing import PlannedSlot, write_slots
from generation.errors import RemediableError


@dataclass(frozen=True)
class Left:
    """What became of a reader's open slots: read by others now, or by nobody."""

    handed_on: int
    dropped: int


@transaction.atomic
def remove_reader(study: Study, reader: User, *, actor: User | None = None) -> Left:
    """Takes them out; what they read stays, and what they still send of open cases is kept.

    Cases that everybody reads, hidden repeats, and cases of a study in two phases are not
    handed on: nobody else can read them as they were meant.
    """
    study = lock(study)
    require_running(study)
    place = StudyReader.objects.filter(study=study, reader=reader)
    others = list(User.objects.filter(studies=study, is_active=True).exclude(pk=reader.pk))
    if not place.exists():
        raise RemediableError(
            f"{reader.display_name} does not read in “{study.name}”.", remedy="Choose a reader."
        )
    if not others:
        raise RemediableError(
            f"Nobody else reads in “{study.name}”.",
            remedy="Add another reader first, or close the study.",
        )
    left = _leave_pool(study, reader) if study.is_pool else _hand_on(study, reader, others)
    place.delete()
    audit.record(
        "study.reader_removed",
        actor=actor,
        target=study.name,
        target_id=study.pk,
        details={
            "reader": reader.username,
            "handed_on": left.handed_on,
            "dropped": left.dropped,
        },
    )
    return left


def _hand_on(study: Study, reader: User, others: Sequence[User]) -> Left:
    open_slots = Slot.objects.filter(study=study, reader=reader).unread()
    count = open_slots.count()
    movable = open_slots.filter(repetition=0, case__role=CaseRole.ORDINARY)
    is_one_phase = len(mode_of(study.mode).phases(study)) == 1
    cases = list(movable.values_list("case", flat=True)) if is_one_phase else []
    Slot.objects.filter(pk__in=list(open_slots.values_list("pk", flat=True))).update(
        withdrawn_at=timezone.now()
    )
    dealt = _deal(study, cases, others)
    for heir, own in dealt.items():
        write_slots(_behind(study, own, reader=heir))
    handed_on = sum(len(own) for own in dealt.values())
    return Left(handed_on=handed_on, dropped=count - handed_on)


def _deal(study: Study, cases: Sequence[UUID], others: Sequence[User]) -> dict[User, list[UUID]]:
    """Returns each case to whoever has least to read of those who do not have it yet."""
    slots = Slot.objects.filter(study=study, reader__in=others).planned().order_by()
    has = set(slots.values_list("case", "reader"))
    waiting = Counter(slots.unread().values_list("reader", flat=True))
    dealt: dict[User, list[UUID]] = {other: [] for other in others}
    for case in cases:
        free = [other for other in others if (case, other.pk) not in has]
        if free:
            heir = min(free, key=lambda other: (waiting[other.pk], other.pk))
            dealt[heir].append(case)
            waiting[heir.pk] += 1
    return dealt


def _behind(study: Study, cases: Sequence[UUID], *, reader: User) -> list[PlannedSlot]:
    """Slots of these cases after all that the reader has, in an order of its own."""
    wanted = set(cases)
    facts = [fact for fact in facts_of(study) if fact.pk in wanted]
    last = Slot.objects.filter(study=study, reader=reader).aggregate(last=Max("position"))["last"]
    first = 0 if last is None else last + 1
    rng = Random(f"{study.shuffle_seed}:handed on to {reader.pk} from {first}")
    return list(reader_slots(study, facts, reader=reader, rng=rng, first_position=first, repeats=0))


def _leave_pool(study: Study, reader: User) -> Left:
    """Lets their leases lapse, so that their seats are free; seats that all have go with them."""
    own = Slot.objects.filter(study=study, reader=reader)
    leased = own.filter(lease_until__isnull=False)
    shared = study.cases.exclude(role=CaseRole.ORDINARY).exclude(
        pk__in=own.filter(lease_until=None).values("case")
    )
    dropped = 0
    for case in shared:
        mine = leased.filter(case=case, seat__isnull=False)
        if mine.update(seat=None, withdrawn_at=timezone.now()):
            dropped += 1
        elif not study.is_active:  # whose seats are counted
            free = Slot.objects.filter(case=case, reader=None).order_by("-seat").first()
            dropped += bool(free and free.delete())
    handed_on = leased.filter(seat__isnull=False).update(lease_until=timezone.now())
    leased.update(withdrawn_at=timezone.now())
    return Left(handed_on=handed_on, dropped=dropped)
