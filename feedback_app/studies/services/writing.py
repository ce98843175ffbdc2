"""Slots into the database by COPY: a pool of 100,000 cases has several times as many."""

import io
from collections.abc import Iterable
from itertools import islice

from django.db import connection

from feedback_app.studies.models import Slot

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
    "priority",
    "seat",
)
NULL = "\\N"


def write_slots(slots: Iterable[Slot]) -> int:
    """Store planned slots as they come, some thousands at a time; how many there were."""
    waiting, count = iter(slots), 0
    copy = f"COPY {Slot._meta.db_table} ({', '.join(COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor:
        while part := [_row(slot) for slot in islice(waiting, ROWS_AT_ONCE)]:
            cursor.copy_expert(copy, io.StringIO("".join(part)))
            count += len(part)
    return count


def _row(slot: Slot) -> str:
    """A line of PostgreSQL's text format; none of the values holds a tab or a backslash."""
    order = "{" + ",".join(map(str, slot.image_order)) + "}"
    values = (
        slot.pk,
        slot.study_id,
        slot.case_id,
        slot.reader_id,
        slot.position,
        slot.repetition,
        slot.phase,
        order,
        slot.priority,
        slot.seat,
    )
    return "\t".join(NULL if value is None else str(value) for value in values) + "\n"
