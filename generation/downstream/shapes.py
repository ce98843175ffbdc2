"""What masks of a kind look like: how many parts, how large, how alike in size."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import ndimage

SMALLEST_PART = 0.01
"""A part that is a smaller share of the image is a speck."""
AREA_MARGIN = 1.6
"""Cohorts differ in how much of the body their pictures show."""
BALANCE_MARGIN = 1.25


@dataclass(frozen=True, kw_only=True)
class Plausibility:
    """The bounds of what masks that people drew are like.

    ``area`` is a share of the image, ``balance`` the smallest part's share of the largest.
    """

    parts: tuple[int, int]
    area: tuple[float, float]
    balance: float

    @classmethod
    def of(cls, masks: Iterable[np.ndarray]) -> Self:
        """Take the bounds from real masks (bool, H x W each), with margins."""
        cleaned = [without_specks(mask) for mask in masks]
        sizes = [part_sizes(mask) for mask in cleaned]
        areas = [float(mask.mean()) for mask in cleaned]
        counts = [len(parts) for parts in sizes]
        balances = [parts[-1] / parts[0] for parts in sizes if parts]
        return cls(
            parts=(max(1, int(np.percentile(counts, 5))), int(np.percentile(counts, 95))),
            area=(min(areas) / AREA_MARGIN, min(1.0, max(areas) * AREA_MARGIN)),
            balance=float(min(balances, default=1.0)) / BALANCE_MARGIN,
        )

    def clean(self, mask: np.ndarray) -> np.ndarray:
        """Take holes and specks away, and the smallest of more parts than there may be."""
        return without_specks(mask, most_parts=self.parts[1])

    def holds_for(self, mask: np.ndarray) -> bool:
        """Say whether a cleaned mask is as real ones are."""
        sizes = part_sizes(mask)
        least, largest = self.area
        return (
            self.parts[0] <= len(sizes) <= self.parts[1]
            and least <= mask.mean() <= largest
            and sizes[-1] >= self.balance * sizes[0]
        )


def part_sizes(mask: np.ndarray) -> list[int]:
    """Returns pixels of each connected part, largest first."""
    labels, count = ndimage.label(mask)
    return sorted(np.bincount(labels.ravel(), minlength=count + 1)[1:].tolist(), reverse=True)


def without_specks(mask: np.ndarray, *, most_parts: int | None = None) -> np.ndarray:
    """Returns a mask (bool, H x W) with its holes filled and parts under 1 % of the image gone."""
    filled = ndimage.binary_fill_holes(mask)
    labels, count = ndimage.label(filled)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    largest = np.argsort(-sizes, kind="stable")[:most_parts]
    kept = [label for label in largest if sizes[label] >= SMALLEST_PART * mask.size]
    return np.isin(labels, kept)
