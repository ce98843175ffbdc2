"""The shape that a picture of a mask shows: by its grey levels, or by what is transparent."""

import numpy as np
import PIL.Image
from scipy import ndimage

from generation.errors import RemediableError

GREY_MODES = frozenset({"1", "L", "I", "I;16", "I;16B", "I;16L"})
MOST = 0.5
Levels = np.ndarray
"""H x W, from 0."""
END = 0.1
"""Levels so near to zero, or to the brightest, as a share of that, are the mask's two values."""
EDGE_PX, EDGE_SHARE = 3, 1 / 64
"""A smooth edge reaches no further than this, or than this share of the shorter side."""
SHARE_APART = 0.02
"""Pixels of another colour are another structure, unless they are so few."""
MOST_BETWEEN = 0.2
"""A picture with a larger share of levels between is no mask with smooth edges."""


def shape_of(picture: PIL.Image.Image) -> np.ndarray:
    """Returns the mask H x W of bool; a picture that shows none, or two, is refused.

    A mask has two values, zero and another. Where its colour is the same everywhere and its
    transparency is not, programs that draw on layers have put the shape there.
    """
    grey, alpha = grey_of(picture), alpha_of(picture)
    if alpha is None or len(np.unique(alpha)) == 1:
        return binary(grey)
    opaque = binary(alpha, what="degrees of transparency")
    if len(np.unique(grey[opaque])) <= 1 and len(np.unique(grey)) <= 1:
        return opaque
    drawn = two_valued(grey)
    if drawn is None:  # what is transparent may hide any colour
        inside = np.unique(grey[opaque])
        if len(inside) == 1:
            return opaque
        drawn = binary(np.where(opaque, grey, 0))
    if (drawn == opaque).all() or (drawn == ~opaque).all():
        return drawn
    raise RemediableError(
        "shows one shape in its colours and another in its transparency",
        remedy="Save the mask with two grey values and without transparency.",
    )


def hardened(picture: PIL.Image.Image) -> tuple[PIL.Image.Image, bool]:
    """Returns the picture with smooth edges cut at half of its brightest value, and whether it had
    any.

    Levels between may only lie along edges: a third label, or a picture, is left as it is.
    """
    if alpha_of(picture) is not None:
        return picture, False
    grey = grey_of(picture)
    if two_valued(grey) is not None or not _is_smooth(grey):
        return picture, False
    return PIL.Image.fromarray(np.where(2.0 * grey > grey.max(), 255, 0).astype(np.uint8)), True


def _is_smooth(grey: Levels) -> bool:
    top = float(grey.max())
    low, high = grey <= END * top, grey >= (1 - END) * top
    between = ~(low | high)
    if not low.any() or between.mean() > MOST_BETWEEN:
        return False
    reach = max(EDGE_PX, int(EDGE_SHARE * min(grey.shape)))
    near = [ndimage.maximum_filter(part, size=2 * reach + 1) for part in (low, high)]
    return bool((near[0] & near[1])[between].all())


def looks_inverted(drawn: np.ndarray) -> bool:
    """Returns whether a mask covers most of its picture, and all of its corners."""
    return bool(drawn[:: len(drawn) - 1 or 1, :: drawn.shape[1] - 1 or 1].all()) and (
        drawn.mean() > MOST
    )


def binary(levels: Levels, *, what: str = "grey values") -> np.ndarray:
    drawn = two_valued(levels)
    if drawn is None:
        raise RemediableError(
            f"has {len(np.unique(levels))} {what}; a mask has two, zero and another",
            remedy="Save the mask with two values, without smoothing or JPEG.",
        )
    return drawn


def two_valued(levels: Levels) -> np.ndarray | None:
    """Where a picture of one or two values is not zero; None for one of others."""
    values = np.unique(levels)
    if len(values) > 2 or (len(values) == 2 and values[0] != 0):
        return None
    return levels > 0


def grey_of(picture: PIL.Image.Image) -> Levels:
    """Returns the brightest channel; an indexed picture whose colours are all one is refused."""
    if picture.mode in GREY_MODES:
        return np.asarray(picture)
    grey = np.asarray(picture.convert("RGB")).max(axis=-1)
    if grey.min() > MOST * grey.max() and has_several_colours(picture):
        raise RemediableError(
            "has several colours and none of them is black, so that its shape cannot be told",
            remedy="Save each structure as a mask of its own, white on black.",
        )
    is_indexed = picture.mode == "P" and "transparency" not in picture.info
    if is_indexed and len(np.unique(np.asarray(picture))) > 1 and len(np.unique(grey)) == 1:
        raise RemediableError(
            "has several values in one and the same colour",
            remedy="Save the mask in grey, or with a palette of two colours.",
        )
    return grey


def has_several_colours(picture: PIL.Image.Image) -> bool:
    """Returns whether shapes are drawn in several colours: they may be several structures.

    Which channels are bright is compared, not how bright; at its edges a JPEG may differ.
    """
    if picture.mode in GREY_MODES:
        return False
    colours, opaque = np.asarray(picture.convert("RGB")), alpha_of(picture)
    is_drawn = colours.max(axis=-1) > MOST * colours.max()
    drawn = colours[is_drawn if opaque is None else is_drawn & (opaque > 0)]
    if len(drawn) == 0:
        return False
    is_bright = drawn > MOST * drawn.max(axis=1, keepdims=True)
    of_colour = np.bincount(np.packbits(is_bright, axis=1).ravel())
    return bool(of_colour.max() < (1 - SHARE_APART) * len(drawn))


def alpha_of(picture: PIL.Image.Image) -> Levels | None:
    """Returns how opaque each pixel is; None where the picture has no transparency."""
    see_through = picture.info.get("transparency")
    if picture.mode.startswith("I"):
        if see_through is None:
            return None
        return (np.asarray(picture) != see_through).astype(np.uint8)
    if picture.mode in {"LA", "PA", "RGBA", "La", "RGBa"} or see_through is not None:
        return np.asarray(picture.convert("RGBA"))[..., 3]
    return None
