"""Whether candidates show what they were asked for: the mask that was given, the finding named.

Both are read off by models that saw real images only, and held against what those reach on
real held-out images.
"""

from dataclasses import dataclass

import numpy as np
import torch

from generation.statistics.intervals import Interval, percentile_interval
from generation.statistics.overlap import dice_matrix

RESAMPLES = 2_000


@dataclass(frozen=True)
class MaskFidelity:
    """It is the Dice of candidates' segmentations with masks.

    ``matched`` is with the mask that a candidate was given, ``shuffled`` with all the
    others, and ``specific`` how far matched lies from shuffled to perfect:
    (matched - shuffled) / (1 - shuffled). A model that draws one average lung well has a
    high ``matched`` and a ``specific`` of zero.
    """

    matched: Interval
    shuffled: Interval
    specific: Interval


def mask_fidelity(drawn: torch.Tensor, given: torch.Tensor, *, seed: int = 0) -> MaskFidelity:
    """Compare candidates' segmentations with their masks: bool, N x H x W each, N > 1."""
    dice = dice_matrix(drawn, given).numpy()
    count = len(dice)
    others = (dice.sum(1) - dice.diagonal()) / (count - 1)
    figures = np.stack([dice.diagonal(), others])
    generator = np.random.default_rng(seed)
    means = figures[:, generator.integers(0, count, (RESAMPLES, count))].mean(-1)
    matched, shuffled = figures.mean(1)
    return MaskFidelity(
        matched=percentile_interval(matched, means[0]),
        shuffled=percentile_interval(shuffled, means[1]),
        specific=percentile_interval(
            float(_specific(matched, shuffled)), _specific(means[0], means[1])
        ),
    )


def _specific(matched: np.ndarray, shuffled: np.ndarray) -> np.ndarray:
    return (matched - shuffled) / (1 - shuffled)
