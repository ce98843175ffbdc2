"""Kermany: pneumonia of children, bacterial or viral, from Guangzhou."""

from collections.abc import Iterator
from pathlib import Path

from generation.datasets.parsed import Skip
from generation.datasets.tables import Row, find_table
from generation.vlm.instructions.families.question_answering import ask
from generation.vlm.instructions.records import Draft, Exam, Picture
from generation.vlm.instructions.sources.common import Folders, exams_of_rows, picture_at

NAME = "kermany"
TABLE, COLUMNS = "labels.csv", ("file", "patient", "pneumonia", "kind")
FINDING = "pneumonia"
KINDS = {"bacteria": "bacterial", "virus": "viral"}
QUESTION = "Is the pneumonia of this child bacterial or viral?"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    folder = folders[NAME]

    def exam_of(row: Row, path: Path) -> Exam:
        is_ill = row["pneumonia"].strip() == "1"
        picture = picture_at(NAME, folder, path)
        return Exam(
            source=NAME,
            key=row["file"],
            patient=f"{NAME}:{row['patient']}",
            pictures=(picture,),
            present=(FINDING,) if is_ill else (),
            absent=() if is_ill else (FINDING,),
            is_normal=not is_ill,
            asked=_which_kind(row["kind"].strip(), picture),
        )

    return exams_of_rows(
        find_table(folder, TABLE), folder / "images", columns=COLUMNS, exam_of=exam_of
    )


def _which_kind(kind: str, picture: Picture) -> tuple[Draft, ...]:
    if kind not in KINDS:
        return ()
    options = tuple(KINDS.values())
    return (ask(QUESTION, KINDS[kind], key="kind", options=options, pictures=(picture,)),)
