"""Rad-ReStruct: structured questions on Open-I's reports, asked of pictures and of texts.

``train.jsonl.gz``, ``val.jsonl.gz`` and ``test.jsonl.gz``: one report a line, each question with
its answers, its options and its place in the tree of questions. The splits are by report, which
is Open-I's patient, and hold for Open-I too.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generation.datasets.openi import read_reports
from generation.datasets.parsed import Skip, require_folder
from generation.errors import RemediableError
from generation.vlm.instructions.families.question_answering import ask
from generation.vlm.instructions.records import Draft, Exam, Picture
from generation.vlm.instructions.sources import openi
from generation.vlm.instructions.sources.common import SPLITS, Folders

NAME = "rad_restruct"
FILES = ("train", "val", "test")
YES = "yes"
YES_OR_NO = {YES, "no"}


@dataclass(frozen=True, kw_only=True)
class Item:
    """A question with its answers, what could be answered, and its place in the tree."""

    question: str
    answers: tuple[str, ...]
    options: tuple[str, ...]
    place: str

    @property
    def is_yes_or_no(self) -> bool:
        return set(self.options) == YES_OR_NO


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """Questions of a report; those on its text need Open-I's folder, where the reports are."""
    pictures = openi.find_pictures(folders)
    texts, images = {}, {}
    for report in read_reports(folders[openi.NAME]):
        if isinstance(report, Skip):
            yield report
            continue
        number = openi.key_of(report)
        texts[number] = text_of(report.sections)
        images[number] = tuple(pictures[image] for image in report.images if image in pictures)
    for part in FILES:
        for number, items in read_part(folders[NAME], part):
            if number not in texts:
                yield Skip(file=number, reason="is a report that Open-I's folder does not have")
                continue
            asked = list(_drafts(items, report=texts[number], pictures=images[number]))
            if not asked:
                yield Skip(file=number, reason="is a report without findings and impression")
                continue
            yield Exam(
                source=NAME,
                key=number,
                patient=f"{openi.NAME}:{number}",
                given_split=SPLITS[part],
                is_secondary=True,
                pictures=images[number],
                asked=tuple(asked),
            )


def read_part(folder: Path, part: str) -> Iterator[tuple[str, tuple[Item, ...]]]:
    """Yields the questions of each report of a split, by the report's number."""
    path = require_folder(folder) / f"{part}.jsonl.gz"
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield row["report"], tuple(
                    Item(question=question, answers=tuple(answers), options=tuple(options),
                         place=place)
                    for question, answers, options, place in row["qa"]
                )  # fmt: skip
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise RemediableError(
            f"{path} is not a file of Rad-ReStruct: {error}",
            remedy="Fetch it again; its lines hold a report's number and its questions.",
        ) from error


def text_of(sections: dict[str, str]) -> str:
    """Returns what a report says of the pictures: findings and impression."""
    return " ".join(sections[name] for name in ("FINDINGS", "IMPRESSION") if name in sections)


def _drafts(
    items: tuple[Item, ...], *, report: str, pictures: tuple[Picture, ...]
) -> Iterator[Draft]:
    """Yields each question, with that which it follows, of the text and of any pictures."""
    parent = ""
    for number, item in enumerate(items):
        if item.is_yes_or_no:
            question, parent = item.question, item.question
            # A second opacity is another question than whether there is any.
            balanced = item.place if "another" not in question else f"{item.place} again"
        else:
            question, balanced = f"{parent} Yes. {item.question}", ""
        if len(item.options) < 2:
            continue
        options = item.options if len(item.answers) == 1 and not item.is_yes_or_no else ()
        answer = ", ".join(item.answers)
        if report:
            yield ask(question, answer, key=f"text {number}", options=options, report=report,
                      balanced=balanced)  # fmt: skip
        if pictures:
            yield ask(question, answer, key=f"picture {number}", options=options,
                      pictures=pictures[:2], balanced=balanced)  # fmt: skip
