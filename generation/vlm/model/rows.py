"""Instructions as a VLM learns them: what is asked of which picture, and what is to be said."""

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.conditioning.findings import NORMAL
from generation.conditioning.prompts import OPENING
from generation.errors import RemediableError
from generation.specs import Split

CAPTION = "image captioning"
CAPTION_QUESTIONS = (
    "Describe this chest X-ray in a caption.",
    "Write a caption for this radiograph.",
    "Caption this picture.",
)
VIEW, SEX, AGE = "view classification", "sex classification", "age classification"
BINARY, CLASSIFY = "binary disease classification", "image classification"
YES_OR_NO = ("yes", "no")


@dataclass(frozen=True, kw_only=True)
class Row:
    """``options`` are all answers that there could be, where they are few; else empty."""

    id: str
    source: str
    task: str
    patient: str
    images: tuple[str, ...]
    stem: str
    answer: str
    options: tuple[str, ...] = ()


def read_rows(instructions: Path, split: Split) -> list[Row]:
    """Returns all instructions of a split, and a caption of each picture of which enough is
    known.
    """
    rows = [_row(content) for path in sorted((instructions / split).glob("*.jsonl"))
            for content in _lines(path)]  # fmt: skip
    if not rows and split == "train":
        raise RemediableError(
            f"{instructions} holds no instructions to train on.",
            remedy="Build them with manage.py build_instructions.",
        )
    return [*rows, *captions(rows)]


def captions(rows: Sequence[Row]) -> list[Row]:
    """Returns what is known of each picture as a caption: ``chest x-ray, pneumonia, PA view,
    female``.
    """
    by_picture: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if row.task in {VIEW, SEX, AGE, CLASSIFY} and len(row.images) == 1:
            by_picture[row.images[0]][row.task] = row
    return [
        Row(
            id=f"{picture}/{CAPTION}",
            source=next(iter(known.values())).source,
            task=CAPTION,
            patient=next(iter(known.values())).patient,
            images=(picture,),
            stem=random.Random(picture).choice(CAPTION_QUESTIONS),
            answer=caption_of({task: row.answer for task, row in known.items()}),
        )
        for picture, known in sorted(by_picture.items())
        if len(known) > 1
    ]


def caption_of(known: Mapping[str, str]) -> str:
    """Put answers by task in the order and the words of prompts."""
    parts = [OPENING, known.get(CLASSIFY, ""), known.get(SEX, ""), known.get(AGE, "")]
    if VIEW in known:
        parts.insert(2, f"{known[VIEW]} view")
    return ", ".join(part for part in parts if part)


def statements(rows: Sequence[Row]) -> dict[str, dict[str, bool]]:
    """Returns, by picture, short phrases that are known to be true or false of it."""
    said: dict[str, dict[str, bool]] = defaultdict(dict)
    for row in rows:
        if len(row.images) != 1:
            continue
        known = said[row.images[0]]
        if row.task in {VIEW, SEX, AGE}:
            subject = row.task.split()[0]
            known |= {f"{subject} {option}": option == row.answer for option in row.options}
        elif row.task == BINARY:
            known[row.id.rsplit("/", 1)[1]] = row.answer == "yes"
        elif row.task == CLASSIFY:
            known |= dict.fromkeys(row.answer.split(", "), True)
            known[NORMAL] = row.answer == NORMAL
    return {picture: known for picture, known in said.items() if known}


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _row(content: Mapping[str, Any]) -> Row:
    options = tuple(content["options"])
    answer = options[content["option"]] if options else content["answer"]
    return Row(
        id=content["id"],
        source=content["source"],
        task=content["task"],
        patient=content["patient"],
        images=tuple(content["images"]),
        stem=content["stem"],
        answer=answer,
        options=YES_OR_NO if answer in YES_OR_NO else options,
    )
