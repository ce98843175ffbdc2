"""A study's guideline: plain text of headings, paragraphs and lists, and its examples."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from feedback_app.studies.models import GuidelineExample, Study, questions_of
from feedback_app.studies.modes import mode_of


@dataclass(frozen=True)
class Block:
    """A line of a guideline as it is set; ``text`` is shown as it is, whatever it holds."""

    kind: Literal["heading", "item", "paragraph"]
    text: str


@dataclass(frozen=True)
class Example:
    pk: int
    about: str
    note: str


def blocks_of(text: str) -> list[Block]:
    """``# `` begins a heading, ``- `` an item of a list; empty lines part paragraphs."""
    blocks: list[Block] = []
    goes_on = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("#"):
            blocks.append(Block("heading", line.lstrip("# ")))
        elif line.startswith(("- ", "* ")):
            blocks.append(Block("item", line[2:].strip()))
        elif line and goes_on:
            blocks[-1] = Block("paragraph", f"{blocks[-1].text} {line}")
        elif line:
            blocks.append(Block("paragraph", line))
        goes_on = bool(line) and blocks[-1].kind == "paragraph"
    return blocks


def examples_of(study: Study, *, in_all_phases: bool = True) -> Iterator[Example]:
    """Yields them in the order of the questions and flags; else of the first phase alone."""
    rows = list(study.examples.all())
    asked = questions_of(study)
    mode = mode_of(study.mode)
    kind = None if in_all_phases else mode.asked_in(mode.phases(study)[0])
    for criterion in asked.criteria:
        for score, anchor in enumerate(criterion.anchors):
            about = f"{criterion.name}, {score}: {anchor}"
            if kind in (None, criterion.kind):
                yield from _about(rows, about, criterion=criterion.slug, value=score)
    for flag in asked.flag_kinds:
        yield from _about(rows, flag.name, flag=flag.slug)


def describe(study: Study, *, in_all_phases: bool) -> dict[str, Any]:
    """Returns the guideline as the reading page shows it; pictures are added where they are
    served.
    """
    return {
        "study": study.name,
        "fixed": study.opened_at.strftime("%-d %B %Y") if study.opened_at else "",
        "blocks": [asdict(block) for block in blocks_of(study.guideline)],
        "examples": [
            asdict(example) for example in examples_of(study, in_all_phases=in_all_phases)
        ],
    }


def _about(
    rows: Sequence[GuidelineExample],
    about: str,
    *,
    criterion: str = "",
    value: int | None = None,
    flag: str = "",
) -> Iterator[Example]:
    for row in rows:
        if (row.criterion, row.value, row.flag) == (criterion, value, flag):
            yield Example(pk=row.pk, about=about, note=row.note)
