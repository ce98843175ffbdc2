"""Exams that somebody has written out as JSON lines: of a cohort, or of what readers said.

A folder holds ``source.json`` with title and licence, ``exams.jsonl``, and pictures by names that
are relative to it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from generation.datasets.parsed import Skip
from generation.errors import RemediableError
from generation.vlm.instructions.records import Exam, Picture
from generation.vlm.instructions.sources.common import Folders

FACTS, EXAMS = "source.json", "exams.jsonl"
_line = TypeAdapter(Exam)


@dataclass(frozen=True, kw_only=True)
class WrittenFacts:
    """``may_ship``: weights that learnt from it may be given away."""

    title: str
    licence: str
    may_ship: bool = False


def is_written(folder: Path) -> bool:
    return (folder / FACTS).is_file() and (folder / EXAMS).is_file()


def read_facts(folder: Path) -> WrittenFacts:
    return WrittenFacts(**json.loads((folder / FACTS).read_text(encoding="utf-8")))


def read(folders: Folders, *, name: str) -> Iterator[Exam | Skip]:
    folder = folders[name]
    with (folder / EXAMS).open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                exam = _line.validate_json(line)
            except ValidationError as error:
                raise RemediableError(
                    f"{folder / EXAMS}, line {number} is no exam: {error}",
                    remedy="Have the source written out again.",
                ) from error
            yield _placed(exam, folder)


def write(folder: Path, facts: WrittenFacts, exams: Iterable[Exam]) -> None:
    """Write a source; the paths of pictures are relative to its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / EXAMS).open("wb") as file:
        for exam in exams:
            file.write(_line.dump_json(exam, exclude_defaults=True) + b"\n")
    told = {"title": facts.title, "licence": facts.licence, "may_ship": facts.may_ship}
    (folder / FACTS).write_text(json.dumps(told, ensure_ascii=False) + "\n", encoding="utf-8")


def _placed(exam: Exam, folder: Path) -> Exam:
    """Returns the exam with the whole paths of its pictures, in its questions and comparisons
    too.
    """

    def placed(pictures: Iterable[Picture]) -> tuple[Picture, ...]:
        return tuple(replace(picture, path=folder / picture.path) for picture in pictures)

    return replace(
        exam,
        pictures=placed(exam.pictures),
        asked=tuple(replace(draft, pictures=placed(draft.pictures)) for draft in exam.asked),
    )
