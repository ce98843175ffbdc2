"""Hannover Medical School: views, sex and patients of COVID-19 pictures."""

from collections.abc import Iterator
from pathlib import Path

from generation.datasets.attributes import parse_sex, parse_view
from generation.datasets.parsed import Skip
from generation.datasets.tables import Row, find_table
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources.common import Folders, exams_of_rows, picture_at

NAME = "hannover"
TABLE, COLUMNS = "data.csv", ("image_id", "patient_id", "sex", "projection")


def read(folders: Folders) -> Iterator[Exam | Skip]:
    folder = folders[NAME]

    def exam_of(row: Row, path: Path) -> Exam:
        view = parse_view(row["projection"]) or ""
        return Exam(
            source=NAME,
            key=row["image_id"],
            patient=f"{NAME}:{row['patient_id']}",
            pictures=(picture_at(NAME, folder, path, view=view),),
            sex=parse_sex(row["sex"]) or "",
        )

    return exams_of_rows(
        find_table(folder, TABLE),
        folder / "images",
        columns=COLUMNS,
        exam_of=exam_of,
        name=_file_of,
    )


def _file_of(row: Row) -> str:
    return f"{row['image_id']}.png"
