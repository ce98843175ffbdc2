"""What every importer yields: parsed images, or what was left out and why.

An importer checks the layout of its data set before it yields anything; after that
nothing stops it: a bad row becomes a ``Skip`` and the next one is read.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from generation.datasets.rle import Codec, unite
from generation.errors import RemediableError

What = Literal["image", "mask", "box", "label", "warning"]
MISSING = "is listed, but its file is missing"
SHOWN_CHARACTERS = 80
"""A reason tells so much of a value."""


@dataclass(frozen=True, kw_only=True)
class Skip:
    """Something of a file that was left out; the image itself comes in unless ``what`` is it.

    A ``warning`` tells of something that came in and that people should look at.
    """

    file: str
    reason: str
    what: What = "image"


@dataclass(frozen=True, kw_only=True)
class SourceMask:
    """It is a file with the binary segmentation of one structure."""

    kind: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class RunLengthMask:
    """A mask that a table holds as text, in one or several parts."""

    kind: str
    codec: Codec
    texts: tuple[str, ...]
    width: int
    height: int

    def decode(self) -> np.ndarray:
        """H x W of bool."""
        return unite(self.codec, self.texts, height=self.height, width=self.width)


@dataclass(frozen=True, kw_only=True)
class SourceBox:
    """A rectangle in fractions of the image's width and height, its origin at the top left."""

    finding: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class SourceImage:
    """One image as its data set describes it; ``patient`` is the unit of splitting.

    ``is_normal`` where the source says that nothing is wrong; a finding that is in neither
    ``findings`` nor ``unknown_findings`` is said to be absent. Where ``patient`` is None, and
    where view, sex or age are left out, the file's DICOM header tells. ``known_as`` is the
    picture's name in the data set that it was taken from, as ``nih:00000001_000.png``.
    """

    source_id: str
    path: Path
    patient: str | None
    findings: tuple[str, ...] = ()
    unknown_findings: tuple[str, ...] = ()
    is_normal: bool = False
    source_labels: Mapping[str, str] = field(default_factory=dict)
    view: str = ""
    sex: str = ""
    age_years: int | None = None
    race: str = ""
    known_as: str = ""
    masks: tuple[SourceMask | RunLengthMask, ...] = ()
    boxes: tuple[SourceBox, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set that was found to be readable; ``total`` is how many images it names.

    ``patients_of`` is the data set whose patients these are, where that is another one: they
    are split as they are there. ``warnings`` are told before anything comes in, since splits
    are fixed when it does.
    """

    total: int
    rows: Iterator[SourceImage | Skip]
    patients_of: str = ""
    warnings: Sequence[Skip] = ()


def unread(file: str, values: Mapping[Any, tuple[str, object]]) -> Iterator[Skip]:
    """Yields a skip for each attribute whose value is in no table, with the value."""
    for what, (text, read) in values.items():
        if read is None:
            reason = f"the {what} {text.strip()[:SHOWN_CHARACTERS]!r} is not known"
            yield Skip(file=file, what="label", reason=reason)


def require_folder(path: Path) -> Path:
    if not os.path.isdir(path):  # noqa: PTH112  of a name too long Path.is_dir raises
        raise RemediableError(
            f"There is no folder {path}.", remedy="Give the folder that holds the data set."
        )
    return path


def place_box(
    row: Mapping[str, str], *, columns: Sequence[str], side_px: int, finding: str
) -> SourceBox | str:
    """Returns a row's box, given in pixels of a square of this side, or why it cannot be used."""
    try:
        x, y, width, height = (float(row[column].replace(",", ".")) / side_px for column in columns)
    except ValueError:
        return "its box is not four numbers"
    # NaN fails every comparison, so it is refused here too.
    if not (x >= 0 and y >= 0 and width > 0 and height > 0 and x + width <= 1 and y + height <= 1):
        return f"its box does not lie within {side_px} x {side_px} pixels"
    return SourceBox(finding=finding, x=x, y=y, width=width, height=height)
