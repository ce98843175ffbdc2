"""How often one model's image is liked better than another's, with an honest interval."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from generation.statistics.intervals import wilson

RESAMPLES = 10_000


@dataclass(frozen=True)
class WinRate:
    """A win rate is a share from 0 to 1 with its 95 % interval, over ``pairs`` pairs of
    ``prompts`` prompts.
    """

    share: float
    low: float
    high: float
    pairs: int
    prompts: int


def win_rate(
    challenger: Sequence[float], champion: Sequence[float], *, prompts: Sequence[str], seed: int = 0
) -> WinRate:
    """Returns the share of pairs in which the challenger's taste is higher; a tie counts a half.

    The three sequences are of one length, pair by pair. Images of one prompt are alike, so
    the percentile bootstrap draws whole prompts (Field and Welsh 2007, cluster bootstrap).
    """
    wins = np.sign(np.subtract(challenger, champion)) / 2 + 0.5
    names, cluster = np.unique(prompts, return_inverse=True)
    won = np.bincount(cluster, weights=wins)
    size = np.bincount(cluster)
    drawn = np.random.default_rng(seed).integers(0, len(names), (RESAMPLES, len(names)))
    shares = won[drawn].sum(1) / size[drawn].sum(1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return WinRate(float(wins.mean()), float(low), float(high), len(wins), len(names))


def no_narrower_than_chance(won: WinRate, *, level: float) -> WinRate:
    """Widen an interval to Wilson's of so many independent pairs, at this level.

    A bootstrap over a handful of prompts can collapse: where each of four prompts has one win
    in three pairs, it gives an interval of no width about a third.
    """
    low, high = wilson(won.share * won.pairs, won.pairs, level=level)
    return replace(won, low=min(won.low, low), high=max(won.high, high))
