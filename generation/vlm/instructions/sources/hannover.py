"""Hannover Medical School: views, sex and patients of COVID-19 pictures."""

from collections.abc import Iterator

from generation.datasets.attributes import parse_sex, parse_view
from generation.datasets.files import is_plain_name
from generation.datasets.parsed import MISSING, Skip
from generation.datasets.tables import find_table, stream_rows
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources.common import Folders, picture_at

NAME = "hannover"
TABLE, COLUMNS = "data.csv", ("image_id", "patient_id", "sex", "projection")


def read(folders: Folders) -> Iterator[Exam | Skip]:
    folder = folders[NAME]
    for row in stream_rows(find_table(folder, TABLE), columns=COLUMNS):
        if isinstance(row, Skip):
            yield row
            continue
        name = f"{row['image_id']}.png"
        if not is_plain_name(name) or not (folder / "images" / name).is_file():
            yield Skip(file=name, reason=MISSING)
            continue
        view = parse_view(row["projection"]) or ""
        yield Exam(
            source=NAME,
            key=row["image_id"],
            patient=f"{NAME}:{row['patient_id']}",
            pictures=(picture_at(NAME, folder, folder / "images" / name, view=view),),
            sex=parse_sex(row["sex"]) or "",
        )
