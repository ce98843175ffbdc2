"""COVID-QU-Ex: masks of lungs and of infection.

Its classes tell the hospital, not the disease, so nobody is asked for them. It has no patient
ids: pictures that look alike are kept together.
"""

from collections.abc import Iterator
from operator import itemgetter

from generation.datasets.parsed import Skip
from generation.datasets.tables import find_table
from generation.vlm.instructions.families.fine_perception import ANATOMY, GROUND
from generation.vlm.instructions.records import Exam, Region
from generation.vlm.instructions.sources.common import (
    Folders,
    around,
    mask_at,
    parts_of,
    picture_at,
    rows_with_pictures,
)

NAME = "covid_qu"
FILE = itemgetter("file")
TABLE, COLUMNS = "labels.csv", ("file", "class")
LESION, LUNGS = "COVID-19 infection", "lungs"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    folder = folders[NAME]
    table = find_table(folder, TABLE)
    for found in rows_with_pictures(table, folder / "images", columns=COLUMNS, name=FILE):
        if isinstance(found, Skip):
            yield found
            continue
        row, path = found
        regions: tuple[Region, ...] = ()
        lungs, lesions = ((folder / kind / f"{path.stem}.png") for kind in ("lungs", "infection"))
        if lungs.is_file():
            regions += around(mask_at(lungs), label=LUNGS, task=ANATOMY)
        if lesions.is_file():
            regions += parts_of(mask_at(lesions), label=LESION, task=GROUND)
        yield Exam(
            source=NAME,
            key=row["file"],
            patient=f"{NAME}:{row['file']}",
            pictures=(picture_at(NAME, folder, path),),
            regions=regions,
        )
