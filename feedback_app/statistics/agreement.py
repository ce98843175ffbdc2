"""Agreement between readers, and of a reader with themselves.

Every figure comes from sums over cases, so that its interval does too.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from feedback_app.statistics.bootstrap import (
    Cases,
    Estimate,
    Floats,
    Ints,
    estimate,
    nth,
    unknown,
)

MOMENTS = 6
NO_SHARED_CASE = "no case was read by two readers"
NO_COMMON_CASE = "they share no case"
NO_SPREAD = "all scores are the same, so there is nothing to agree on"
NOT_BALANCED = "fewer than two cases were read by every reader"
NO_REPEAT = "no case was read twice by the same reader"


@dataclass(frozen=True)
class Agreement:
    """It is the agreement between readers, on one criterion. ``kappas[i][j]`` is of readers i and
    j.
    """

    alpha: Estimate
    mean_kappa: Estimate
    icc_single: Estimate
    icc_mean: Estimate
    kappas: tuple[tuple[Estimate, ...], ...]


@dataclass(frozen=True)
class Retest:
    """Within readers, on hidden repeats of one criterion."""

    kappa: Estimate
    mean_difference: Estimate


def agreement(scores: Floats, cases: Ints, *, levels: int) -> Agreement:
    """``scores``: (units, readers) of whole numbers 0 to ``levels`` - 1, or NaN."""
    kappas, mean_kappa = weighted_kappas(scores, cases)
    single, mean = intraclass_correlations(scores, cases)
    return Agreement(
        alpha=krippendorff_alpha(scores, cases, levels=levels),
        mean_kappa=mean_kappa,
        icc_single=single,
        icc_mean=mean,
        kappas=kappas,
    )


# Quadratic-weighted Cohen kappa


def moments(first: Floats, second: Floats) -> Floats:
    """Per unit (1, x, y, x², y², (x - y)²), zero where either is NaN: (units, 6)."""
    both = ~(np.isnan(first) | np.isnan(second))
    x, y = np.where(both, first, 0), np.where(both, second, 0)
    return np.stack([both.astype(float), x, y, x * x, y * y, (x - y) ** 2], axis=-1)


def kappa_of(sums: Floats) -> Floats:
    """Returns the quadratic-weighted kappa from summed moments (..., 6); NaN where nothing varies.

    Cohen, "Weighted kappa", Psychological Bulletin 70 (1968) 213-220: one minus observed
    over expected disagreement. With squared weights both are moments of the two readers'
    scores, and the number of categories cancels out.
    """
    n, x, y, xx, yy, observed = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = xx + yy - 2 * x * y / n
        return np.where(expected > 1e-9, 1 - observed / expected, np.nan)


def weighted_kappas(
    scores: Floats, cases: Ints
) -> tuple[tuple[tuple[Estimate, ...], ...], Estimate]:
    """Returns the symmetric reader x reader matrix, and the plain mean over pairs that have a
    kappa.

    On the matrix's diagonal nothing is known.
    """
    readers, shared = scores.shape[1], shared_cases(scores, cases)
    matrix = [[unknown("a reader and themselves")] * readers for _ in range(readers)]
    pairs = list(combinations(range(readers), 2))
    if not shared:
        for first, second in pairs:
            matrix[first][second] = matrix[second][first] = unknown(NO_COMMON_CASE)
        return tuple(map(tuple, matrix)), unknown(NO_SHARED_CASE)
    found = estimate(_pair_sums(scores, cases, pairs), _kappas_and_mean)
    for index, (first, second) in enumerate(pairs):
        common = shared_cases(scores[:, [first, second]], cases)
        one = nth(found, index, count=common, reason=NO_SPREAD if common else NO_COMMON_CASE)
        matrix[first][second] = matrix[second][first] = one
    mean = nth(found, len(pairs), count=shared, reason=NO_SPREAD)
    return tuple(map(tuple, matrix)), mean


def _pair_sums(scores: Floats, cases: Ints, pairs: list[tuple[int, int]]) -> Floats:
    """Returns the moments of every pair over each case, side by side: (cases, pairs x 6)."""
    grouped, read = Cases.of(cases), ~np.isnan(scores)
    sums = []
    for first, second in pairs:
        both = np.flatnonzero(read[:, first] & read[:, second])
        sums.append(grouped.part(both).sums(moments(scores[both, first], scores[both, second])))
    return np.concatenate(sums, axis=1)


def _kappas_and_mean(total: Floats) -> Floats:
    kappas = kappa_of(_by_pair(total))
    return np.concatenate([kappas, _mean(kappas)], axis=-1)


def _by_pair(total: Floats) -> Floats:
    return total.reshape(*total.shape[:-1], -1, MOMENTS)


def _mean(values: Floats) -> Floats:
    """NaN-safe mean over the last axis, which is kept."""
    known = np.isfinite(values)
    count = known.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, values, 0).sum(axis=-1, keepdims=True) / count


def shared_cases(scores: Floats, cases: Ints) -> int:
    """Returns how many cases have a unit that two readers scored."""
    return len(np.unique(cases[(~np.isnan(scores)).sum(axis=1) >= 2]))


# Krippendorff's alpha


def krippendorff_alpha(scores: Floats, cases: Ints, *, levels: int) -> Estimate:
    """Ordinal alpha, with whatever is missing.

    Krippendorff, *Content Analysis* (2004) ch. 11. Only units with two scores or more count.
    """
    shared = shared_cases(scores, cases)
    if not shared:
        return unknown(NO_SHARED_CASE)
    sums = Cases.of(cases).sums(coincidences(scores, levels=levels))
    found = estimate(sums, lambda total: alpha_of(total, levels=levels)[..., None])
    return nth(found, 0, count=shared, reason=NO_SPREAD)


def coincidences(scores: Floats, *, levels: int) -> Floats:
    """Returns each unit's part of the coincidence matrix: (units, levels²)."""
    counts = (scores[:, :, None] == np.arange(levels)).sum(axis=1).astype(float)
    rated = counts.sum(axis=1)
    products = counts[:, :, None] * counts[:, None, :]
    products -= counts[:, :, None] * np.eye(levels)
    pairable = rated >= 2
    weights = np.where(pairable, 1 / np.maximum(rated - 1, 1), 0)
    return (products * weights[:, None, None]).reshape(len(scores), -1)


