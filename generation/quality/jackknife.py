"""An interval for any figure of images that come in groups: leave one group out in turn."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def jackknife(statistic: Callable[[np.ndarray], float], *, groups: Sequence[object]) -> Interval:
    """Delete-one-group jackknife (Efron and Tibshirani, 1993, chapter 11), normal interval.

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
