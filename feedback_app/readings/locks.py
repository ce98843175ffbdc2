"""Answers that stay as they are: of a phase that is over, and of a gold case that was told."""

from feedback_app.readings.errors import ReadingConflict
from feedback_app.readings.models import Reading
from feedback_app.readings.unmasking import is_over, require_unlocked
from feedback_app.studies.models import CaseRole, Slot


def is_locked(slot: Slot) -> bool:
    return is_over(slot) or _is_told(slot)


def require_changeable(slot: Slot) -> None:
    """Refuses another answer to a slot that was read."""
    require_unlocked(slot)
    if _is_told(slot):
        raise ReadingConflict(
            "You were shown the known answer of this case, so yours stays as it is.",
            remedy="Go on with the next case.",
        )


def teaches(slot: Slot) -> bool:
    """Returns whether the reader is told the answer once they have read the case."""
    return slot.study.gold_teaches and slot.case.role == CaseRole.GOLD


def _is_told(slot: Slot) -> bool:
    return teaches(slot) and Reading.objects.filter(slot=slot, skip_reason="").exists()
