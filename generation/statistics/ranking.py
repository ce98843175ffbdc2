"""How well scores tell two groups apart: the areas under the ROC and precision-recall curves."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from generation.statistics.areas import area_between
from generation.statistics.intervals import Interval, percentile_interval

RESAMPLES = 2_000


def auroc(truth: np.ndarray, scores: np.ndarray) -> float | None:
    """Returns the area under the ROC curve; None where all have the finding, or none has it."""
    return float(roc_auc_score(truth, scores)) if _has_both(truth) else None


def average_precision(truth: np.ndarray, scores: np.ndarray) -> float | None:
    """Returns the area under the precision-recall curve; None where one of the groups is empty."""
    return float(average_precision_score(truth, scores)) if _has_both(truth) else None


def auroc_of_groups(positive: np.ndarray, negative: np.ndarray, *, seed: int = 0) -> Interval:
    """Returns the area between the scores of two groups; the bootstrap draws within each group."""
    generator = np.random.default_rng(seed)
    resampled = [
        area_between(
            generator.choice(positive, len(positive)), generator.choice(negative, len(negative))
        )
        for _ in range(RESAMPLES)
    ]
    return percentile_interval(area_between(positive, negative), resampled)


def _has_both(truth: np.ndarray) -> bool:
    return 0 < int(truth.sum()) < len(truth)
