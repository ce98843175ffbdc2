"""NLM's Montgomery and Shenzhen sets: tuberculosis or not, sex, age, readings, lung masks."""

from collections.abc import Iterator
from pathlib import Path

from generation.datasets.attributes import parse_age, parse_sex
from generation.datasets.parsed import Skip
from generation.datasets.tables import Row, find_table
from generation.vlm.instructions.families.fine_perception import ANATOMY
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources.common import (
    Folders,
    around,
    exams_of_rows,
    mask_at,
    picture_at,
)

NAME = "nlm_tb"
TABLE = "readings.csv"
COLUMNS = ("file", "set", "patient", "sex", "age", "tuberculosis", "reading")
FINDING, NORMAL, LUNGS = "tuberculosis", "normal", "lungs"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """A radiologist's reading is an impression; all pictures are PA."""
    folder = folders[NAME]

    def exam_of(row: Row, path: Path) -> Exam:
        mask, reading = folder / "masks" / row["file"], " ".join(row["reading"].split())
        is_ill = row["tuberculosis"].strip() == "1"
        return Exam(
            source=NAME,
            key=row["file"],
            patient=f"{NAME}:{row['patient']}",
            pictures=(picture_at(NAME, folder, path, view="PA"),),
            present=(FINDING,) if is_ill else (),
            absent=() if is_ill else (FINDING,),
            is_normal=not is_ill and reading.lower() == NORMAL,
            sex=parse_sex(row["sex"]) or "",
            age_years=parse_age(row["age"]),
            regions=around(mask_at(mask), label=LUNGS, task=ANATOMY) if mask.is_file() else (),
            sections={"impression": reading} if reading else {},
        )

    return exams_of_rows(
        find_table(folder, TABLE), folder / "images", columns=COLUMNS, exam_of=exam_of
    )
