"""The statistics of Prakash et al. 2024, arXiv 2411.18602: t-tests over seeds, Bonferroni."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import ttest_rel

from feedback_app.experiments.statistics.gains import LEVEL
from feedback_app.experiments.statistics.predictions import Floats


@dataclass(frozen=True)
class SeedTest:
    """A mean difference over seeds, and the one-tailed p that it is not above zero."""

    value: float
    low: float
    high: float
    p_value: float
    seeds: int


def seed_test(arm: Floats, reference: Floats, *, sign: int = 1) -> SeedTest:
    """Paired, since both arms of a seed learn from the same real images; 95 % interval.

    The test images are the same in all: the interval is about seeds, not about patients.
    """
    differences = sign * (arm - reference)
    seeds = len(differences)
    value = float(differences.mean()) if seeds else np.nan
    if seeds < 2 or np.ptp(differences) == 0:
        return SeedTest(value, np.nan, np.nan, np.nan, seeds)
    tested = ttest_rel(sign * arm, sign * reference, alternative="greater")
    both = ttest_rel(sign * arm, sign * reference).confidence_interval(LEVEL)
    return SeedTest(value, float(both.low), float(both.high), float(tested.pvalue), seeds)
