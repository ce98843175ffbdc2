"""Delimited text, read row by row: the one reader of tables and of prompt files.

Cells are parted by commas, semicolons, tabs or bars, whichever the first line tells, and never
by one within quotes; lines end as anybody ends them, and a quoted cell may have several; a byte
order mark is no part of a name. A row that has not the cells of
its header is never filled up or cut: it comes as a ``BadRow`` with its number.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

MAX_CELL_CHARACTERS = 20_000_000
"""The code of a mask, or a report, is one cell."""

DELIMITERS = (",", ";", "\t", "|")
BYTE_ORDER_MARK = "\ufeff"
SHOWN_CHARACTERS = 200
HEADER_LINES = 20
"""Lines that a header may have, whose quoted names can be broken."""
NO_TEXT = re.compile("[\ud800-\udfff]")
"""What ``surrogateescape`` makes of bytes that are no text."""
EXCEL_TEXT = re.compile(r'\s*="(.*)"\s*', re.DOTALL)
"""How a cell is written so that Excel leaves the zeros before an id."""
EXCEL_HINT = re.compile(r"sep=(.)\s*", re.IGNORECASE)
"""What Excel writes before the header, to tell itself the delimiter."""


@dataclass(frozen=True)
class Row:
    """``number`` counts rows from the header, which is 1.

    ``line`` is where the row ends, ``first`` where it begins.
    """

    number: int
    line: int
    first: int
    cells: dict[str, str]
    text: str


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read, and why."""

    number: int
    line: int
    text: str
    reason: str


@dataclass
class _Lines:
    """Lines, counted as they are taken; ``of_row`` counts those of the row under way."""

    lines: Iterator[str]
    count: int = 0
    of_row: int = 0
    has_ended: bool = False
    kept: list[str] = field(default_factory=list)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        try:
            line = self.kept.pop() if self.kept else next(self.lines)
        except StopIteration:
            self.has_ended = True
            raise
        self.count += 1
        self.of_row += 1
        return line

    def put_back(self, lines: Sequence[str]) -> None:
        self.kept += reversed(lines)
        self.count -= len(lines)


@dataclass
class Table:
    """A header, and the rows below it as they are asked for; it can be read once.

    In a ``spaced`` table a space after a delimiter is no part of a cell, as before a quote.
    """

    header: tuple[str, ...]
    delimiter: str
    _lines: _Lines
    spaced: bool = False
    _named: int = field(init=False)

    def __post_init__(self) -> None:
        self._named = max((at + 1 for at, name in enumerate(self.header) if name), default=0)

    def __iter__(self) -> Iterator[Row | BadRow]:
        csv.field_size_limit(MAX_CELL_CHARACTERS)  # of the process: others may have changed it
        reader = csv.reader(self._lines, delimiter=self.delimiter, skipinitialspace=self.spaced)
        number = 1
        while True:
            self._lines.of_row = 0
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                number += 1
                reason = f"has a cell of more than {MAX_CELL_CHARACTERS:,} characters"
                yield BadRow(number, self._lines.count, "", reason)
                continue
            if not any(cell.strip() for cell in cells):
                number += bool(cells)
                continue
            number += 1
            cells = [_plain(cell) for cell in cells]
            text = self.delimiter.join(cells)[:SHOWN_CHARACTERS]
            fault = self._fault_of(cells)
            if fault:
                yield BadRow(number, self._lines.count, text, fault)
            else:
                named = zip(self.header, cells, strict=False)
                row = {name: cell for name, cell in named if name}
                first = self._lines.count - self._lines.of_row + 1
                yield Row(number, self._lines.count, first, row, text)

    def going_on(self, lines: Iterable[str]) -> "Table":
        """Returns the table of the same columns whose rows are these lines."""
        return Table(self.header, self.delimiter, _Lines(iter(lines)), self.spaced)

    def _fault_of(self, cells: list[str]) -> str:
        """Returns why a row cannot be used, empty where it can."""
        if self._lines.has_ended and self._lines.of_row:
            lost = self._lines.of_row - 1
            return "opens a quote that is never closed" + (
                f", so that the {lost:,} lines after it are lost" if lost else ""
            )
        counts = f"{len(cells)} cells under {self._named} columns"
        over = " (it goes over several lines: is a quote open?)" if self._lines.of_row > 1 else ""
        if len(cells) < self._named:
            return f"{counts}: it is cut off{over}"
        if any(cell.strip() for cell in cells[len(self.header) :]):
            is_spaced = any(cell[:1] == " " and cell.lstrip()[:1] == '"' for cell in cells)
            remedy = "take away spaces before quotes" if is_spaced else "put quotes around commas"
            return f"{counts}: {remedy}{over}"
        if any("\0" in cell for cell in cells):
            return "has a NUL character"
        if any(NO_TEXT.search(cell) for cell in cells):
            return "has bytes that are not UTF-8"
        return ""


