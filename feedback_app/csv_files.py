"""CSV for people: the one writer, whose cells no spreadsheet takes for formulas."""

import csv
from collections.abc import Iterable, Iterator

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the start of a formula, full-width signs among them."""


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yields a table line by line; texts that look like formulas get an apostrophe before them."""
    writer = csv.writer(_Line(), lineterminator="\n")
    yield writer.writerow(map(harmless, header))
    for row in rows:
        yield writer.writerow([harmless(cell) for cell in row])


def harmless(cell: object) -> object:
    """The cell as a spreadsheet shows it instead of working it out; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_SIGNS) else cell
