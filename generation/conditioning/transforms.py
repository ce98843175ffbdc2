"""Geometric transforms of masks as specs: bounded, drawn by seed, written out in full.

A recipe's transforms are a list of these in JSON; nothing else is needed to repeat them but
the masks themselves. Lengths are in fractions of the picture's side, y points down, angles
are counted clockwise as seen.
"""

import random
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic.dataclasses import dataclass

from generation.conditioning.masks import ANATOMY, LESIONS, MASK_KINDS, label_of
from generation.errors import RemediableError
from generation.specs import MaskKind

Family = Literal["affine", "elastic", "thickness", "mirror", "place", "interpolate"]
FAMILIES: tuple[Family, ...] = get_args(Family)
"""In the order in which the transforms of one variant are applied."""
FAMILY_LABELS: dict[Family, str] = {
    "affine": "Turn, scale and shift",
    "elastic": "Bend",
    "thickness": "Thicken or thin",
    "mirror": "Lesion into the other lung",
    "place": "Opacity elsewhere in the lungs",
    "interpolate": "Towards another mask",
}

MAX_ANGLE_DEG = 7.0
MAX_GROWTH = 0.1
MAX_SHIFT = 0.04
MAX_SHEAR = 0.06
DRAWN = 0.75
"""The share of these bounds that is drawn from; all of them at once would move too much."""
GRID_POINTS = 4
MAX_BEND = 0.03
"""Neighbouring points of the grid lie a third apart, so bending by this never folds."""
MAX_THICKNESS = 0.02
MIN_THICKNESS = 0.008
"""No distance that is drawn is smaller: it is a pixel of a picture of 128."""
DECIMALS = 4

LUNGS: tuple[MaskKind, ...] = ("lungs",)

_CONFIG = ConfigDict(extra="forbid")
Displacement = Annotated[float, Field(ge=-MAX_BEND, le=MAX_BEND)]
Grid = tuple[tuple[Displacement, ...], ...]
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Affine:
    """Turn, scale and shear about the picture's centre, then shift; all masks together."""

    family: Literal["affine"] = "affine"
    angle_deg: float = Field(default=0, ge=-MAX_ANGLE_DEG, le=MAX_ANGLE_DEG)
    scale_x: float = Field(default=1, ge=1 - MAX_GROWTH, le=1 + MAX_GROWTH)
    scale_y: float = Field(default=1, ge=1 - MAX_GROWTH, le=1 + MAX_GROWTH)
    shear: float = Field(default=0, ge=-MAX_SHEAR, le=MAX_SHEAR)
    shift_x: float = Field(default=0, ge=-MAX_SHIFT, le=MAX_SHIFT)
    shift_y: float = Field(default=0, ge=-MAX_SHIFT, le=MAX_SHIFT)


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Elastic:
    """It is a smooth displacement of all masks together, given at points of an even grid."""

    right: Grid
    down: Grid
    family: Literal["elastic"] = "elastic"

    @field_validator("right", "down")
    @classmethod
    def _is_whole(cls, grid: Grid) -> Grid:
        if [len(row) for row in grid] != [GRID_POINTS] * GRID_POINTS:
            raise ValueError(f"the grid has to be of {GRID_POINTS} x {GRID_POINTS} points")
        return grid


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Thickness:
    """Dilate (above 0) or erode (below 0) one kind by a distance."""

    kind: MaskKind
    distance: float = Field(ge=-MAX_THICKNESS, le=MAX_THICKNESS)
    family: Literal["thickness"] = "thickness"


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Mirror:
    """Put lesions of each lung into the other one, mirrored; anatomy stays as it is."""

    family: Literal["mirror"] = "mirror"


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Place:
    """Move opacities, unchanged, to where they fit into a lung.

    ``side`` is that of the picture; ``across`` and ``down`` say where in the lung's bounding
    box: the place that fits next to that point is taken.
    """

    side: Literal["left", "right"]
    across: Share
    down: Share
    family: Literal["place"] = "place"


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Interpolate:
    """Go some of the way to another mask of one kind, named by the SHA-256 of its file."""

    kind: MaskKind
    other: str = Field(pattern=r"^[0-9a-f]{64}$")
    weight: float = Field(gt=0, lt=1)
    family: Literal["interpolate"] = "interpolate"


Transform = Annotated[
    Affine | Elastic | Thickness | Mirror | Place | Interpolate, Field(discriminator="family")
]
_LIST: TypeAdapter[tuple[Transform, ...]] = TypeAdapter(tuple[Transform, ...])


def dump(transforms: Sequence[Transform]) -> list[dict[str, Any]]:
    """Give the transforms as JSON can hold them."""
    dumped: list[dict[str, Any]] = _LIST.dump_python(tuple(transforms), mode="json")
    return dumped


