"""Tables of data sets, plain or packed, read row by row.

Columns are known by their names without regard to capitals, spaces and underscores.
"""

import codecs
import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, cast

from generation import delimited
from generation.datasets.contents import HEAD_BYTES, kind_in_words
from generation.datasets.files import is_file, legible, nfc, places_below
from generation.datasets.parsed import Skip, What
from generation.errors import RemediableError

Row = dict[str, str]
PACKED = (".gz", ".zip")
TABLE, OTHERS_TOLD = ".csv", 6
HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX)")
PLAIN_TEXT = "it is a text"
LOOKED_AT_BYTES = 16
LINE_MAX_CHARACTERS = 40_000_000
UNPACKED_ALWAYS_BYTES = 1_000_000_000
UNPACKED_MAX_TIMES = 200
"""Packed tables grow to so much, or to so many times their size; beyond, they are made to fill
the memory or the disk.
"""


class BombError(EOFError):
    """A table that grows beyond all bounds as it is read; what came before it is whole."""


def read_table(
    path: Path, *, columns: Sequence[str], skips: list[Skip], what: What = "image"
) -> list[Row]:
    """Returns all rows of a table that has these columns; for tables that are small."""
    return list(stream_table(path, columns=columns, skips=skips, what=what))


def stream_table(
    path: Path, *, columns: Sequence[str], skips: list[Skip], what: What = "image"
) -> Iterator[Row]:
    """Yields the rows of a table one by one; one that lacks a column is refused at once.

    Rows that cannot be read are put among the ``skips`` when they are met, as what they tell of.
    """
    with _open_table(path) as file:
        found = delimited.read_table(lines_of(file), needed=columns).header
    spelled = _require_columns(path, found=found, needed=columns)
    return _stream(path, spelled=spelled, skips=skips, what=what)


def stream_rows(
    path: Path, *, columns: Sequence[str], what: What = "image"
) -> Iterator[Row | Skip]:
    """Yields the rows of a table one by one, and in their places those that cannot be read."""
    skips: list[Skip] = []
    for row in stream_table(path, columns=columns, skips=skips, what=what):
        yield from drain(skips)
        yield row
    yield from drain(skips)


def header_of(path: Path) -> tuple[str, ...]:
    """Returns the names of a table's columns."""
    with _open_table(path) as file:
        return delimited.read_table(lines_of(file)).header


def named_in(header: Sequence[str], *names: str) -> str | None:
    """Returns the column of a header that has the first of these names that is there, as it is
    there.
    """
    spelled = spellings_of(header)
    found = (name if name in header else spelled.get(_plain(name)) for name in names)
    return next((name for name in found if name is not None), None)


def spellings_of(header: Sequence[str]) -> dict[str, str]:
    """Returns the columns by what their spellings have in common; of two alike none is guessed."""
    plain = [_plain(name) for name in header]
    return {key: name for key, name in zip(plain, header, strict=True) if plain.count(key) == 1}


def _plain(name: str) -> str:
    return "".join(name.casefold().replace("_", " ").split())


def drain(skips: list[Skip]) -> Iterator[Skip]:
    """Yields what has come together, which is then forgotten."""
    yield from skips
    skips.clear()


def count_rows(path: Path, *, columns: Sequence[str]) -> int:
    """Returns how many rows a table has below its header, those of no use included."""
    with _open_table(path) as file:
        return sum(1 for _ in _rows(path, delimited.read_table(lines_of(file), needed=columns)))


def find_table(folder: Path, *names: str) -> Path:
    """Returns the table of one of these names, plain or packed, in the folder or near below it.

    Of several in one place the first name counts. A folder without any is refused, saying all
    that was looked for, and which tables it has.
    """
    wanted = [f"{name}{end}".casefold() for name in names for end in ("", *PACKED)]
    others: list[str] = []
    for place in places_below(folder):
        found = {nfc(path.name).casefold(): path for path in _files_in(place)}
        if known := next((found[name] for name in wanted if name in found), None):
            return known
        others += [found[name].name for name in sorted(found) if TABLE in name]
    told = f" It holds {', '.join(map(legible, others[:OTHERS_TOLD]))}." if others else ""
    raise RemediableError(
        f"{folder} holds no {' or '.join(names)}, plain or packed.{told}",
        remedy="Give the folder of the data set as it is distributed, with that file.",
    )


def _files_in(folder: Path) -> list[Path]:
    try:
        return [path for path in sorted(folder.iterdir(), reverse=True) if is_file(path)]
    except OSError:
        return []


def _stream(
    path: Path, *, spelled: Mapping[str, str], skips: list[Skip], what: What
) -> Iterator[Row]:
    """Yields the rows, with columns of another spelling under the names that were asked for."""
    columns = tuple(spelled.values())
    renamed = {there: asked for asked, there in spelled.items() if asked != there}
    with _open_table(path) as file:
        for row in _rows(path, delimited.read_table(lines_of(file), needed=columns)):
            if isinstance(row, delimited.BadRow):
                skips.append(skip_of(row, path, what=what))
            elif renamed:
                yield {renamed.get(name, name): cell for name, cell in row.cells.items()}
            else:
                yield row.cells


