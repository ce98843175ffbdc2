"""VinDr-CXR (Nguyen et al. 2022): boxes of several radiologists on adults' PA pictures.

``annotations/annotations_train.csv`` and ``_test.csv``, DICOM files in ``train/`` and ``test/``.
A training picture was read by three radiologists, a test picture by consensus.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from generation.datasets.files import is_plain_name
from generation.datasets.parsed import MISSING, Skip, require_folder
from generation.datasets.tables import Row, find_table, stream_rows
from generation.specs import Split
from generation.vlm.instructions.families.fine_perception import DETECT
from generation.vlm.instructions.records import Exam, Region, whole_box
from generation.vlm.instructions.sources.common import SPLITS, Folders, header_of, picture_at

NAME = "vindr"
PARTS = ("train", "test")
IMAGE, CLASS, PLACE = "image_id", "class_name", ("x_min", "y_min", "x_max", "y_max")
READERS = ("rad_id", "rad_ID")
NOTHING = "No finding"
LEAST_OVERLAP = 0.4
"""Intersection over union, from which two radiologists mean one thing."""
LEAST_READERS = {"train": 2, "test": 1}

Corners = tuple[float, float, float, float]


@dataclass
class Marked:
    """What was marked as one thing: corners, and by whom."""

    corners: list[Corners] = field(default_factory=list)
    readers: set[str] = field(default_factory=set)

    @property
    def mean(self) -> Corners:
        left, top, right, bottom = (
            sum(side) / len(self.corners) for side in zip(*self.corners, strict=True)
        )
        return left, top, right, bottom


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """Its own split is by picture, and no picture tells its patient; what it tests is kept so."""
    folder = require_folder(folders[NAME])
    for part in PARTS:
        table = find_table(folder / "annotations", f"annotations_{part}.csv")
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in stream_rows(table, columns=(IMAGE, CLASS, *PLACE)):
            if isinstance(row, Skip):
                yield row
            else:
                rows[row[IMAGE]].append(row)
        for image, of_image in rows.items():
            name = f"{image}.dicom"
            path = folder / part / name
            if not is_plain_name(name) or not path.is_file():
                yield Skip(file=name, reason=MISSING)
                continue
            header = header_of(path)
            size = (header.width, header.height)
            yield Exam(
                source=NAME,
                key=image,
                patient=f"{NAME}:{header.patient or image}",
                given_split=given_split(part),
                pictures=(picture_at(NAME, folder, path, view="PA"),),
                sex=header.sex,
                age_years=header.age_years,
                regions=agreed(of_image, least=LEAST_READERS[part], size=size),
                searched=(DETECT,),
            )


def given_split(part: str) -> Split | None:
    """Training pictures are split further."""
    return SPLITS[part] if part == "test" else None


def agreed(rows: Sequence[Row], *, least: int, size: tuple[int, int]) -> tuple[Region, ...]:
    """Returns the mean of boxes of one class that overlap, where enough radiologists drew one."""
    things: dict[str, list[Marked]] = defaultdict(list)
    for row in rows:
        if row[CLASS].strip() == NOTHING or not row[PLACE[0]].strip():
            continue
        left, top, right, bottom = (float(row[place]) for place in PLACE)
        corners = (left, top, right, bottom)
        of_class = things[row[CLASS].strip().lower()]
        thing = next((one for one in of_class if overlap(one.mean, corners) >= LEAST_OVERLAP), None)
        if thing is None:
            thing = Marked()
            of_class.append(thing)
        thing.corners.append(corners)
        thing.readers.add(reader_of(row))
    width, height = size
    return tuple(
        Region(label=label, box=_whole(thing.mean, width=width, height=height))
        for label, of_class in sorted(things.items())
        for thing in of_class
        if len(thing.readers) >= least
    )


def reader_of(row: Row) -> str:
    return next((row[column] for column in READERS if column in row), "")


def overlap(one: Corners, other: Corners) -> float:
    """Intersection over union of two boxes by their corners."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, across) * max(0.0, down)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / max(1e-9, sum(areas) - shared)


def _whole(corners: Corners, *, width: int, height: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = corners
    return whole_box(left / width, top / height, (right - left) / width, (bottom - top) / height)
