"""Masks of a chest, drawn: two lungs, a heart between them, an opacity in one."""

import numpy as np
from scipy.ndimage import gaussian_filter

from generation.conditioning.masks import Mask
from generation.specs import MaskKind


def ellipse(side: int, *, x: float, y: float, width: float, height: float) -> Mask:
    """Centre and half axes in fractions of the side."""
    down, across = (np.mgrid[:side, :side] + 0.5) / side
    return np.asarray(((across - x) / width) ** 2 + ((down - y) / height) ** 2 <= 1)


def chest(side: int = 96) -> dict[MaskKind, Mask]:
    lungs = ellipse(side, x=0.3, y=0.5, width=0.15, height=0.32)
    lungs |= ellipse(side, x=0.7, y=0.5, width=0.15, height=0.32)
    return {
        "lungs": lungs,
        "heart": ellipse(side, x=0.52, y=0.62, width=0.06, height=0.1),
        "opacity": ellipse(side, x=0.3, y=0.4, width=0.06, height=0.08),
    }


def moved_lungs(shift: int, *, side: int = 128) -> Mask:
    """The lungs of ``chest``, so many pixels further down."""
    return np.asarray(np.roll(chest(side)["lungs"], shift, axis=0))


def chest_picture(lungs: Mask, *, seed: int = 0) -> np.ndarray:
    """8-bit grey: dark lungs in a bright body, blurred, with some noise."""
    body = gaussian_filter(np.where(lungs, 60.0, 190.0), 1.5)
    noisy = body + np.random.default_rng(seed).normal(0, 6, lungs.shape)
    return np.asarray(noisy.clip(0, 255).astype(np.uint8))


def dot(side: int, *points: tuple[int, int]) -> Mask:
    """Single pixels at (row, column)."""
    mask = np.zeros((side, side), dtype=bool)
    for point in points:
        mask[point] = True
    return mask


def block(side: int, rows: slice, columns: slice) -> Mask:
    mask = np.zeros((side, side), dtype=bool)
    mask[rows, columns] = True
    return mask