def load(content: object) -> tuple[Transform, ...]:
    """Read what ``dump`` wrote; a RemediableError names what is out of bounds."""
    try:
        return (
            _LIST.validate_json(content)
            if isinstance(content, str)
            else _LIST.validate_python(content)
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise RemediableError(
            f"The mask transform {place} cannot be used: {first['msg']}.",
            remedy=f"Its family must be one of {', '.join(FAMILIES)}, within the family's bounds.",
        ) from error


def as_family(name: str) -> Family:
    for family in FAMILIES:
        if family == name:
            return family
    raise RemediableError(
        f"There is no family of transforms {name!r}.", remedy=f"Use: {', '.join(FAMILIES)}."
    )


def draw(
    family: Family,
    seed: int,
    *,
    kinds: Collection[MaskKind] = LUNGS,
    others: Sequence[tuple[MaskKind, str]] = (),
) -> Transform:
    """Returns a transform of this family with its parameters written out; the same for the same
    seed.

    ``kinds`` are those of the masks it is for; ``others`` the kinds and hashes of masks that
    may be interpolated to. A RemediableError says what the family lacks.
    """
    chance = random.Random(f"{family}:{seed}")

    def within(limit: float, middle: float = 0.0) -> float:
        return round(chance.uniform(middle - limit, middle + limit), DECIMALS)

    def grid() -> Grid:
        points = range(GRID_POINTS)
        return tuple(tuple(within(MAX_BEND) for _ in points) for _ in points)

    match family:
        case "affine":
            size = within(0.5 * MAX_GROWTH, 1)
            stretch = within(0.25 * MAX_GROWTH)
            return Affine(
                angle_deg=within(DRAWN * MAX_ANGLE_DEG),
                scale_x=round(size + stretch, DECIMALS),
                scale_y=round(size - stretch, DECIMALS),
                shear=within(DRAWN * MAX_SHEAR),
                shift_x=within(DRAWN * MAX_SHIFT),
                shift_y=within(DRAWN * MAX_SHIFT),
            )
        case "elastic":
            return Elastic(right=grid(), down=grid())
        case "thickness":
            lesions = [kind for kind in MASK_KINDS if kind in LESIONS and kind in kinds]
            kind = chance.choice(lesions or [kind for kind in MASK_KINDS if kind in kinds])
            distance = round(chance.uniform(MIN_THICKNESS, MAX_THICKNESS), DECIMALS)
            return Thickness(kind=kind, distance=chance.choice((distance, -distance)))
        case "mirror":
            _require(LESIONS & set(kinds), family, "there is no lesion among the masks")
            return Mirror()
        case "place":
            _require("opacity" in kinds, family, "there is no opacity among the masks")
            side: Literal["left", "right"] = chance.choice(("left", "right"))
            across, down = (round(chance.random(), DECIMALS) for _ in range(2))
            return Place(side=side, across=across, down=down)
        case "interpolate":
            fitting = [pair for pair in others if pair[0] in ANATOMY & set(kinds)]
            _require(fitting, family, "there is no other mask of lungs or heart to go towards")
            kind, other = chance.choice(fitting)
            weight = round(chance.uniform(0.2, 0.8), DECIMALS)
            return Interpolate(kind=kind, other=other, weight=weight)


def _require(condition: object, family: Family, reason: str) -> None:
    if not condition:
        raise RemediableError(
            f"The family {family!r} cannot be used: {reason}.",
            remedy="Leave the family out, or choose masks of other kinds.",
        )


def in_words(transform: Transform) -> str:
    """Say for people what it does: ``turned 3.1° clockwise, 4 % wider``."""
    match transform:
        case Affine():
            return ", ".join(_affine_words(transform)) or "unchanged"
        case Elastic():
            grids = (transform.right, transform.down)
            most = max(abs(value) for grid in grids for row in grid for value in row)
            return f"bent by up to {_percent(most)}"
        case Thickness():
            how = "thicker" if transform.distance > 0 else "thinner"
            return f"{label_of(transform.kind)} {how} by {_percent(transform.distance)}"
        case Mirror():
            return "lesions mirrored into the other lung"
        case Place():
            return (
                f"opacity moved into the lung on the {transform.side} of the picture, "
                f"{_percent(transform.across)} across and {_percent(transform.down)} down"
            )
        case Interpolate():
            return (
                f"{label_of(transform.kind)} {_percent(transform.weight)} of the way "
                f"to mask {transform.other[:10]}"
            )


def _affine_words(affine: Affine) -> list[str]:
    def changed(value: float, more: str, less: str) -> str:
        return f"{_percent(value)} {more if value > 0 else less}" if round(100 * value, 1) else ""

    turn = "clockwise" if affine.angle_deg > 0 else "anticlockwise"
    parts = [
        f"turned {abs(affine.angle_deg):.1f}° {turn}" if round(affine.angle_deg, 1) else "",
        changed(affine.scale_x - 1, "wider", "narrower"),
        changed(affine.scale_y - 1, "higher", "lower"),
        f"sheared by {_percent(affine.shear)}" if round(100 * affine.shear, 1) else "",
        changed(affine.shift_x, "to the right", "to the left"),
        changed(affine.shift_y, "down", "up"),
    ]
    return [part for part in parts if part]


def _percent(share: float) -> str:
    return f"{abs(100 * share):.1f}".removesuffix(".0") + " %"
