"""Two phases held apart: what a reader said first stays as it is once they know more.

In a study of two phases they are told what it asks in the end; in an adjudication they see
what the readers said.
"""

from django.db.models import QuerySet
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.readings.errors import NotYet, PhaseOver
from feedback_app.readings.models import Unmasking
from feedback_app.studies.models import Phase, Slot, Study

BEFORE = {Phase.AWARE.value: Phase.UNAWARE, Phase.FINAL.value: Phase.BLIND}
"""The phases in which a reader knows more, and those that come before them."""


def is_over(slot: Slot) -> bool:
    """Returns whether its reader has been told since what they did not know then."""
    return slot.phase in BEFORE.values() and _unmasking_of(slot).exists()


def is_unmasked(study: Study, reader: User) -> bool:
    """Returns whether nothing is kept from the reader any more; so it is in a study of one
    phase.
    """
    if not study.has_phases:
        return True
    return Unmasking.objects.filter(study=study, reader=reader).exists()


def unmask(slot: Slot) -> None:
    """Keeps the moment at which its reader is given, or answers, a first case of the phase.

    A final reading is refused before all is read blind.
    """
    if slot.phase == Phase.FINAL:
        enter_phase(slot)
    elif slot.phase in BEFORE:
        _keep(slot)


def enter_phase(slot: Slot) -> None:
    """Lets a reader into a case of the phase: only once they have read all that comes before."""
    if slot.phase not in BEFORE or _unmasking_of(slot).exists():
        return
    before = Slot.objects.filter(
        study=slot.study_id, reader=slot.reader_id, phase=BEFORE[slot.phase]
    )
    if waiting := before.unread().count():
        raise NotYet(
            f"{waiting} case{'s' if waiting > 1 else ''} of the part before this one "
            f"{'wait' if waiting > 1 else 'waits'} to be read.",
            remedy="Read them first; your work list leads there.",
        )
    _keep(slot)


def _keep(slot: Slot) -> None:
    Unmasking.objects.get_or_create(
        study_id=slot.study_id, reader_id=slot.reader_id, defaults={"at": timezone.now()}
    )


def require_unlocked(slot: Slot) -> None:
    """Refuses another answer to a case of the phase before."""
    if is_over(slot):
        raise PhaseOver(
            "The part of the study that this case belongs to is over for you.",
            remedy="What you answered then is kept and counts; go on with the cases of this part.",
        )


def _unmasking_of(slot: Slot) -> QuerySet[Unmasking]:
    return Unmasking.objects.filter(study=slot.study_id, reader=slot.reader_id)
