"""Two phases held apart: what a reader said unaware stays as it is once they have been told."""

from django.db.models import QuerySet
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.readings.errors import NotYet, PhaseOver
from feedback_app.readings.models import Unmasking
from feedback_app.studies.models import Phase, Slot, Study


def is_over(slot: Slot) -> bool:
    """Whether its reader has been told since what the study asks in the end."""
    return slot.phase == Phase.UNAWARE and _unmasking_of(slot).exists()


def is_unmasked(study: Study, reader: User) -> bool:
    """Whether nothing is kept from the reader any more; so it is in a study of one phase."""
    if not study.has_phases:
        return True
    return Unmasking.objects.filter(study=study, reader=reader).exists()


def unmask(slot: Slot) -> None:
    """Keeps the moment at which its reader is given, or answers, a first aware case."""
    if slot.phase == Phase.AWARE:
        Unmasking.objects.get_or_create(
            study_id=slot.study_id, reader_id=slot.reader_id, defaults={"at": timezone.now()}
        )


def enter_phase(slot: Slot) -> None:
    """Lets a reader into an aware case: only once they have read all that comes unaware."""
    if slot.phase != Phase.AWARE or _unmasking_of(slot).exists():
        return
    unaware = Slot.objects.filter(study=slot.study_id, reader=slot.reader_id, phase=Phase.UNAWARE)
    if waiting := unaware.unread().count():
        raise NotYet(
            f"{waiting} case{'s' if waiting > 1 else ''} of the part before this one "
            f"{'wait' if waiting > 1 else 'waits'} to be read.",
            remedy="Read them first; your work list leads there.",
        )
    unmask(slot)


def require_unlocked(slot: Slot) -> None:
    """Refuses another answer to an unaware case whose reader has been told."""
    if is_over(slot):
        raise PhaseOver(
            "The part of the study that this case belongs to is over for you.",
            remedy="What you answered then is kept and counts; go on with the cases of this part.",
        )


def _unmasking_of(slot: Slot) -> QuerySet[Unmasking]:
    return Unmasking.objects.filter(study=slot.study_id, reader=slot.reader_id)
