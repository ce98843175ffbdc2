"""Shares with their intervals, and tests about them."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint, tost_proportions_2indep

from feedback_app.statistics.bootstrap import Estimate, Floats, Ints, unknown


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests: ``p_value`` that the figure lies outside its margin."""

    p_value: float
    margin: float

    @property
    def is_shown(self) -> bool:
        return self.p_value < 0.05


def share(hits: float, count: int, *, reason: str = "none yet") -> Estimate:
    """``hits`` of ``count`` independent cases, with Wilson's 95 % interval (JASA 1927)."""
    if not count:
        return unknown(reason)
    low, high = proportion_confint(hits, count, alpha=0.05, method="wilson")
    return Estimate(hits / count, float(low), float(high), count)


def clustered_share(is_right: Floats, cases: Ints, *, reason: str = "none yet") -> Estimate:
    """Share of right answers where a case has several; the interval counts cases, not answers.

    Answers to one case hang together; to take them for one is the cautious end. Wilson's
    interval keeps a width where all answers are right, which a bootstrap does not.
    """
    if not is_right.size:
        return unknown(reason)
    count = len(np.unique(cases))
    found = share(float(is_right.mean()) * count, count)
    return Estimate(float(is_right.mean()), found.low, found.high, count)


def sign_test(wins: int, losses: int) -> float:
    """Exact two-sided p that wins and losses are equally likely; ties are left out."""
    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else np.nan


def chance_equivalence(
    hits: float, synthetic: int, false_alarms: float, real: int, *, margin: float
) -> Equivalence | None:
    """Is a reader within ``margin`` of guessing? None without images of both kinds.

    Accuracy balanced over both kinds is 1/2 + (hit rate - false alarm rate) / 2, at any
    prevalence, so its margin is half the difference's: two one-sided tests of the latter
    (Schuirmann 1987) after Agresti and Caffo (2000).
    """
    if not synthetic or not real:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):  # of ratios that it computes besides
        tested = tost_proportions_2indep(
            hits, synthetic, false_alarms, real, -2 * margin, 2 * margin, method="agresti-caffo"
        )
    return Equivalence(p_value=float(tested.pvalue), margin=margin)
