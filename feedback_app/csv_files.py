"""CSV for people: the one writer, whose cells no spreadsheet takes for formulas."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the start of a formula, full-width signs among them."""


BEHIND_A_SEPARATOR = re.compile("[;\t] *[=+@\uff1d\uff0b\uff0d\uff20-]")
"""What would begin a cell where the lists of a spreadsheet's country are parted by semicolons."""


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yields a table line by line; texts that look like formulas get an apostrophe before them.

    A row that would have one by another separator is quoted whole.
    """
    plain = csv.writer(_Line(), lineterminator="\n")
    quoted = csv.writer(_Line(), lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for row in chain([header], rows):
        cells = [harmless(cell) for cell in row]
        is_odd = any(isinstance(cell, str) and BEHIND_A_SEPARATOR.search(cell) for cell in cells)
        yield (quoted if is_odd else plain).writerow(cells)


def harmless(cell: object) -> object:
    """Returns the cell as a spreadsheet shows it instead of working it out; numbers stay
    numbers.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_SIGNS) else cell
