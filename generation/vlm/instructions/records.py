"""An instruction: one record of a VLM's training data, and what it is drafted from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generation.conditioning.findings import NORMAL
from generation.specs import Split

Read = Callable[[Path], bytes]
"""Gives what a picture's file holds, wherever it lies."""
SCALE = 100
"""Boxes are whole numbers from 0 to this, across and down."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """``name`` is the source's name and the path in its folder, as ``nih/images/a.png``."""

    name: str
    path: Path
    view: str = ""


@dataclass(frozen=True, kw_only=True)
class Region:
    """A labelled rectangle in whole percent of the picture, its origin at the top left.

    ``task`` is the question that it answers; ``phrase`` is what a report says of it.
    """

    label: str
    box: tuple[int, int, int, int]
    task: str = "abnormality grounding"
    phrase: str = ""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A question before it is worded: ``words`` fill the places of the task's templates.

    Where there are ``options`` the answer is one of them; ``may_omit`` says that it can also
    be asked without listing them. ``key`` tells drafts of one task and exam apart.
    ``balanced`` names a yes-or-no question that a source asks of many exams, of which as many
    with the answer no are kept as with yes.
    """

    task: str
    answer: str
    words: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    may_omit: bool = False
    pictures: tuple[Picture, ...] = ()
    regions: tuple[Region, ...] = ()
    key: str = ""
    balanced: str = ""


@dataclass(frozen=True, kw_only=True)
class Exam:
    """What a source says of one examination: its pictures, labels, regions and texts.

    ``patient`` has its source before a colon. ``given_split`` is that of a source whose own
    splits are by patient. A finding in neither ``present`` nor ``absent`` is not known.
    ``searched`` are the localisation tasks of which ``regions`` hold all there is, none
    included. ``organs`` are the parts of structured sections, ``asked`` the source's own
    questions. ``is_secondary`` where the pictures are another source's, which asks what
    they show.
    """

    source: str
    key: str
    patient: str
    given_split: Split | None = None
    pictures: tuple[Picture, ...] = ()
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    is_normal: bool = False
    sex: str = ""
    age_years: int | None = None
    regions: tuple[Region, ...] = ()
    searched: tuple[str, ...] = ()
    sections: Mapping[str, str] = field(default_factory=dict)
    organs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    previous: "Exam | None" = None
    is_secondary: bool = False
    asked: tuple[Draft, ...] = ()

    @property
    def labelling(self) -> str:
        """All findings, or that there is none; empty where the source says neither."""
        return ", ".join(self.present) or (NORMAL if self.is_normal else "")


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One line of the data: ``question`` as it is asked, with any options listed in it.

    ``stem`` is the question without them; ``options`` stand in the order listed, and
    ``option`` is the right one's place, -1 where there are none. ``patient`` is opaque and
    the same for everybody whose pictures are shared.
    """

    id: str
    source: str
    family: str
    task: str
    split: Split
    patient: str
    images: tuple[str, ...]
    question: str
    answer: str
    stem: str
    options: tuple[str, ...]
    option: int
    boxes: tuple[tuple[int, int, int, int], ...]
    labels: tuple[str, ...]

    def as_row(self) -> dict[str, Any]:
        return dict(vars(self))


def whole_box(x: float, y: float, width: float, height: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom in whole percent, at least one wide, from fractions."""
    left, right = _span(x, x + width)
    top, bottom = _span(y, y + height)
    return left, top, right, bottom


def box_text(box: tuple[int, int, int, int]) -> str:
    """``[12, 30, 45, 60]``: left, top, right, bottom."""
    return f"[{', '.join(map(str, box))}]"


def _span(start: float, end: float) -> tuple[int, int]:
    first, last = (min(SCALE, max(0, round(SCALE * place))) for place in (start, end))
    if first < last:
        return first, last
    first = min(first, SCALE - 1)
    return first, first + 1
