"""Applying transforms to the masks of one image, together.

Masks are bool, H x W, square, with a margin of what lies around the frame, so that a lung
which the frame cuts comes in whole when it is moved inwards. What lies beyond the margin is
taken to go on as it is at its edge. Lengths are in fractions of the frame's side. Everything
here gives the same result for the same input.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from scipy import ndimage, signal

from generation.conditioning.masks import (
    LESIONS,
    Mask,
    Masks,
    label_of,
    lungs_among,
    without_margin,
)
from generation.conditioning.plausibility import (
    ImplausibleMask,
    check,
    outside_share,
    parts_of,
)
from generation.conditioning.transforms import (
    GRID_POINTS,
    Affine,
    Elastic,
    Family,
    Interpolate,
    Mirror,
    Place,
    Thickness,
    Transform,
)
from generation.errors import RemediableError
from generation.specs import MaskKind

Others = Mapping[str, Mask]
"""Masks that may be interpolated to, by the SHA-256 of their files, with the same margin."""


def apply(
    transforms: Sequence[Transform], masks: Masks, *, margin: int = 0, others: Others | None = None
) -> dict[MaskKind, Mask]:
    """Transform all masks of an image, one transform after the other, and cut off the margin.

    Raises ``ImplausibleMask`` with the transform that went too far; every step is compared
    with the masks as they came in, so that small steps do not add up to a large one.
    """
    parents = framed(masks, margin)
    for kind, mask in parents.items():
        if not mask.any() or mask.all():
            what = "is empty" if not mask.any() else "covers the whole picture"
            raise ImplausibleMask("", f"the mask of {label_of(kind)} {what}")
    result = dict(masks)
    for transform in transforms:
        result = _apply_one(transform, result, margin=margin, others=others or {})
        check(transform.family, framed(result, margin), parents=parents)
    return framed(result, margin)


def framed(masks: Masks, margin: int) -> dict[MaskKind, Mask]:
    return {kind: without_margin(mask, margin) for kind, mask in masks.items()}


def _apply_one(
    transform: Transform, masks: Masks, *, margin: int, others: Others
) -> dict[MaskKind, Mask]:
    match transform:
        case Affine():
            return {kind: turn(mask, transform, margin=margin) for kind, mask in masks.items()}
        case Elastic():
            return {kind: bend(mask, transform, margin=margin) for kind, mask in masks.items()}
        case Thickness():
            mask = _mask_of(transform.kind, masks, family="thickness")
            distance_px = transform.distance * (len(mask) - 2 * margin)
            return {**masks, transform.kind: thicken(mask, distance_px=distance_px)}
        case Mirror():
            return mirror(masks)
        case Place():
            opacity = _mask_of("opacity", masks, family="place")
            lungs = _lungs_of(masks, family="place")
            return {**masks, "opacity": place(opacity, lungs, transform)}
        case Interpolate():
            mask = _mask_of(transform.kind, masks, family="interpolate")
            if transform.other not in others:
                raise ImplausibleMask("interpolate", f"mask {transform.other[:10]} is not at hand")
            between = interpolate(mask, others[transform.other], weight=transform.weight)
            return {**masks, transform.kind: between}


def _lungs_of(masks: Masks, *, family: Family) -> Mask:
    return _mask_of(lungs_among(masks) or "lungs", masks, family=family)


def _mask_of(kind: MaskKind, masks: Masks, *, family: Family) -> Mask:
    if kind not in masks:
        raise ImplausibleMask(family, f"there is no mask of {label_of(kind)}")
    return masks[kind]


def turn(mask: Mask, affine: Affine, *, margin: int = 0) -> Mask:
    return _hard(_turned(_soft(mask), affine, margin=margin))


def bend(mask: Mask, elastic: Elastic, *, margin: int = 0) -> Mask:
    return _hard(_bent(_soft(mask), elastic, margin=margin))


def move_picture(transforms: Sequence[Transform], picture: np.ndarray) -> np.ndarray:
    """Returns a grey picture (uint8, H x W) as the transforms of a whole picture move its masks."""
    values = picture.astype(np.float32)
    for transform in transforms:
        match transform:
            case Affine():
                values = _turned(values, transform, margin=0)
            case Elastic():
                values = _bent(values, transform, margin=0)
            case _:
                raise RemediableError(
                    f"the transform {transform.family!r} changes a mask and no picture",
                    remedy="Move pictures with the families affine and elastic.",
                )
    return values.round().clip(0, 255).astype(np.uint8)


def _turned(values: np.ndarray, affine: Affine, *, margin: int) -> np.ndarray:
    length = len(values)
    angle = math.radians(affine.angle_deg)
    # Rows are y, then x, y pointing down: a positive angle turns clockwise as seen.
    rotation = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    shape = np.array([[affine.scale_y, 0.0], [affine.shear, affine.scale_x]])
    back = np.linalg.inv(rotation @ shape)
    centre = np.full(2, (length - 1) / 2)
    shift = (length - 2 * margin) * np.array([affine.shift_y, affine.shift_x])
    offset = centre - back @ (centre + shift)
    moved: np.ndarray = ndimage.affine_transform(
        values, back, offset=offset, order=1, mode="nearest"
    )
    return moved


def _bent(values: np.ndarray, elastic: Elastic, *, margin: int) -> np.ndarray:
    length = len(values)
    side = length - 2 * margin
    even = (np.arange(length) - margin) * (GRID_POINTS - 1) / (side - 1)
    grid = np.stack(np.meshgrid(even, even, indexing="ij"))
    down, right = (
        ndimage.map_coordinates(np.array(points), grid, order=3, mode="nearest")
        for points in (elastic.down, elastic.right)
    )
    rows, columns = np.mgrid[:length, :length]
    sources = np.stack([rows - side * down, columns - side * right])
    moved: np.ndarray = ndimage.map_coordinates(values, sources, order=1, mode="nearest")
    return moved


def thicken(mask: Mask, *, distance_px: float) -> Mask:
    """Returns all within a distance of the mask; below 0, what lies deeper than that in it."""
    if distance_px >= 0:
        return np.asarray(ndimage.distance_transform_edt(~mask) <= distance_px)
    return np.asarray(ndimage.distance_transform_edt(mask) > -distance_px)


def signed_distance(mask: Mask) -> np.ndarray:
    """Returns the distance to the border in pixels, positive within; the mask has both values."""
    inside: np.ndarray = ndimage.distance_transform_edt(mask)
    outside: np.ndarray = ndimage.distance_transform_edt(~mask)
    return inside - outside


def interpolate(mask: Mask, other: Mask, *, weight: float) -> Mask:
    """Give the mask where the weighted mean of both signed distances is positive."""
    if not other.any() or other.all():
        raise ImplausibleMask("interpolate", "the other mask is empty or covers the whole picture")
    mean = (1 - weight) * signed_distance(mask) + weight * signed_distance(other)
    return np.asarray(mean > 0)


def mirror(masks: Masks) -> dict[MaskKind, Mask]:
    """Returns lesions of each lung in the other one: its bounding box mirrored onto the other's."""
    if "tube" in masks:
        raise ImplausibleMask("mirror", "the tube would stay on the side of the lesion")
    if not LESIONS & set(masks):
        raise ImplausibleMask("mirror", "there is no lesion to mirror")
    lungs = _lungs_of(masks, family="mirror")
    left, right = (box_of(lung) for lung in both_lungs(lungs, family="mirror"))
    rows, columns = np.mgrid[: len(lungs), : len(lungs)].astype(float)
    is_left = columns < (left[1].stop + right[1].start) / 2
    sources = np.where(
        is_left, _mirrored(rows, columns, left, right), _mirrored(rows, columns, right, left)
    )
    swapped = {
        kind: _hard(ndimage.map_coordinates(_soft(masks[kind]), sources, order=1, mode="constant"))
        for kind in masks
        if kind in LESIONS
    }
    return {**masks, **swapped}


