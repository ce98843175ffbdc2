"""Whether candidates show what they were asked for: the mask that was given, the finding named.

Both are read off by models that saw real images only, and held against what those reach on
real held-out images.
"""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from generation.rewards.win_rate import wilson

RESAMPLES = 2_000
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class MaskFidelity:
    """Dice of candidates' segmentations with masks.

    ``matched`` is with the mask that a candidate was given, ``shuffled`` with all the
    others, and ``specific`` how far matched lies from shuffled to perfect:
    (matched - shuffled) / (1 - shuffled). A model that draws one average lung well has a
    high ``matched`` and a ``specific`` of zero.
    """

    matched: Estimate
    shuffled: Estimate
    specific: Estimate


def mask_fidelity(drawn: torch.Tensor, given: torch.Tensor, *, seed: int = 0) -> MaskFidelity:
    """Of candidates' segmentations and the masks that they were given: bool, N x H x W, N > 1."""
    dice = dice_matrix(drawn, given).numpy()
    count = len(dice)
    others = (dice.sum(1) - dice.diagonal()) / (count - 1)
    figures = np.stack([dice.diagonal(), others])
    generator = np.random.default_rng(seed)
    means = figures[:, generator.integers(0, count, (RESAMPLES, count))].mean(-1)
    matched, shuffled = figures.mean(1)
    return MaskFidelity(
        matched=_estimate(matched, means[0]),
        shuffled=_estimate(shuffled, means[1]),
        specific=_estimate(_specific(matched, shuffled), _specific(means[0], means[1])),
    )


def dice_matrix(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Sørensen–Dice of every pair of two stacks of masks: bool N x H x W, M x H x W to N x M."""
    a, b = first.flatten(1).double(), second.flatten(1).double()
    total = a.sum(1)[:, None] + b.sum(1)[None, :]
    return torch.where(total > 0, 2 * (a @ b.T) / total.clamp(min=1), 1.0)


def auroc(positive: np.ndarray, negative: np.ndarray, *, seed: int = 0) -> Estimate:
    """How well scores tell two groups apart; the bootstrap draws within each group."""
    generator = np.random.default_rng(seed)
    resampled = [
        _auroc(generator.choice(positive, len(positive)), generator.choice(negative, len(negative)))
        for _ in range(RESAMPLES)
    ]
    return _estimate(_auroc(positive, negative), np.array(resampled))


def share(count: int, total: int) -> Estimate:
    """A share with Wilson's interval, which is honest near 0 and 1."""
    return Estimate(count / total, *wilson(count, total))


def _auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    truth = np.repeat([1, 0], [len(positive), len(negative)])
    return float(roc_auc_score(truth, np.concatenate([positive, negative])))


def _specific(matched: np.ndarray, shuffled: np.ndarray) -> np.ndarray:
    return (matched - shuffled) / (1 - shuffled)


def _estimate(value: float | np.ndarray, resampled: np.ndarray) -> Estimate:
    low, high = np.quantile(resampled, INTERVAL)
    return Estimate(float(value), float(low), float(high))
