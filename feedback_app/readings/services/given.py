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


@dataclass(frozen=True, kw_only=True)
class GivenReading:
    scores: Sequence[GivenScore] = ()
    choices: Sequence[GivenChoice] = ()
    flags: Sequence[GivenFlag] = ()
    comment: str = ""
    skip_reason: str = ""
    none_acceptable: bool = False
    active_ms: int = 0
    display: Mapping[str, Any] = field(default_factory=dict)