Box = tuple[slice, slice]
"""Rows and columns."""


def _mirrored(rows: np.ndarray, columns: np.ndarray, here: Box, there: Box) -> np.ndarray:
    """Say where in ``there`` each pixel of ``here`` comes from, right and left exchanged."""
    height, width = ((part.stop - part.start) for part in here)
    down = (rows + 0.5 - here[0].start) / height
    across = 1 - (columns + 0.5 - here[1].start) / width
    return np.stack(
        [
            there[0].start + down * (there[0].stop - there[0].start) - 0.5,
            there[1].start + across * (there[1].stop - there[1].start) - 0.5,
        ]
    )


def place(opacity: Mask, lungs: Mask, where: Place) -> Mask:
    """Returns the opacity, unchanged, where it fits into the lung, next to the wanted point."""
    lung = both_lungs(lungs, family="place")[0 if where.side == "left" else 1]
    rows, columns = box_of(opacity)
    stamp = opacity[rows, columns]
    covered = signal.fftconvolve(lung.astype(float), stamp[::-1, ::-1].astype(float), mode="valid")
    needed = (1 - outside_share(opacity, lungs)) * stamp.sum()
    tops, lefts = np.nonzero(covered >= needed - 0.5)
    if not len(tops):
        raise ImplausibleMask("place", f"the opacity fits nowhere into the {where.side} lung")
    height, width = stamp.shape
    lung_rows, lung_columns = box_of(lung)
    wanted_y = lung_rows.start + where.down * (lung_rows.stop - lung_rows.start)
    wanted_x = lung_columns.start + where.across * (lung_columns.stop - lung_columns.start)
    away = (tops + height / 2 - wanted_y) ** 2 + (lefts + width / 2 - wanted_x) ** 2
    nearest = int(np.argmin(away))
    moved = np.zeros_like(opacity)
    top, left = int(tops[nearest]), int(lefts[nearest])
    moved[top : top + height, left : left + width] = stamp
    return moved


def both_lungs(lungs: Mask, *, family: Literal["mirror", "place"]) -> tuple[Mask, Mask]:
    """Returns the lungs on the left and on the right of the picture."""
    parts = parts_of(lungs)
    if len(parts) < 2:
        raise ImplausibleMask(family, "the mask of lungs does not show two")
    first, second = parts[:2]
    if box_of(first)[1].start > box_of(second)[1].start:
        first, second = second, first
    return first, second


def box_of(mask: Mask) -> Box:
    """Returns the bounding box of a mask that is not empty."""
    rows, columns = ndimage.find_objects(mask.astype(np.uint8))[0]
    return rows, columns


def _soft(mask: Mask) -> np.ndarray:
    return mask.astype(np.float32)


def _hard(soft: np.ndarray) -> Mask:
    return soft >= 0.5