def _plain(cell: str) -> str:
    """Returns what ``="007"`` says."""
    if "=" not in cell[:SHOWN_CHARACTERS]:
        return cell
    text = EXCEL_TEXT.fullmatch(cell)
    return text[1].replace('""', '"') if text else cell


def read_table(lines: Iterable[str], *, needed: Sequence[str] = ()) -> Table:
    """Returns the table that these lines are; ``needed`` names help to find its delimiter."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    counted = _Lines(iter(lines))
    delimiters: Sequence[str] = DELIMITERS
    first = ""
    for line in counted:
        first = line.lstrip(BYTE_ORDER_MARK)
        if hint := EXCEL_HINT.fullmatch(first):
            delimiters = hint[1]
        elif first.strip():
            break
    else:
        first = ""
    header = _whole(first, counted, delimiters)
    found = {delimiter: _names(header, delimiter) for delimiter in delimiters}

    def fitness(delimiter: str) -> tuple[int, bool, int]:
        names, is_strict = found[delimiter]
        return len({*needed} & {*names}), is_strict, len(names)

    best = max(delimiters, key=fitness)
    return Table(
        header=tuple(found[best][0]),
        delimiter=best,
        _lines=counted,
        spaced=_is_spaced(header, best),
    )


def _whole(first: str, lines: _Lines, delimiters: Sequence[str]) -> str:
    """Returns a header with the lines after its first that belong to a quoted name."""
    more: list[str] = []
    for line in lines if any(_is_open(first, delimiter) for delimiter in delimiters) else ():
        more.append(line)
        header = first + "".join(more)
        if not any(_is_open(header, delimiter) for delimiter in delimiters):
            return header
        if len(more) == HEADER_LINES:
            break
    lines.put_back(more)
    return first


def _is_open(text: str, delimiter: str) -> bool:
    """Returns whether a quoted cell goes on after the text's end."""
    try:
        _cells(text, delimiter, strict=True)
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _names(header: str, delimiter: str) -> tuple[list[str], bool]:
    """Returns a header's cells without the spaces around them, and whether every quote in it
    begins and ends one: by another delimiter than its own, some do not.
    """
    try:
        cells, is_strict = _cells(header, delimiter, strict=True), True
    except csv.Error:
        is_strict = False
        try:
            cells = _cells(header, delimiter, strict=False)
        except csv.Error:
            return [], False
    names = (" ".join(cell.splitlines()).strip().strip(BYTE_ORDER_MARK).strip() for cell in cells)
    return [unicodedata.normalize("NFC", _plain(name)) for name in names], is_strict


def _cells(text: str, delimiter: str, *, strict: bool) -> list[str]:
    lines = io.StringIO(text, newline="")
    spaced = _is_spaced(text, delimiter)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced, strict=strict)
    return next(reader, [])


def _is_spaced(header: str, delimiter: str) -> bool:
    return f'{delimiter} "' in header
