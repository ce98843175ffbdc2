"""Bootstrap intervals over cases, for statistics that are functions of sums over cases.

A resample draws cases with replacement. If a statistic follows from sums of per-case
features, a resample is a vector of counts, and all resamples are one matrix product.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]

RESAMPLES = 2_000
SEED = 20_240_229
CASES_MAX = 2_000
"""Where there are more, cases are drawn in random blocks, so that memory stays bounded."""
CELLS_A_CHUNK = 2_000_000
UNITS_A_PART = 5_000
DEFINED_SHARE = 0.5
"""An interval is given where the statistic is defined in more than this share of resamples."""


@dataclass(frozen=True)
class Estimates:
    """They are several figures with their intervals.

    They are NaN where a figure or an interval is undefined.
    """

    values: Floats
    lows: Floats
    highs: Floats

    @property
    def widths(self) -> Floats:
        return self.highs - self.lows


@dataclass(frozen=True)
class Estimate:
    """An estimate is one figure with its interval; ``count`` cases support it, ``reason`` says why
    it is NaN.
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    count: int = 0
    reason: str = ""

    @property
    def is_known(self) -> bool:
        return not np.isnan(self.value)

    @property
    def has_interval(self) -> bool:
        return not (np.isnan(self.low) or np.isnan(self.high))


def unknown(reason: str, *, count: int = 0) -> Estimate:
    return Estimate(np.nan, count=count, reason=reason)


def nth(estimates: Estimates, index: int, *, count: int, reason: str = "") -> Estimate:
    """Returns one of several figures; ``reason`` is kept only where the figure is undefined."""
    value = float(estimates.values[index])
    return Estimate(
        value=value,
        low=float(estimates.lows[index]),
        high=float(estimates.highs[index]),
        count=count,
        reason=reason if np.isnan(value) else "",
    )


@dataclass(frozen=True)
class Cases:
    """Which case (or block of cases) each unit belongs to: what is resampled."""

    of_unit: Ints
    count: int

    @classmethod
    def of(cls, cases: Ints) -> "Cases":
        """Cases by their numbers, which need not be consecutive."""
        _, numbered = np.unique(cases, return_inverse=True)
        count = int(numbered.max()) + 1 if numbered.size else 0
        if count > CASES_MAX:
            numbered = np.random.default_rng(SEED).permutation(count)[numbered] % CASES_MAX
            count = CASES_MAX
        return cls(numbered.reshape(-1).astype(np.int64), count)

    def part(self, units: Ints) -> "Cases":
        """Returns the same cases with some of the units only."""
        return Cases(self.of_unit[units], self.count)

    def sums(self, features: Floats) -> Floats:
        """Sum (units, F) features within each case: (cases, F)."""
        units = self.of_unit.size
        member = csr_array(
            (np.ones(units), (self.of_unit, np.arange(units))), shape=(self.count, units)
        )
        return np.asarray(member @ features, dtype=np.float64)

    def sums_of(self, features: Callable[[Floats], Floats], scores: Floats) -> Floats:
        """As ``sums(features(scores))``, holding the features of a part of the units at a time."""
        parts = np.arange(UNITS_A_PART, len(scores), UNITS_A_PART)
        return sum(
            (
                self.part(part).sums(features(scores[part]))
                for part in np.split(np.arange(len(scores)), parts)
            ),
            start=np.zeros(1),
        )


def estimate(
    sums: Floats,
    statistic: Statistic,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimates:
    """Finds bias-corrected and accelerated (BCa) intervals of ``statistic`` over cases.

    ``sums``: (cases, F) features; ``statistic``: (..., F) summed features to (..., K)
    figures. Efron, "Better bootstrap confidence intervals", JASA 82 (1987) 171-185. A
    figure without any spread over the resamples gets no interval: it would have no width.
    """
    total = sums.sum(axis=0)
    values = statistic(total[None])[0]
    if len(sums) < 2:
        return Estimates(values, np.full_like(values, np.nan), np.full_like(values, np.nan))
    replicates = _replicates(sums, statistic, resamples=resamples, seed=seed)
    jackknife = statistic(total - sums)
    columns = [
        _bca(values[k], replicates[:, k], jackknife[:, k], level=level) for k in range(len(values))
    ]
    lows, highs = np.array(columns, dtype=np.float64).reshape(-1, 2).T
    return Estimates(values, lows, highs)


def _replicates(sums: Floats, statistic: Statistic, *, resamples: int, seed: int) -> Floats:
    cases = len(sums)
    if resamples * cases <= CELLS_A_CHUNK:
        return statistic(_kept_draws(seed, cases, resamples) @ sums)
    rng = np.random.default_rng(seed)
    chunk = max(1, CELLS_A_CHUNK // cases)
    found = []
    for start in range(0, resamples, chunk):
        drawn = times_drawn(rng, cases, resamples=min(chunk, resamples - start))
        found.append(statistic(drawn.astype(np.float64) @ sums))
    return np.concatenate(found)


@lru_cache(maxsize=2)
def _kept_draws(seed: int, cases: int, resamples: int) -> Floats:
    """Returns the one chunk of draws; figures of the same cases ask for the same one in turn."""
    drawn = times_drawn(np.random.default_rng(seed), cases, resamples=resamples)
    return drawn.astype(np.float64)


def times_drawn(rng: np.random.Generator, cases: int, *, resamples: int) -> Ints:
    """Returns how often each case is in each resample, (resamples, cases).

    A multinomial draw is the same, and more than twice as slow.
    """
    drawn = rng.integers(cases, size=(resamples, cases)) + cases * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * cases)
    return counts.reshape(resamples, cases)


def _bca(value: Any, replicates: Floats, jackknife: Floats, *, level: float) -> tuple[float, float]:
    defined = replicates[np.isfinite(replicates)]
    if (
        np.isnan(value)
        or len(defined) <= DEFINED_SHARE * len(replicates)
        or np.ptp(defined) < 1e-12
    ):
        return np.nan, np.nan
    below = (np.sum(defined < value) + np.sum(defined == value) / 2) / len(defined)
    bias = ndtri(np.clip(below, 1 / len(defined), 1 - 1 / len(defined)))
    left_out = jackknife[np.isfinite(jackknife)]
    deviations = left_out.mean() - left_out if left_out.size else np.zeros(1)
    squares = np.sum(deviations**2)
    acceleration = np.sum(deviations**3) / (6 * squares**1.5) if squares > 0 else 0.0
    tails = ndtri([(1 - level) / 2, (1 + level) / 2])
    shifted = bias + tails
    low, high = np.quantile(defined, ndtr(bias + shifted / (1 - acceleration * shifted)))
    return float(low), float(high)
