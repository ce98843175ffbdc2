"""Corrections of p-values for the number of comparisons; what cannot be told counts as 1."""

from collections.abc import Sequence

import numpy as np
from statsmodels.stats.multitest import multipletests

from feedback_app.experiments.statistics.predictions import Floats


def holm(p_values: Sequence[float]) -> Floats:
    """Holm, Scand. J. Stat. 6 (1979) 65-70."""
    return _corrected(p_values, method="holm")


def bonferroni(p_values: Sequence[float]) -> Floats:
    return _corrected(p_values, method="bonferroni")


def _corrected(p_values: Sequence[float], *, method: str) -> Floats:
    told = np.nan_to_num(np.asarray(p_values, dtype=np.float64), nan=1.0)
    if not told.size:
        return told
    return np.asarray(multipletests(told, method=method)[1], dtype=np.float64)
