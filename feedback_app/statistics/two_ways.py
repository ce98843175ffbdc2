"""Means and differences over readings that hang together by case and by reader."""

import numpy as np
from scipy.stats import t as student

from feedback_app.statistics.bootstrap import Estimate, Floats, Ints, unknown

LEVEL = 0.95
NOTHING = "none yet"
LEAST_VARIANCE = 1e-18
"""Readings that are all alike give no interval: it would have no width."""


def clustered_mean(values: Floats, cases: Ints, readers: Ints) -> Estimate:
    """Returns the mean of ``values`` with an interval for other cases and other readers.

    The variance is that of Cameron, Gelbach and Miller (JBES 2011) for two-way clusters: over
    cases, plus over readers, less what both have counted, and never less than the larger of
    the two. Each sum has its correction G/(G-1), and Student's t has one degree of freedom
    less than there are of the fewer. Without two cases and two readers there is no interval.
    """
    if not values.size:
        return unknown(NOTHING)
    mean = float(values.mean())
    return _around(mean, (values - mean) / values.size, cases, readers)


def clustered_difference(
    values: Floats, is_first: Floats, cases: Ints, readers: Ints, *, reason: str
) -> Estimate:
    """Returns the mean where ``is_first`` less the mean of the others, with an interval like
    that.
    """
    first = is_first.astype(bool)
    if first.all() or not first.any():
        return unknown(reason)
    means = values[first].mean(), values[~first].mean()
    influence = np.where(
        first, (values - means[0]) / first.sum(), -(values - means[1]) / (~first).sum()
    )
    return _around(float(means[0] - means[1]), influence, cases, readers)


def _around(value: float, influence: Floats, cases: Ints, readers: Ints) -> Estimate:
    """``influence``: what each reading adds to the figure's error; it adds up to nothing."""
    counts = [len(np.unique(groups)) for groups in (cases, readers)]
    if min(counts) < 2:
        return Estimate(value, count=counts[0])
    by_case, by_reader = _spread(influence, cases), _spread(influence, readers)
    cells = np.unique(np.stack([cases, readers]), axis=1, return_inverse=True)[1].reshape(-1)
    variance = max(by_case, by_reader, by_case + by_reader - _spread(influence, cells))
    if variance < LEAST_VARIANCE:
        return Estimate(value, count=counts[0])
    half = float(student.ppf((1 + LEVEL) / 2, min(counts) - 1)) * float(np.sqrt(variance))
    return Estimate(value, value - half, value + half, count=counts[0])


def _spread(influence: Floats, groups: Ints) -> float:
    """Returns the sum of squares of the groups' sums, as for a sample of groups."""
    _, numbered = np.unique(groups, return_inverse=True)
    sums = np.bincount(numbered.reshape(-1), weights=influence)
    return float(np.sum(sums**2)) * len(sums) / max(1, len(sums) - 1)
