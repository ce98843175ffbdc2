"""Slots into the database by COPY: a pool of 100,000 cases has several times as many."""

import io
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import connection

from feedback_app.studies.models import Phase, Slot

ROWS_AT_ONCE = 20_000
COLUMNS = (
    "id",
    "study_id",
    "case_id",
    "reader_id",
    "position",
    "repetition",
    "phase",
    "image_order",
    "seat",
    "priority",
    "value",
)
NULL = "\\N"

Report = Callable[[int, str], None]
"""Told how many slots are written, and what is being done."""


def tell_nobody(written: int, note: str) -> None:
    """Says nothing while something is written that takes a moment."""


def after(written: int, report: Report) -> Report:
    """Returns a report for the next part, when so many slots are written already."""
    return lambda count, note: report(written + count, note)


class PlannedSlot(NamedTuple):
    """A ``Slot`` that is not stored yet; making hundreds of thousands of models takes long."""

    study: UUID
    case: UUID
    position: int
    image_order: Sequence[int]
    reader: int | None = None
    seat: int | None = None
    repetition: int = 0
    phase: Phase = Phase.ONLY
    value: float | None = None


def write_slots(slots: Iterable[PlannedSlot], *, report: Report = tell_nobody) -> int:
    """Store planned slots as they come, some thousands at a time; how many there were."""
    waiting, count = iter(slots), 0
    copy = f"COPY {Slot._meta.db_table} ({', '.join(COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor:
        while part := [_row(slot) for slot in islice(waiting, ROWS_AT_ONCE)]:
            cursor.copy_expert(copy, io.StringIO("".join(part)))
            count += len(part)
            report(count, "Writing slots")
    return count


def _row(slot: PlannedSlot) -> str:
    """Returns a line of PostgreSQL's text format; none of the values holds a tab or a backslash."""
    reader = NULL if slot.reader is None else slot.reader
    seat = NULL if slot.seat is None else slot.seat
    value = NULL if slot.value is None else repr(slot.value)
    order = ",".join(map(str, slot.image_order))
    return (
        f"{uuid4()}\t{slot.study}\t{slot.case}\t{reader}\t{slot.position}\t{slot.repetition}\t"
        f"{slot.phase}\t{{{order}}}\t{seat}\t0\t{value}\n"
    )
