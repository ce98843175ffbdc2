"""Kermany: pneumonia of children, bacterial or viral, from Guangzhou."""

from collections.abc import Iterator
from operator import itemgetter

from generation.datasets.parsed import Skip
from generation.datasets.tables import find_table
from generation.vlm.instructions.families.question_answering import ask
from generation.vlm.instructions.records import Draft, Exam, Picture
from generation.vlm.instructions.sources.common import Folders, picture_at, rows_with_pictures

NAME = "kermany"
FILE = itemgetter("file")
TABLE, COLUMNS = "labels.csv", ("file", "patient", "pneumonia", "kind")
FINDING = "pneumonia"
KINDS = {"bacteria": "bacterial", "virus": "viral"}
QUESTION = "Is the pneumonia of this child bacterial or viral?"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    folder = folders[NAME]
    table = find_table(folder, TABLE)
    for found in rows_with_pictures(table, folder / "images", columns=COLUMNS, name=FILE):
        if isinstance(found, Skip):
            yield found
            continue
        row, path = found
        is_ill = row["pneumonia"].strip() == "1"
        picture = picture_at(NAME, folder, path)
        yield Exam(
            source=NAME,
            key=row["file"],
            patient=f"{NAME}:{row['patient']}",
            pictures=(picture,),
            present=(FINDING,) if is_ill else (),
            absent=() if is_ill else (FINDING,),
            is_normal=not is_ill,
            asked=_which_kind(row["kind"].strip(), picture),
        )


def _which_kind(kind: str, picture: Picture) -> tuple[Draft, ...]:
    if kind not in KINDS:
        return ()
    options = tuple(KINDS.values())
    return (ask(QUESTION, KINDS[kind], key="kind", options=options, pictures=(picture,)),)
