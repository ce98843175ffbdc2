"""How far each reader can be relied on, from how well they agree with the others."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST_SHARED = 20
"""A correlation over fewer images that others read as well says next to nothing."""


def reliabilities(scores: Floats) -> Floats:
    """Give each reader's reliability, 0 to 1; ``scores`` are images x readers, NaN where unread.

    It is the correlation of their scores with the others' mean on the images that both read,
    as a share of the best agreeing reader's, and none where it is negative. Who shares too few
    images counts as the mean reader does, and everybody counts fully where nobody is measured.
    """
    agreements = np.array([_agreement(scores, reader) for reader in range(scores.shape[1])])
    measured = agreements[~np.isnan(agreements)].clip(min=0)
    if not measured.any():
        return np.ones_like(agreements)
    shares = agreements.clip(min=0) / measured.max()
    return np.where(np.isnan(shares), measured.mean() / measured.max(), shares)


def _agreement(scores: Floats, reader: int) -> float:
    """Correlate one reader's scores with the means of the others'; NaN where that says nothing."""
    others = np.delete(scores, reader, axis=1)
    shared = ~np.isnan(scores[:, reader]) & ~np.isnan(others).all(axis=1)
    if shared.sum() < LEAST_SHARED:
        return np.nan
    own, means = scores[shared, reader], np.nanmean(others[shared], axis=1)
    if not np.ptp(means):
        return np.nan
    return float(np.corrcoef(own, means)[0, 1]) if np.ptp(own) else 0.0
