"""Masks of lungs and heart from CheXmask (Gaggion et al. 2024), by the image's id.

The file for MIMIC is several gigabytes, most of it run-length code: one pass keeps where each
row starts, and a row is read again when its image comes.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from generation.datasets.parsed import RunLengthMask, Skip
from generation.delimited import MAX_CELL_CHARACTERS
from generation.errors import RemediableError

IDS = ("dicom_id", "Image ID", "ImageID", "image_id")
"""How the files for different data sets call the image's id."""
QUALITY = "Dice RCA (Mean)"
LUNGS, HEART = ("Left Lung", "Right Lung"), "Heart"
HEIGHT, WIDTH = "Height", "Width"
COLUMNS = (QUALITY, *LUNGS, HEART, HEIGHT, WIDTH)
LEAST_QUALITY = 0.7
"""Reverse classification accuracy that the authors recommend to ask for."""


@dataclass(frozen=True)
class Place:
    """Where a row starts, in bytes, and its quality."""

    offset: int
    quality: float


class ChexMasks:
    """The rows of a CheXmask file by the id of their image."""

    def __init__(self, path: Path) -> None:
        csv.field_size_limit(MAX_CELL_CHARACTERS)  # another library may have changed it
        self._path = path
        try:
            with path.open("rb") as file:
                self._header = read_record(file)
                self._identity = self._require_columns()
                self._places = dict(self._index(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise RemediableError(
                f"{path.name} is not a CSV file in UTF-8: {error}",
                remedy="Name the unpacked CSV file of CheXmask for this data set.",
            ) from error

    def of_image(self, name: str) -> tuple[RunLengthMask, ...] | Skip | None:
        """The lungs and the heart, why they are not used, or None where there is no row."""
        place = self._places.get(name)
        if place is None:
            return None
        if place.quality < LEAST_QUALITY:
            reason = f"its {QUALITY} is {place.quality:.2f}, below {LEAST_QUALITY}"
            return Skip(file=name, what="mask", reason=reason)
        with self._path.open("rb") as file:
            file.seek(place.offset)
            row = dict(zip(self._header, read_record(file), strict=True))
        if not (row[HEIGHT].isdecimal() and row[WIDTH].isdecimal()):
            return Skip(file=name, what="mask", reason="its row does not say the mask's size")
        lungs = tuple(row[side] for side in LUNGS)
        return (self._mask("lungs", lungs, row), self._mask("heart", (row[HEART],), row))

    def _mask(self, kind: str, texts: tuple[str, ...], row: dict[str, str]) -> RunLengthMask:
        return RunLengthMask(
            kind=kind,
            codec="chexmask",
            texts=texts,
            width=int(row[WIDTH]),
            height=int(row[HEIGHT]),
        )

    def _require_columns(self) -> str:
        identity = next((name for name in IDS if name in self._header), None)
        missing = [column for column in COLUMNS if column not in self._header]
        if identity is None or missing:
            raise RemediableError(
                f"{self._path.name} has no column {', '.join(missing) or IDS[0]}; "
                f"it has {', '.join(self._header)}.",
                remedy="Name the CSV file of CheXmask for this data set, as it is distributed.",
            )
        return identity

    def _index(self, file: IO[bytes]) -> Iterator[tuple[str, Place]]:
        identity, quality = (self._header.index(name) for name in (self._identity, QUALITY))
        while True:
            offset = file.tell()
            record = read_record(file)
            if not record:
                return
            if len(record) != len(self._header):
                raise csv.Error(f"the row at byte {offset:,} is cut off")
            yield (
                record[identity].removesuffix(".jpg"),
                Place(offset, parse_quality(record[quality])),
            )


def read_record(file: IO[bytes]) -> list[str]:
    """The next row of a CSV file, which may go over several lines; empty at the end."""
    lines = (line.decode("utf-8-sig") for line in iter(file.readline, b""))
    return next(csv.reader(lines), [])


def parse_quality(text: str) -> float:
    """0 where it is no number: such a mask is not used."""
    try:
        return float(text)
    except ValueError:
        return 0.0
