"""The masks that a candidate was conditioned on, as arrays."""

import io
from typing import Any

import numpy as np
import PIL.Image

from feedback_app.images.models import Blob, Recipe

KindedMask = tuple[str, "np.ndarray[Any, Any]"]
"""A kind of mask, and the mask as bool, H x W."""


def conditioning_masks(recipe: Recipe) -> list[KindedMask]:
    """What the recipe asks to be where; nothing where it was made from text alone."""
    return [(mask.kind, mask_of(mask.blob)) for mask in recipe.conditioning]


def mask_of(blob: Blob) -> "np.ndarray[Any, Any]":
    with PIL.Image.open(io.BytesIO(blob.read())) as picture:
        return np.asarray(picture.convert("L")) > 127
