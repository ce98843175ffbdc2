"""COVID-QU-Ex: masks of lungs and of infection.

Its classes tell the hospital, not the disease, so nobody is asked for them. It has no patient
ids: pictures that look alike are kept together.
"""

from collections.abc import Iterator
from pathlib import Path

from generation.datasets.parsed import Skip
from generation.datasets.tables import Row, find_table
from generation.vlm.instructions.families.fine_perception import ANATOMY, GROUND
from generation.vlm.instructions.records import Exam, Region
from generation.vlm.instructions.sources.common import (
    Folders,
    around,
    exams_of_rows,
    mask_at,
    parts_of,
    picture_at,
)

NAME = "covid_qu"
TABLE, COLUMNS = "labels.csv", ("file", "class")
LESION, LUNGS = "COVID-19 infection", "lungs"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    folder = folders[NAME]

    def exam_of(row: Row, path: Path) -> Exam:
        regions: tuple[Region, ...] = ()
        lungs, lesions = ((folder / kind / f"{path.stem}.png") for kind in ("lungs", "infection"))
        if lungs.is_file():
            regions += around(mask_at(lungs), label=LUNGS, task=ANATOMY)
        if lesions.is_file():
            regions += parts_of(mask_at(lesions), label=LESION, task=GROUND)
        return Exam(
            source=NAME,
            key=row["file"],
            patient=f"{NAME}:{row['file']}",
            pictures=(picture_at(NAME, folder, path),),
            regions=regions,
        )

    return exams_of_rows(
        find_table(folder, TABLE), folder / "images", columns=COLUMNS, exam_of=exam_of
    )
