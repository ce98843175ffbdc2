"""Rad-ReStruct's answers on Open-I's reports, as the learned parser is taught and measured by."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generation.datasets.openi import read_reports
from generation.datasets.parsed import Skip
from generation.vlm.instructions.sources.openi import key_of
from generation.vlm.instructions.sources.rad_restruct import YES, Item, read_part, text_of

LEAF_PARTS = 3
"""``lung_signs_opacity``: organ, kind and leaf; what is shorter asks for a whole branch."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A yes-or-no question on a leaf; ``is_another`` asks for a second one of it."""

    report: str
    leaf: str
    is_yes: bool
    is_another: bool


def read_texts(openi: Path) -> dict[str, str]:
    """Findings and impression of every report, by its number."""
    return {
        key_of(report): text_of(report.sections)
        for report in read_reports(openi)
        if not isinstance(report, Skip)  # one that is damaged answers nothing
    }


def read_leaves(rad_restruct: Path, part: str) -> Iterator[Asked]:
    for report, items in read_part(rad_restruct, part):
        yield from (
            Asked(
                report=report,
                leaf=item.place,
                is_yes=item.answers == (YES,),
                is_another="another" in item.question,
            )
            for item in items
            if is_leaf(item)
        )


def read_answers(rad_restruct: Path, part: str) -> dict[str, set[str]]:
    """Returns the leaves that each report of a part answers with yes; none for most reports."""
    answers: dict[str, set[str]] = {number: set() for number, _ in read_part(rad_restruct, part)}
    for asked in read_leaves(rad_restruct, part):
        if asked.is_yes:
            answers[asked.report].add(asked.leaf)
    return answers


def is_leaf(item: Item) -> bool:
    return item.is_yes_or_no and item.place.count("_") >= LEAF_PARTS - 1
