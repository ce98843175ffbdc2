"""CSV files, plain or gzipped, read row by row."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from generation.errors import RemediableError

MAX_CELL_CHARACTERS = 20_000_000
"""The code of a mask, or a report, is one cell."""

Row = dict[str, str]


def read_table(path: Path, *, columns: Sequence[str]) -> list[Row]:
    """All rows of a table that has these columns; for tables that are small."""
    return list(stream_table(path, columns=columns))


def stream_table(path: Path, *, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table one by one; one that lacks a column is refused at once."""
    with _open_table(path) as file:
        found = next(csv.reader(file), [])
    _require_columns(path, found=found, needed=columns)
    return _stream(path)


def count_rows(path: Path) -> int:
    """How many rows a table has below its header."""
    with _open_table(path) as file:
        return max(0, sum(1 for _ in csv.reader(file)) - 1)


def find_table(folder: Path, name: str) -> Path:
    """The table of this name, plain or gzipped; a folder without it is refused."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise RemediableError(
        f"{folder} holds no {name}.",
        remedy="Give the folder of the data set as it is distributed, with that file.",
    )


def _stream(path: Path) -> Iterator[Row]:
    with _open_table(path) as file:
        for row in csv.DictReader(file, restval=""):
            yield {key: cell for key, cell in row.items() if key}


@contextmanager
def _open_table(path: Path) -> Iterator[TextIO]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as unpacked:
                yield unpacked
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield file
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise RemediableError(
            f"{path.name} is not a CSV file in UTF-8: {error}",
            remedy="Fetch the file again, or save it as CSV in UTF-8.",
        ) from error


def _require_columns(path: Path, *, found: Sequence[str], needed: Sequence[str]) -> None:
    missing = [column for column in needed if column not in found]
    if missing:
        raise RemediableError(
            f"{path.name} has no column {', '.join(map(repr, missing))}; "
            f"it has {', '.join(map(repr, found)) or 'none'}.",
            remedy="Fetch the file again as it is distributed, or name the column as it is there.",
        )
