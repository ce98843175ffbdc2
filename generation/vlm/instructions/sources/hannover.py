"""Hannover Medical School: views, sex and patients of COVID-19 pictures."""

from collections.abc import Iterator

from generation.datasets.attributes import parse_sex, parse_view
from generation.datasets.parsed import Skip
from generation.datasets.tables import Row, find_table
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources.common import Folders, picture_at, rows_with_pictures

NAME = "hannover"
TABLE, COLUMNS = "data.csv", ("image_id", "patient_id", "sex", "projection")


def read(folders: Folders) -> Iterator[Exam | Skip]:
    folder = folders[NAME]
    table = find_table(folder, TABLE)
    for found in rows_with_pictures(table, folder / "images", columns=COLUMNS, name=_file_of):
        if isinstance(found, Skip):
            yield found
            continue
        row, path = found
        view = parse_view(row["projection"]) or ""
        yield Exam(
            source=NAME,
            key=row["image_id"],
            patient=f"{NAME}:{row['patient_id']}",
            pictures=(picture_at(NAME, folder, path, view=view),),
            sex=parse_sex(row["sex"]) or "",
        )


def _file_of(row: Row) -> str:
    return f"{row['image_id']}.png"
