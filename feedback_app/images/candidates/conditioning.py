"""The masks that a candidate was conditioned on, as arrays."""

from typing import Any

import numpy as np

from feedback_app.images.blobs.pixels import mask_of
from feedback_app.images.candidates.models import Recipe

KindedMask = tuple[str, "np.ndarray[Any, Any]"]
"""A kind of mask, and the mask as bool, H x W."""


def conditioning_masks(recipe: Recipe) -> list[KindedMask]:
    """Returns what the recipe asks to be where; nothing where it was made from text alone."""
    return [(mask.kind, mask_of(mask.blob)) for mask in recipe.conditioning]
