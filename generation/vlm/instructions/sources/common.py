"""What several sources need: exams from importers' rows, boxes from masks, DICOM headers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
import PIL.Image
import pydicom
from scipy import ndimage

from generation.conditioning.findings import FINDINGS
from generation.datasets.attributes import parse_age, parse_sex, parse_view
from generation.datasets.dicom import seal
from generation.datasets.files import DICOM_SUFFIXES, is_plain_path
from generation.datasets.parsed import MISSING, Skip, SourceBox, SourceImage
from generation.datasets.tables import Row, stream_rows
from generation.errors import RemediableError
from generation.specs import Split
from generation.vlm.instructions.records import Exam, Picture, Region, whole_box

Folders = Mapping[str, Path]
"""Where each source lies, by its name."""

LEAST_SHARE = 0.0005
"""Parts of a mask with a smaller share of the picture are strokes that slipped."""
MAX_PIXELS = 100_000_000
PATIENT_KEY = b"instructions"
"""Patients of a DICOM file are told apart by a hash; the instructions hold another one of it."""
SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "validate": "validation",
    "validation": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a DICOM file says of its patient; empty where the picture is no such file."""

    patient: str = ""
    sex: str = ""
    age_years: int | None = None
    view: str = ""
    width: int = 0
    height: int = 0


def header_of(path: Path) -> Header:
    if path.suffix.lower() not in DICOM_SUFFIXES:
        with PIL.Image.open(path) as picture:
            return Header(width=picture.width, height=picture.height)
    tags = ["PatientID", "PatientSex", "PatientAge", "ViewPosition", "Rows", "Columns"]
    read = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(tags))
    told = {tag: str(read.get(tag) or "") for tag in tags}
    return Header(
        patient=seal(told["PatientID"], key=PATIENT_KEY),
        sex=parse_sex(told["PatientSex"]) or "",
        age_years=parse_age(told["PatientAge"]),
        view=parse_view(told["ViewPosition"]) or "",
        width=int(told["Columns"] or 0),
        height=int(told["Rows"] or 0),
    )


def rows_with_pictures(
    table: Path, folder: Path, *, columns: Sequence[str], name: Callable[[Row], str]
) -> Iterator[tuple[Row, Path] | Skip]:
    """Yields each row of a table with the file below ``folder`` that it names."""
    for row in stream_rows(table, columns=columns):
        if isinstance(row, Skip):
            yield row
        elif is_plain_path(name(row)) and (folder / name(row)).is_file():
            yield row, folder / name(row)
        else:
            yield Skip(file=name(row), reason=MISSING)


def exams_of_rows(
    table: Path,
    folder: Path,
    *,
    columns: Sequence[str],
    exam_of: Callable[[Row, Path], Exam],
    name: Callable[[Row], str] = itemgetter("file"),
) -> Iterator[Exam | Skip]:
    """Yields the exam of each row and the file below ``folder`` that it names."""
    for found in rows_with_pictures(table, folder, columns=columns, name=name):
        yield found if isinstance(found, Skip) else exam_of(*found)


def studies_among(
    rows: Iterable[SourceImage | Skip], *, study_of: Callable[[SourceImage | Skip], str]
) -> Iterator[tuple[str, list[SourceImage]] | Skip]:
    """Yields the images of each study, whose rows stand together, after what was left out of it."""
    for study, of_study in groupby(rows, key=study_of):
        images = []
        for row in of_study:
            if isinstance(row, SourceImage):
                images.append(row)
            else:
                yield row
        if images:
            yield study, images


def picture_at(source: str, folder: Path, path: Path, *, view: str = "") -> Picture:
    """Returns a file below a source's folder."""
    return Picture(name=f"{source}/{path.relative_to(folder).as_posix()}", path=path, view=view)


def absent_of(image: SourceImage) -> tuple[str, ...]:
    """Returns the findings that the source says are not there."""
    known = {*image.findings, *image.unknown_findings}
    return tuple(finding for finding in FINDINGS if finding not in known)


def regions_of(boxes: Iterable[SourceBox]) -> tuple[Region, ...]:
    return tuple(
        Region(label=box.finding, box=whole_box(box.x, box.y, box.width, box.height))
        for box in boxes
    )


def mask_at(path: Path) -> np.ndarray:
    """H x W of bool."""
    with PIL.Image.open(path) as mask:
        return np.asarray(mask.convert("L")) > 127


def parts_of(mask: np.ndarray, *, label: str, task: str) -> tuple[Region, ...]:
    """Returns a box around each connected part of a mask H x W that is large enough."""
    numbered, count = ndimage.label(mask)
    areas = np.bincount(numbered.ravel(), minlength=count + 1)
    return tuple(
        Region(label=label, task=task, box=_box_of(places, mask.shape))
        for number, places in enumerate(ndimage.find_objects(numbered), start=1)
        if areas[number] >= LEAST_SHARE * mask.size
    )


def around(mask: np.ndarray, *, label: str, task: str) -> tuple[Region, ...]:
    """Returns one box around all large parts of a mask; none where it is empty."""
    parts = [region.box for region in parts_of(mask, label=label, task=task)]
    if not parts:
        return ()
    left, top, right, bottom = zip(*parts, strict=True)
    return (Region(label=label, task=task, box=(min(left), min(top), max(right), max(bottom))),)


def require_file(folder: Path, *names: str) -> Path:
    """Returns the first of these files that is there."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise RemediableError(
        f"{folder} holds no {' or '.join(names)}.",
        remedy="Give the folder of the data set as it is distributed, with that file.",
    )


def _box_of(places: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    (down, across), (height, width) = places, shape
    return whole_box(
        across.start / width,
        down.start / height,
        (across.stop - across.start) / width,
        (down.stop - down.start) / height,
    )
