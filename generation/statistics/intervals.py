"""Figures with 95 % intervals, over images that come in groups or clusters.

Images of one prompt or one patient are alike, so whole groups are left out or drawn anew.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

NORMAL_95 = 1.959964
PERCENTILES_95 = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """An interval is a figure with its 95 % interval; the bounds are NaN where they could not be
    had.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def percentile_interval(value: float, resampled: Sequence[float] | np.ndarray) -> Interval:
    """Returns the percentile bootstrap's interval; replicates that are no numbers are left out."""
    finite = np.asarray(resampled)[np.isfinite(resampled)]
    if not len(finite):
        return Interval(float(value), math.nan, math.nan)
    low, high = np.percentile(finite, PERCENTILES_95)
    return Interval(float(value), float(low), float(high))


def wilson(count: float, total: int, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share (1927), which is honest near 0 and 1; ``count`` may be half."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (count + z**2 / 2) / (total + z**2)
    half = z * np.sqrt(count * (total - count) / total + z**2 / 4) / (total + z**2)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def share(count: int, total: int) -> Interval:
    """Returns a share with Wilson's interval."""
    return Interval(count / total, *wilson(count, total))


def jackknife(statistic: Callable[[np.ndarray], float], *, groups: Sequence[object]) -> Interval:
    """Runs the delete-one-group jackknife (Efron and Tibshirani, 1993, chapter 11), normal
    interval.

    ``statistic`` is given the indexes of the images to take; ``groups`` names each image's
    group, of which there are two or more.
    """
    names, membership = np.unique(np.asarray([str(group) for group in groups]), return_inverse=True)
    if len(names) < 2:
        raise ValueError("an interval over groups needs two of them or more")
    everything = np.arange(len(membership))
    value = statistic(everything)
    without = np.array(
        [statistic(everything[membership != number]) for number in range(len(names))]
    )
    spread = math.sqrt((len(names) - 1) / len(names) * np.square(without - without.mean()).sum())
    return Interval(value, value - NORMAL_95 * spread, value + NORMAL_95 * spread)


def cluster_bootstrap(
    statistic: Callable[[np.ndarray], float],
    clusters: np.ndarray,
    *,
    seed: int,
    resamples: int = 1_000,
) -> Interval:
    """Returns a statistic of chosen rows with a percentile interval, whole clusters drawn anew."""
    rows = [np.flatnonzero(clusters == name) for name in np.unique(clusters)]
    generator = np.random.default_rng(seed)
    value = statistic(np.arange(len(clusters)))
    if len(rows) < 2:
        return Interval(value, math.nan, math.nan)
    drawn = [
        statistic(np.concatenate([rows[i] for i in generator.integers(0, len(rows), len(rows))]))
        for _ in range(resamples)
    ]
    return percentile_interval(value, drawn)
