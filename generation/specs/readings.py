"""What readers said of images: one line of a snapshot each."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from generation.specs.images import MaskKind
from generation.specs.strict import STRICT

Axis = Literal["text", "mask"]
AXES: tuple[Axis, ...] = get_args(Axis)
Score = Annotated[float, Field(ge=0, le=5)]
Propensity = Annotated[float, Field(gt=0, le=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Corner = tuple[Fraction, Fraction]
MarkGrade = Literal["minor", "major"]


@dataclass(frozen=True, kw_only=True, order=True, config=STRICT)
class Mark:
    """A mark is a region of an image in which a reader flagged an artefact.

    With the source ``comment`` the reader named it in a comment, and a person marked the place.
    ``flag`` is the artefact's slug; ``corners`` are those of the region in order, (x, y) as
    fractions of the image's width and height from its top left corner.
    """

    flag: str
    grade: MarkGrade
    corners: Annotated[tuple[Corner, ...], Field(min_length=3)]
    source: Literal["", "comment"] = ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Preference:
    """A preference is a pair from one reader and one case (one line of JSON lines).

    Scores are means over the study's criteria, on the 0-5 scale. ``axes`` has, where a
    reader was asked about more than one, the winner's and the loser's score on each; on
    one of them the loser may be the better one. ``masks`` are the files, by kind, of those
    that both were conditioned on; with masks and no prompt they were made in mode m2i. Where the
    case was drawn, ``propensity`` is how likely it was to be, and ``uniform_propensity`` how
    likely it would have been by lot. Marks are those that the reader made on the two images.
    """

    winner: str
    loser: str
    prompt: str = ""
    winner_score: float = Field(ge=0, le=5)
    loser_score: float = Field(ge=0, le=5)
    reliability: float = Field(default=1.0, ge=0, le=1)
    axes: dict[Axis, tuple[Score, Score]] = Field(default_factory=dict)
    masks: dict[MaskKind, str] = Field(default_factory=dict)
    propensity: Propensity | None = None
    uniform_propensity: Propensity | None = None
    winner_marks: tuple[Mark, ...] = ()
    loser_marks: tuple[Mark, ...] = ()

    @model_validator(mode="after")
    def _winner_scores_higher(self) -> Self:
        if self.winner_score <= self.loser_score:
            raise ValueError("the winner of a pair must have the higher score")
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Rating:
    """A rating is what one reader said of one image (one line of JSON lines).

    ``scores`` are means over the criteria of an axis, 0 to 5, where there are any;
    ``is_accepted`` is what the reader said outright, None where nothing was said. Prompt,
    ``masks``, propensities and marks are as in a preference.
    """

    image: str
    prompt: str = ""
    scores: dict[Axis, Score] = Field(default_factory=dict)
    is_accepted: bool | None = None
    reliability: float = Field(default=1.0, ge=0, le=1)
    masks: dict[MaskKind, str] = Field(default_factory=dict)
    propensity: Propensity | None = None
    uniform_propensity: Propensity | None = None
    marks: tuple[Mark, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.scores and self.is_accepted is None:
            raise ValueError("a rating has a score or a verdict")
        return self
