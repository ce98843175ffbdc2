"""How strict each reader is, fair to readers who read different cases."""

import numpy as np
from scipy.sparse.csgraph import connected_components

from feedback_app.statistics.bootstrap import (
    Cases,
    Estimate,
    Floats,
    Ints,
    estimate,
    nth,
    unknown,
)

ALONE = "shares no case with other readers"
APART = "readers fall into groups that share no case"


def leniencies(scores: Floats, cases: Ints) -> tuple[Estimate, ...]:
    """Returns each reader's additive effect in points, the mean of all readers being 0.

    Least squares for score = unit + reader, units eliminated (Searle, *Linear Models for
    Unbalanced Data* (1987) ch. 4), so that a reader of poor images does not seem strict.
    With every unit read by all it is the mean deviation from the units' means.
    """
    readers = scores.shape[1]
    counts = [len(np.unique(cases[_is_shared(scores) & ~np.isnan(column)])) for column in scores.T]
    linked = is_connected(scores)
    if not linked.any():
        return tuple(unknown(APART if count else ALONE, count=count) for count in counts)
    kept = scores[:, linked]
    sums = Cases.of(cases).sums_of(normal_equations, kept)
    found = estimate(sums, lambda total: effects_of(total, readers=kept.shape[1]))
    of_kept = iter(range(kept.shape[1]))
    return tuple(
        nth(found, next(of_kept), count=counts[reader], reason=APART)
        if linked[reader]
        else unknown(APART if counts[reader] else ALONE, count=counts[reader])
        for reader in range(readers)
    )


def _is_shared(scores: Floats) -> np.ndarray:
    return (~np.isnan(scores)).sum(axis=1) >= 2


def is_connected(scores: Floats) -> np.ndarray:
    """Returns which readers belong to the largest group linked by shared units: (readers,) of
    bool.
    """
    read = (~np.isnan(scores)).astype(float)
    together = read.T @ read
    np.fill_diagonal(together, 0)
    count, group = connected_components(together > 0, directed=False)
    sizes = np.bincount(group, minlength=count)
    largest = np.argmax(sizes) if count else 0
    return (group == largest) & (sizes[group] > 1)


def normal_equations(scores: Floats) -> Floats:
    """Returns each unit's part of the readers' normal equations: (units, readers² + readers).

    For a unit read by the readers of the indicator n, k of them: diag(n) - n n' / k and
    n (y - mean y).
    """
    read = ~np.isnan(scores)
    n = read.astype(float)
    k = np.maximum(n.sum(axis=1, keepdims=True), 1)
    filled = np.where(read, scores, 0)
    right = n * (filled - filled.sum(axis=1, keepdims=True) / k)
    left = n[:, :, None] * (np.eye(scores.shape[1]) - (n / k)[:, None, :])
    return np.concatenate([left.reshape(len(scores), -1), right], axis=1)


def effects_of(sums: Floats, *, readers: int) -> Floats:
    """Reader effects that sum to 0: (..., readers); NaN where a resample falls apart."""
    left = sums[..., : readers * readers].reshape(*sums.shape[:-1], readers, readers)
    right = sums[..., readers * readers :]
    regular = left + 1.0  # adds the constraint that effects sum to 0
    sound = np.linalg.eigvalsh(left)[..., 1] > 1e-6  # one zero eigenvalue: connected
    safe = np.where(sound[..., None, None], regular, np.eye(readers))
    solved = np.linalg.solve(safe, right[..., None])[..., 0]
    return np.where(sound[..., None], solved, np.nan)
