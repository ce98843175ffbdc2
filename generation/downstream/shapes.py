"""What masks of a kind look like: how many parts, how large."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import ndimage

SMALLEST_PART = 0.01
"""Of the image; a smaller part is a speck."""
AREA_MARGIN = 1.25


@dataclass(frozen=True, kw_only=True)
class Plausibility:
    """The numbers of parts, and areas as shares of the image, that a mask may have."""

    parts: tuple[int, int]
    area: tuple[float, float]

    @classmethod
    def of(cls, masks: Iterable[np.ndarray]) -> Self:
        """What real masks (bool, H x W each) show, with a margin for the area."""
        cleaned = [without_specks(mask) for mask in masks]
        parts = [count_parts(mask) for mask in cleaned]
        areas = [float(mask.mean()) for mask in cleaned]
        return cls(
            parts=(max(1, int(np.percentile(parts, 5))), int(np.percentile(parts, 95))),
            area=(min(areas) / AREA_MARGIN, min(1.0, max(areas) * AREA_MARGIN)),
        )

    def holds_for(self, mask: np.ndarray) -> bool:
        """Whether a mask without specks is as real ones are."""
        fewest, most = self.parts
        least, largest = self.area
        return fewest <= count_parts(mask) <= most and least <= mask.mean() <= largest


def count_parts(mask: np.ndarray) -> int:
    return int(ndimage.label(mask)[1])


def without_specks(mask: np.ndarray) -> np.ndarray:
    """A mask (bool, H x W) with its holes filled and parts under 1 % of the image gone."""
    filled = ndimage.binary_fill_holes(mask)
    labels, count = ndimage.label(filled)
    sizes = ndimage.sum_labels(filled, labels, np.arange(1, count + 1))
    kept = 1 + np.flatnonzero(np.asarray(sizes) >= SMALLEST_PART * mask.size)
    return np.isin(labels, kept)
