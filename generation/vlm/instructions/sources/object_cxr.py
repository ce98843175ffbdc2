"""Object-CXR: foreign objects as rectangles, ellipses and polygons.

``train.csv`` and ``dev.csv`` (image_name, annotation), JPEGs in ``train/`` and ``dev/``. An
annotation is ``0 x1 y1 x2 y2`` (rectangle), ``1 x1 y1 x2 y2`` (ellipse) or ``2 x1 y1 x2 y2 …``
(polygon), several of them with semicolons between; an empty one says that there is no object.
"""

from collections.abc import Iterator
from operator import itemgetter

from generation.datasets.parsed import Skip
from generation.datasets.tables import find_table
from generation.vlm.instructions.families.fine_perception import OBJECT
from generation.vlm.instructions.records import Exam, Region, whole_box
from generation.vlm.instructions.sources.common import (
    Folders,
    header_of,
    picture_at,
    rows_with_pictures,
)

NAME = "object_cxr"
PARTS = ("train", "dev")
IMAGE, ANNOTATION = "image_name", "annotation"
LABEL = "foreign object"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """Each picture is a patient of its own, unless it looks like another one."""
    folder = folders[NAME]
    for part in PARTS:
        table, columns = find_table(folder, f"{part}.csv"), (IMAGE, ANNOTATION)
        for found in rows_with_pictures(
            table, folder / part, columns=columns, name=itemgetter(IMAGE)
        ):
            if isinstance(found, Skip):
                yield found
                continue
            row, path = found
            header = header_of(path)
            regions = regions_in(row[ANNOTATION], width=header.width, height=header.height)
            if regions is None:
                yield Skip(file=row[IMAGE], reason="has an annotation that is no shape")
                continue
            yield Exam(
                source=NAME,
                key=f"{part}/{row[IMAGE]}",
                patient=f"{NAME}:{part}/{row[IMAGE]}",
                pictures=(picture_at(NAME, folder, path),),
                regions=regions,
                searched=(OBJECT,),
            )


def regions_in(annotation: str, *, width: int, height: int) -> tuple[Region, ...] | None:
    """Returns the box around each shape, or None where one cannot be read."""
    regions = []
    for shape in filter(None, (part.strip() for part in annotation.split(";"))):
        try:
            _, *places = (float(number) for number in shape.split())
        except ValueError:
            return None
        across, down = places[::2], places[1::2]
        if len(across) != len(down) or len(across) < 2:
            return None
        left, top = min(across) / width, min(down) / height
        box = whole_box(left, top, max(across) / width - left, max(down) / height - top)
        regions.append(Region(label=LABEL, task=OBJECT, box=box))
    return tuple(regions)
