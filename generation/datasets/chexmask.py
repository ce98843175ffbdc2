"""Masks of lungs and heart from CheXmask (Gaggion et al. 2024), by the image's id.

The file for MIMIC is several gigabytes, most of it run-length code: one pass keeps where each
row starts, and a row is read again when its image comes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from generation.datasets.parsed import RunLengthMask, Skip
from generation.datasets.tables import skip_of
from generation.delimited import BadRow, Row, Table, read_table
from generation.errors import RemediableError

IDS = ("dicom_id", "Image ID", "ImageID", "image_id")
"""How the files for different data sets call the image's id."""
QUALITY = "Dice RCA (Mean)"
LUNGS, HEART = ("Left Lung", "Right Lung"), "Heart"
HEIGHT, WIDTH = "Height", "Width"
COLUMNS = (QUALITY, *LUNGS, HEART, HEIGHT, WIDTH)
LEAST_QUALITY = 0.7
"""Reverse classification accuracy that the authors recommend to ask for."""
PACKED = (b"\x1f\x8b", b"PK\x03\x04")


@dataclass(frozen=True)
class Place:
    """Where a row starts, in bytes, and its quality."""

    offset: int
    quality: float


class ChexMasks:
    """It finds the rows of a CheXmask file by the id of their image.

    ``skips`` are the rows that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.skips: list[Skip] = []
        try:
            with path.open("rb") as file:
                self._require_unpacked(file)
                lines = _Lines(file)
                self._table = read_table(lines, needed=COLUMNS)
                self._identity = self._require_columns()
                self._places = dict(self._index(self._table, lines))
        except OSError as error:
            raise RemediableError(
                f"{path.name} cannot be read: {error.strerror or error}",
                remedy="Name the unpacked CSV file of CheXmask for this data set.",
            ) from error

    def of_image(self, name: str) -> tuple[RunLengthMask, ...] | Skip | None:
        """Returns the lungs and the heart, why they are not used, or None where there is no row."""
        place = self._places.get(name)
        if place is None:
            return None
        if not place.quality >= LEAST_QUALITY:  # nor NaN is
            reason = f"its {QUALITY} is {place.quality:.2f}, below {LEAST_QUALITY}"
            return Skip(file=name, what="mask", reason=reason)
        with self._path.open("rb") as file:
            file.seek(place.offset)
            found = next(iter(self._table.going_on(_Lines(file))))
        assert isinstance(found, Row)
        row = found.cells
        if not (row[HEIGHT].isdecimal() and row[WIDTH].isdecimal()):
            return Skip(file=name, what="mask", reason="its row does not say the mask's size")
        lungs = tuple(row[side] for side in LUNGS)
        return (
            self._mask("lungs_without_heart", lungs, row),
            self._mask("heart", (row[HEART],), row),
        )

    def _mask(self, kind: str, texts: tuple[str, ...], row: dict[str, str]) -> RunLengthMask:
        return RunLengthMask(
            kind=kind,
            codec="chexmask",
            texts=texts,
            width=int(row[WIDTH]),
            height=int(row[HEIGHT]),
        )

    def _require_unpacked(self, file: IO[bytes]) -> None:
        if file.read(4).startswith(PACKED):
            raise RemediableError(
                f"{self._path.name} is packed.", remedy="Unpack it, and name the CSV file in it."
            )
        file.seek(0)

    def _require_columns(self) -> str:
        header = self._table.header
        identity = next((name for name in IDS if name in header), None)
        missing = [column for column in COLUMNS if column not in header]
        if identity is None or missing:
            raise RemediableError(
                f"{self._path.name} has no column {', '.join(missing) or IDS[0]}; "
                f"it has {', '.join(map(repr, header)) or 'none'}.",
                remedy="Name the CSV file of CheXmask for this data set, as it is distributed.",
            )
        return identity

    def _index(self, table: Table, lines: "_Lines") -> Iterator[tuple[str, Place]]:
        for row in table:
            if isinstance(row, BadRow):
                self.skips.append(skip_of(row, self._path, what="mask"))
            else:
                place = Place(lines.starts[row.first], parse_quality(row.cells[QUALITY]))
                yield row.cells[self._identity].removesuffix(".jpg"), place
            lines.starts.clear()


class _Lines:
    """The lines of a file as text, and where each of the last ones starts, by its number."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._count = 0
        self.starts: dict[int, int] = {}

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        start = self._file.tell()
        line = self._file.readline()
        if not line:
            raise StopIteration
        self._count += 1
        self.starts[self._count] = start
        return line.decode("utf-8", "surrogateescape")


def parse_quality(text: str) -> float:
    """0 where it is no number: such a mask is not used."""
    try:
        return float(text)
    except ValueError:
        return 0.0
