"""What a reader submits, in the terms of the page: places, slugs and served pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from feedback_app.readings.framing import Point


@dataclass(frozen=True)
class GivenScore:
    """``place`` counts the images as the slot shows them, from 0."""

    place: int
    criterion: str
    value: int


@dataclass(frozen=True)
class GivenChoice:
    """``place`` and ``strength`` belong to the verdict "better" alone."""

    criterion: str
    verdict: str
    place: int | None = None
    strength: int | None = None


@dataclass(frozen=True)
class GivenRegion:
    """``points`` are [x, y] in pixels of the picture as it was served."""

    shape: str
    points: Sequence[Point]


@dataclass(frozen=True)
class GivenFlag:
    place: int
    flag: str
    grade: str
    regions: Sequence[GivenRegion] = ()


@dataclass(frozen=True)
class GivenReport:
    """``is_accepted`` says of a draft that it is to stay as it is."""

    text: str
    reasons: Sequence[str] = ()
    is_accepted: bool = False


@dataclass(frozen=True)
class GivenPreference:
    """``points`` above 0 are for the right report, below 0 for the left one."""

    criterion: str
    points: int


@dataclass(frozen=True, kw_only=True)
class GivenReading:
    scores: Sequence[GivenScore] = ()
    choices: Sequence[GivenChoice] = ()
    flags: Sequence[GivenFlag] = ()
    report: GivenReport | None = None
    preferences: Sequence[GivenPreference] = ()
    comment: str = ""
    skip_reason: str = ""
    none_acceptable: bool = False
    active_ms: int = 0
    display: Mapping[str, Any] = field(default_factory=dict)
