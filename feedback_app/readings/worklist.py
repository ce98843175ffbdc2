"""Where a reader is: her studies, what is read in them, and what comes next."""

from dataclasses import dataclass
from itertools import groupby
from statistics import median
from uuid import UUID

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Slot, Study, StudyState


@dataclass(frozen=True)
class Place:
    """A slot among the slots of its reader; ``position`` counts from 1."""

    position: int
    total: int
    read: int
    next: UUID | None
    previous: UUID | None


@dataclass(frozen=True)
class Assignment:
    """A study as its reader sees it on the work list."""

    study: Study
    total: int
    read: int
    first: UUID
    next: UUID | None
    remaining_min: int | None

    @property
    def percent(self) -> int:
        return 100 * self.read // self.total

    @property
    def is_open(self) -> bool:
        return self.study.state == StudyState.OPEN

    @property
    def is_to_do(self) -> bool:
        return self.is_open and self.next is not None


def place_of(slot: Slot) -> Place:
    """``next`` is the first unread slot after this one, from the start again at the end."""
    rows = list(
        Slot.objects.filter(study=slot.study_id, reader=slot.reader_id)
        .with_is_read()
        .values_list("pk", "is_read")  # type: ignore[misc]
    )
    index = [pk for pk, _ in rows].index(slot.pk)
    ahead = rows[index + 1 :] + rows[:index]
    return Place(
        position=index + 1,
        total=len(rows),
        read=sum(is_read for _, is_read in rows),
        next=next((pk for pk, is_read in ahead if not is_read), None),
        previous=rows[index - 1][0] if index else None,
    )


def assignments_of(reader: User) -> list[Assignment]:
    """Her studies: what is left to read first, the newest first."""
    slots = (
        Slot.objects.of_reader(reader)
        .with_is_read()
        .select_related("study")
        .order_by("-study__created_at", "study", "-priority", "position")
    )
    of_studies = [list(group) for _, group in groupby(slots, key=lambda slot: slot.study_id)]
    assignments = [_assignment(reader, own) for own in of_studies]
    return sorted(assignments, key=lambda assignment: not assignment.is_to_do)


def _assignment(reader: User, slots: list[Slot]) -> Assignment:
    unread = [slot.pk for slot in slots if not slot.is_read]  # type: ignore[attr-defined]
    return Assignment(
        study=slots[0].study,
        total=len(slots),
        read=len(slots) - len(unread),
        first=slots[0].pk,
        next=unread[0] if unread else None,
        remaining_min=_remaining_min(reader, slots[0].study, unread=len(unread)),
    )


def _remaining_min(reader: User, study: Study, *, unread: int) -> int | None:
    """From the reader's own median time for a case; unknown before the first reading."""
    times = Reading.objects.filter(reader=reader, slot__study=study).values_list(
        "active_ms", flat=True
    )
    return max(1, round(unread * median(times) / 60_000)) if times else None
