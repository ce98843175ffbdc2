"""Kermany: pneumonia of children, bacterial or viral, from Guangzhou."""

from collections.abc import Iterator

from generation.datasets.parsed import MISSING, Skip
from generation.datasets.tables import find_table, stream_rows
from generation.vlm.instructions.families.question_answering import ask
from generation.vlm.instructions.records import Draft, Exam, Picture
from generation.vlm.instructions.sources.common import Folders, picture_at

NAME = "kermany"
TABLE, COLUMNS = "labels.csv", ("file", "patient", "pneumonia", "kind")
FINDING = "pneumonia"
KINDS = {"bacteria": "bacterial", "virus": "viral"}
QUESTION = "Is the pneumonia of this child bacterial or viral?"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    folder = folders[NAME]
    for row in stream_rows(find_table(folder, TABLE), columns=COLUMNS):
        if isinstance(row, Skip):
            yield row
            continue
        path = folder / "images" / row["file"]
        if not path.is_file():
            yield Skip(file=row["file"], reason=MISSING)
            continue
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