def alpha_of(sums: Floats, *, levels: int) -> Floats:
    """Returns ordinal alpha from summed coincidences (..., levels²).

    It is 1 - (n - 1) Σ o δ² / Σ n n δ².
    """
    observed = sums.reshape(*sums.shape[:-1], levels, levels)
    marginals = observed.sum(axis=-1)
    upto = np.cumsum(marginals, axis=-1)
    middle = upto - marginals / 2
    delta = (middle[..., :, None] - middle[..., None, :]) ** 2
    total = marginals.sum(axis=-1)
    disagreed = (observed * delta).sum(axis=(-2, -1))
    expected = (marginals[..., :, None] * marginals[..., None, :] * delta).sum(axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 1e-9, 1 - (total - 1) * disagreed / expected, np.nan)


# Intraclass correlation


def intraclass_correlations(scores: Floats, cases: Ints) -> tuple[Estimate, Estimate]:
    """ICC(2,1) and ICC(2,k): how well one reader, and the mean of all k, tells images apart.

    Two-way random effects, absolute agreement, on the units that every reader scored.
    Shrout and Fleiss, "Intraclass correlations", Psychological Bulletin 86 (1979) 420-428.
    """
    complete = ~np.isnan(scores).any(axis=1) if scores.shape[1] > 1 else np.zeros(len(scores), bool)
    balanced, readers = scores[complete], scores.shape[1]
    count = len(np.unique(cases[complete]))
    if len(balanced) < 2:
        return unknown(NOT_BALANCED, count=count), unknown(NOT_BALANCED, count=count)
    features = np.column_stack(
        [
            np.ones(len(balanced)),
            balanced.mean(axis=1) ** 2,
            (balanced**2).sum(axis=1),
            balanced,
        ]
    )
    found = estimate(Cases.of(cases[complete]).sums(features), lambda s: icc_of(s, readers=readers))
    single = nth(found, 0, count=count, reason=NO_SPREAD)
    return single, nth(found, 1, count=count, reason=NO_SPREAD)


def icc_of(sums: Floats, *, readers: int) -> Floats:
    """(..., 2): ICC(2,1) and ICC(2,k) from the sums of 1, row mean², Σ x² and each column.

    Both are at most 1; below -1 lies only what the mean's small denominator makes of noise, so
    that is where they end.
    """
    n, row_squares, squares = sums[..., 0], sums[..., 1], sums[..., 2]
    columns, k = sums[..., 3:], readers
    with np.errstate(invalid="ignore", divide="ignore"):
        correction = columns.sum(axis=-1) ** 2 / (n * k)
        between_units = k * row_squares - correction
        between_readers = (columns**2).sum(axis=-1) / n - correction
        rest = squares - correction - between_units - between_readers
        ms_units = between_units / (n - 1)
        ms_readers = between_readers / (k - 1)
        ms_rest = rest / ((n - 1) * (k - 1))
        single = (ms_units - ms_rest) / (
            ms_units + (k - 1) * ms_rest + k * (ms_readers - ms_rest) / n
        )
        mean = (ms_units - ms_rest) / (ms_units + (ms_readers - ms_rest) / n)
        varies = (squares - correction > 1e-9) & (n > 1)
    both = np.stack([np.where(varies, single, np.nan), np.where(varies, mean, np.nan)], axis=-1)
    return np.clip(both, -1, 1)


# Test-retest


def retest(first: Floats, second: Floats, cases: Ints) -> Retest:
    """Weighted kappa and mean absolute difference of a unit's two scores by one reader.

    Pairs of all readers (or of one) in one table; ``cases`` says where each pair belongs.
    """
    if not first.size:
        return Retest(unknown(NO_REPEAT), unknown(NO_REPEAT))
    features = np.column_stack([moments(first, second), np.abs(first - second)])
    found = estimate(Cases.of(cases).sums(features), _retest_of)
    count = len(np.unique(cases))
    return Retest(
        kappa=nth(found, 0, count=count, reason=NO_SPREAD),
        mean_difference=nth(found, 1, count=count),
    )


def _retest_of(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = sums[..., MOMENTS] / sums[..., 0]
    return np.stack([kappa_of(sums[..., :MOMENTS]), difference], axis=-1)
