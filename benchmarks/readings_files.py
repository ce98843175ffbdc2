"""A million scores streamed as CSV: how fast, and by how much the memory grows.

The growth is that of the process from its first thousand rows to its peak; the baseline is
the growth that a hundredth of the scores has, so that flat memory is a ratio near 1.
"""

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import django
import psutil

from benchmarks.rows import Row

if TYPE_CHECKING:
    from feedback_app.studies.models import Study

CASES, READERS = 10_000, 50
SMALL_CASES = 100
"""With two criteria that is a million scores, and ten thousand."""
WARM_ROWS = 1_000
LOOK_EVERY = 5_000
MIB = 2**20


def run() -> list[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback_app.settings")
    django.setup()
    from django.core.management import call_command

    from benchmarks.read_study import write_read_study

    call_command("migrate", verbosity=0)
    small_mib, _, _ = stream(write_read_study(cases=SMALL_CASES, readers=READERS, name="Small"))
    grown_mib, rows, seconds = stream(write_read_study(cases=CASES, readers=READERS, name="Large"))
    return [
        Row(
            name="readings_file_growth_mib",
            value=round(grown_mib, 1),
            unit="MiB",
            baseline=round(small_mib, 1),
            ratio=round(grown_mib / small_mib, 2) if small_mib else None,
        ),
        Row(name="readings_file_rows_per_s", value=round(rows / seconds), unit="rows/s"),
    ]


def stream(study: "Study") -> tuple[float, int, float]:
    """MiB that the process grows by after its first rows, how many rows, and seconds."""
    from feedback_app.results.readings_file.columns import TABLES
    from feedback_app.results.readings_file.rows import StudyRows
    from feedback_app.results.readings_file.writing import csv_of

    began = time.perf_counter()
    rows, first, peak = 0, 0, 0
    for seen, used in _looked_at(csv_of(StudyRows(study), TABLES["scores"])):
        rows = seen
        first = first or used
        peak = max(peak, used)
    return (peak - first) / MIB, rows, time.perf_counter() - began


def _looked_at(lines: Iterator[str]) -> Iterator[tuple[int, int]]:
    """Yields (rows so far, memory in bytes), now and then."""
    process = psutil.Process()
    for rows, _ in enumerate(lines):  # the first line is the header
        if rows == WARM_ROWS or (rows > WARM_ROWS and rows % LOOK_EVERY == 0):
            yield rows, process.memory_info().rss