def skip_of(row: delimited.BadRow, path: Path, *, what: What) -> Skip:
    return Skip(file=f"{path.name}, row {row.number}", what=what, reason=row.reason)


def _rows(path: Path, table: delimited.Table) -> Iterator[delimited.Row | delimited.BadRow]:
    """Yields the rows of a table; where a packed one breaks off, that is its last row."""
    number = 1
    try:
        for row in table:
            number = row.number
            yield row
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = "is where the packed file breaks off: fetch it again for the rows after it"
        reason = str(error) if isinstance(error, BombError) else reason
        yield delimited.BadRow(number + 1, 0, "", reason)


@contextmanager
def _open_table(path: Path) -> Iterator[TextIO]:
    """Bytes that are no text come as half characters, so that they spoil their row alone."""
    try:
        with _unpacked(path) as file:
            encoding = encoding_of(file.peek(LOOKED_AT_BYTES)[:LOOKED_AT_BYTES])
            yield io.TextIOWrapper(file, encoding, errors="surrogateescape", newline="")
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise RemediableError(
            f"{path.name} is not a CSV file in UTF-8: {error}",
            remedy="Fetch the file again, or save it as CSV in UTF-8.",
        ) from error


def encoding_of(start: bytes) -> str:
    """Returns how a text's first bytes are to be read: in UTF-16 with or without a mark, or UTF-8.

    Without a mark every other byte of a table's header is zero, since that is plain letters.
    """
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first, second = start[0::2], start[1::2]
    if second and not any(second) and all(first[: len(second)]):
        return "utf-16-le"
    if second and not any(first) and all(second):
        return "utf-16-be"
    return "utf-8-sig"


def lines_of(file: TextIO) -> Iterator[str]:
    """Yields the lines of a table; one that fills the memory is never read whole."""
    while line := file.readline(LINE_MAX_CHARACTERS + 1):
        if len(line) > LINE_MAX_CHARACTERS:
            raise BombError(
                f"has a line of more than {LINE_MAX_CHARACTERS:,} characters: "
                "neither it nor what comes after it is read"
            )
        yield line


class _Unpacking(gzip.GzipFile):
    """A packed file, as far as it grows to what a table may be."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._told = 0
        self._most = max(UNPACKED_ALWAYS_BYTES, UNPACKED_MAX_TIMES * path.stat().st_size)

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self._told += len(found)
        if self._told > self._most:
            raise BombError(
                f"has more than {self._most:,} bytes when it is unpacked: "
                "what comes after them is not read"
            )
        return found


def _unpacked(path: Path) -> io.BufferedReader:
    """Returns the bytes of a file, of a packed one those within."""
    if path.suffix.lower() == ".gz":
        return io.BufferedReader(_Unpacking(path))
    if path.suffix.lower() == ".zip":
        return io.BufferedReader(_only_member(path))
    return path.open("rb")


def _only_member(path: Path) -> io.RawIOBase:
    """Returns the one table in an archive, as Kaggle sends single files."""
    try:
        archive = zipfile.ZipFile(path)
        tables = [
            member
            for member in archive.infolist()
            if TABLE in member.filename.lower() and not HIDDEN.search(member.filename)
        ]
    except zipfile.BadZipFile as error:
        raise OSError(f"its archive is cut off or damaged ({error})") from error
    if len(tables) != 1:
        raise OSError(f"its archive has {len(tables)} tables: unpack it")
    if tables[0].file_size > max(UNPACKED_ALWAYS_BYTES, UNPACKED_MAX_TIMES * path.stat().st_size):
        raise OSError("its archive holds far more than a table: unpack it")
    return cast("io.RawIOBase", archive.open(tables[0]))


def _require_columns(path: Path, *, found: Sequence[str], needed: Sequence[str]) -> dict[str, str]:
    """Returns as what each needed column is spelled there, or refuses the table."""
    told = ", ".join(map(repr, found)) or "none"
    spelled = {column: named_in(found, column) for column in needed}
    if missing := [column for column, there in spelled.items() if there is None]:
        raise RemediableError(
            f"{path.name} has no column {', '.join(map(repr, missing))}; it has {told}."
            f"{not_a_table(path)}",
            remedy="Fetch the file again as it is distributed, or name the column as it is there.",
        )
    if twice := [column for column in needed if found.count(column) > 1]:
        raise RemediableError(
            f"{path.name} has the column {twice[0]!r} twice; it has {told}.",
            remedy="Give each column a name of its own.",
        )
    return {column: there for column, there in spelled.items() if there is not None}


def not_a_table(path: Path) -> str:
    """Returns what a file is that is called a table, where that can be said."""
    with path.open("rb") as file:
        words = kind_in_words(file.read(HEAD_BYTES))
    return f" By its first bytes {words}." if words and words != PLAIN_TEXT else ""
