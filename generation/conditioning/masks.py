"""Masks: their kinds, and the way from a file to the channels of a control image.

A mask is a boolean array H x W. It is framed like the images that base models learn from:
the central square, resized.
"""

import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, get_args

import numpy as np
from PIL import Image, UnidentifiedImageError

from generation.errors import RemediableError
from generation.specs import MaskFile, MaskKind

MASK_KINDS: tuple[MaskKind, ...] = get_args(MaskKind)
LUNG_KINDS: tuple[MaskKind, ...] = ("lungs", "lungs_without_heart")
"""Two definitions, which agree at a Dice of .83: never one in the place of the other."""
ANATOMY: frozenset[MaskKind] = frozenset({*LUNG_KINDS, "heart"})
LESIONS: frozenset[MaskKind] = frozenset({"pneumothorax", "rib_fracture", "opacity"})
"""A tube is neither: it is a device."""
WITHIN_LUNGS: frozenset[MaskKind] = frozenset({"pneumothorax", "opacity"})
"""A rib can break beside the lungs' outline, and a tube comes from outside."""
OPACITY_FINDINGS = frozenset(
    {
        "atelectasis",
        "consolidation",
        "edema",
        "infiltration",
        "lung opacity",
        "mass",
        "nodule",
        "pneumonia",
    }
)
"""Findings whose boxes are around something opaque within the lung."""

FOREGROUND = 128
MARGIN = 0.125

Mask = np.ndarray
Masks = Mapping[MaskKind, Mask]
Corners = tuple[float, float, float, float]
"""Left, top, width, height in pixels."""


def label_of(kind: str) -> str:
    return kind.replace("_", " ")


def lungs_among(kinds: Iterable[str]) -> MaskKind | None:
    """Returns the kind that says where the lungs are, of those that there are."""
    there = set(kinds)
    return next((kind for kind in LUNG_KINDS if kind in there), None)


def as_kind(name: str) -> MaskKind:
    """Returns the kind of this name; a RemediableError for one that is not in the vocabulary."""
    for kind in MASK_KINDS:
        if kind == name:
            return kind
    raise RemediableError(
        f"There is no mask kind {name!r}.", remedy=f"Use one of: {', '.join(MASK_KINDS)}."
    )


def read_mask(file: Path | IO[bytes], *, side: int, margin: int = 0, name: str = "") -> Mask:
    """Returns a PNG of 0 and 255 as bool, side x side: its central square resized.

    ``margin`` is how many pixels more there are on every side, of what lies around that
    square; beyond the picture's edge it goes on as it is at the edge.
    """
    named = name or str(file)
    try:
        with Image.open(file, formats=["PNG"]) as picture:
            picture.load()
            return _frame(picture, side=side, margin=margin, name=named)
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise RemediableError(
            f"{named} cannot be read as a mask: {error}",
            remedy="Import the cohort again, or choose another mask.",
        ) from error


def _frame(picture: Image.Image, *, side: int, margin: int, name: str) -> Mask:
    if picture.mode != "L" or set(np.unique(np.asarray(picture))) - {0, 255}:
        raise RemediableError(
            f"{name} is no mask: it has other values than 0 and 255 in 8-bit grey.",
            remedy="Import it with its cohort, which makes a mask of any two values.",
        )
    square = min(picture.size)
    reach = margin * square / side
    padding = math.ceil(reach)
    padded = Image.fromarray(np.pad(np.asarray(picture), padding, mode="edge"))
    left, top = ((length - square) / 2 + padding - reach for length in picture.size)
    box = (left, top, left + square + 2 * reach, top + square + 2 * reach)
    whole = (side + 2 * margin, side + 2 * margin)
    return np.asarray(padded.resize(whole, Image.Resampling.BILINEAR, box=box)) >= FOREGROUND


def margin_of(side: int) -> int:
    """Returns the margin within which transforms find what they move into the frame."""
    return math.ceil(side * MARGIN)


def without_margin(mask: Mask, margin: int) -> Mask:
    return mask[margin : len(mask) - margin, margin : len(mask) - margin]


def encode_mask(mask: Mask) -> bytes:
    """Returns an 8-bit grey PNG of 0 and 255."""
    file = io.BytesIO()
    Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def rasterise_boxes(boxes: Iterable[Corners], *, size: tuple[int, int]) -> Mask:
    """Returns boxes in pixels of an image of ``size`` (width, height) as one mask of that size.

    A pixel belongs to a box that has its centre.
    """
    width, height = size
    across, down = np.arange(width) + 0.5, np.arange(height) + 0.5
    mask = np.zeros((height, width), dtype=bool)
    for left, top, box_width, box_height in boxes:
        rows = (down >= top) & (down < top + box_height)
        columns = (across >= left) & (across < left + box_width)
        mask |= rows[:, None] & columns[None, :]
    return mask


def control_array(masks: Masks, size: tuple[int, int]) -> np.ndarray:
    """Returns a control image: float32, C x H x W, 0 or 1, one channel a kind of the vocabulary.

    ``size`` is width and height; what there is no mask of is all zero.
    """
    width, height = size
    control = np.zeros((len(MASK_KINDS), height, width), dtype=np.float32)
    for name, mask in masks.items():
        kind = as_kind(name)
        if mask.shape != (height, width):
            raise RemediableError(
                f"The mask of {label_of(kind)} has {mask.shape[1]} x {mask.shape[0]} pixels, "
                f"the image {width} x {height}.",
                remedy="Frame the mask to the image's size.",
            )
        control[MASK_KINDS.index(kind)] = mask
    return control


def read_control(files: Iterable[MaskFile], size: tuple[int, int]) -> np.ndarray:
    """Returns the control image of a recipe's mask files: float32, C x H x W, 0 or 1."""
    width, height = size
    if width != height:
        raise RemediableError(
            f"Masks are framed to squares, and the image has {width} x {height} pixels.",
            remedy="Ask for images as wide as they are high.",
        )
    masks = {file.kind: read_mask(Path(file.path), side=width) for file in files}
    return control_array(masks, size)
