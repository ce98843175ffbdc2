"""What every importer yields: parsed images, or what was left out and why.

An importer checks the layout of its data set before it yields anything; after that
nothing stops it: a bad row becomes a ``Skip`` and the next one is read.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from generation.errors import RemediableError

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
MAX_CELL_CHARACTERS = 100_000


@dataclass(frozen=True, kw_only=True)
class Skip:
    """Something of a file that was left out; the image itself comes in unless ``what`` is it."""

    file: str
    reason: str
    what: Literal["image", "mask", "box", "label"] = "image"


@dataclass(frozen=True, kw_only=True)
class SourceMask:
    """A file with the binary segmentation of one structure."""

    kind: str
    path: Path


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
    """One image as its data set describes it; ``patient`` is the unit of splitting."""

    source_id: str
    path: Path
    patient: str
    findings: tuple[str, ...] = ()
    source_labels: Mapping[str, str] = field(default_factory=dict)
    view: str = ""
    sex: str = ""
    age_years: int | None = None
    masks: tuple[SourceMask, ...] = ()
    boxes: tuple[SourceBox, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set that was found to be readable; ``total`` is how many images it names."""

    total: int
    rows: Iterator[SourceImage | Skip]


def require_folder(path: Path) -> Path:
    if not path.is_dir():
        raise RemediableError(
            f"There is no folder {path}.", remedy="Give the folder that holds the data set."
        )
    return path


def list_pictures(folder: Path) -> tuple[dict[str, Path], list[Skip]]:
    """The PNG and JPEG files of a folder by name, and what else lies there."""
    pictures, others = {}, []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file() and path.suffix.lower() in PICTURE_SUFFIXES:
            pictures[path.name] = path
        else:
            others.append(Skip(file=path.name, reason="is not a PNG or JPEG file"))
    return pictures, others


def read_table(path: Path, *, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV file that has these columns; one that lacks a column is refused."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            require_columns(path, found=reader.fieldnames or (), needed=columns)
            return [{key: cell for key, cell in row.items() if key} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RemediableError(
            f"{path.name} is not a CSV file in UTF-8: {error}",
            remedy="Fetch the file again, or save it as CSV in UTF-8.",
        ) from error


def require_columns(path: Path, *, found: object, needed: tuple[str, ...]) -> None:
    names = list(found)  # type: ignore[call-overload]
    missing = [column for column in needed if column not in names]
    if missing:
        raise RemediableError(
            f"{path.name} has no column {', '.join(map(repr, missing))}; "
            f"it has {', '.join(map(repr, names)) or 'none'}.",
            remedy="Fetch the file again as it is distributed, or name the column as it is there.",
        )


def is_plain_name(name: str) -> bool:
    """True for a file name that cannot lead out of its folder."""
    return bool(name) and Path(name).name == name and name not in {".", ".."}


def place_box(
    row: Mapping[str, str], *, columns: Sequence[str], side_px: int, finding: str
) -> SourceBox | str:
    """A row's box, given in pixels of a square of this side, or why it cannot be used."""
    try:
        x, y, width, height = (float(row[column]) / side_px for column in columns)
    except ValueError:
        return "its box is not four numbers"
    # NaN fails every comparison, so it is refused here too.
    if not (x >= 0 and y >= 0 and width > 0 and height > 0 and x + width <= 1 and y + height <= 1):
        return f"its box does not lie within {side_px} x {side_px} pixels"
    return SourceBox(finding=finding, x=x, y=y, width=width, height=height)
