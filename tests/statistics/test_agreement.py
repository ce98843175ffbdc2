"""Agreement: by hand, against the libraries, and where there is nothing to agree on."""

from itertools import combinations

import krippendorff
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from feedback_app.statistics.agreement import (
    agreement,
    intraclass_correlations,
    krippendorff_alpha,
    retest,
    weighted_kappas,
)

LEVELS = 6
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Table 2 of Shrout and Fleiss (1979): six targets, four judges."""


def simulated(
    *, units: int = 80, readers: int = 5, missing: float = 0.0, seed: int = 0
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    worth = rng.normal(2.5, 1.2, (units, 1))
    scores = worth + rng.normal(0, 0.4, readers) + rng.normal(0, 0.8, (units, readers))
    scores = np.clip(np.rint(scores), 0, LEVELS - 1)
    scores[rng.random(scores.shape) < missing] = np.nan
    return scores


def sklearn_kappa(first: np.ndarray, second: np.ndarray) -> float:
    both = ~(np.isnan(first) | np.isnan(second))
    return cohen_kappa_score(
        first[both].astype(int), second[both].astype(int), weights="quadratic", labels=range(LEVELS)
    )


def test_weighted_kappa_by_hand() -> None:
    """Differences 0, 1, 1: observed 2; expected 14 + 14 - 2 * 6 * 6 / 3 = 4."""
    scores = np.array([[1, 1], [2, 3], [3, 2]], float)
    assert weighted_kappas(scores, np.arange(3))[0][0][1].value == pytest.approx(0.5)


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_every_pairwise_kappa_agrees_with_sklearn(missing: float) -> None:
    scores = simulated(missing=missing)
    found, _ = weighted_kappas(scores, np.arange(len(scores)))
    for i, j in combinations(range(5), 2):
        assert found[i][j].value == pytest.approx(sklearn_kappa(scores[:, i], scores[:, j]))
        assert found[j][i] == found[i][j]


def test_the_mean_kappa_is_the_mean_over_pairs() -> None:
    scores = simulated()
    pairs = [sklearn_kappa(scores[:, i], scores[:, j]) for i, j in combinations(range(5), 2)]
    _, mean = weighted_kappas(scores, np.arange(len(scores)))
    assert mean.value == pytest.approx(np.mean(pairs))


def test_alpha_by_hand() -> None:
    """Two readers, scores (0, 0), (0, 1), (1, 1): 1 - 5 * 2 / (2 * 3 * 3) = 4/9."""
    scores = np.array([[0, 0], [0, 1], [1, 1]], float)
    assert krippendorff_alpha(scores, np.arange(3), levels=2).value == pytest.approx(4 / 9)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.7])
def test_alpha_agrees_with_the_library(missing: float) -> None:
    scores = simulated(missing=missing)
    expected = krippendorff.alpha(
        scores.T, level_of_measurement="ordinal", value_domain=np.arange(LEVELS)
    )
    found = krippendorff_alpha(scores, np.arange(len(scores)), levels=LEVELS)
    assert found.value == pytest.approx(expected)


def test_intraclass_correlations_of_the_published_example() -> None:
    single, mean = intraclass_correlations(SHROUT_FLEISS, np.arange(6))
    assert (round(single.value, 2), round(mean.value, 2)) == (0.29, 0.62)


def test_intraclass_correlations_agree_with_statsmodels_anova() -> None:
    scores = simulated(units=40, readers=4)
    n, k = scores.shape
    unit, reader = np.indices(scores.shape)
    table = pd.DataFrame({"y": scores.ravel(), "unit": unit.ravel(), "reader": reader.ravel()})
    squares = anova_lm(ols("y ~ C(unit) + C(reader)", table).fit())["mean_sq"]
    units, readers, rest = squares["C(unit)"], squares["C(reader)"], squares["Residual"]
    single, mean = intraclass_correlations(scores, np.arange(n))
    assert single.value == pytest.approx(
        (units - rest) / (units + (k - 1) * rest + k * (readers - rest) / n)
    )
    assert mean.value == pytest.approx((units - rest) / (units + (readers - rest) / n))


def test_intraclass_correlations_take_the_units_that_all_have_read() -> None:
    scores = simulated(units=40)
    more = np.vstack([scores, simulated(units=20, missing=0.5, seed=1)])
    more[40:, 0] = np.nan
    assert (
        intraclass_correlations(more, np.arange(60))[0]
        == (intraclass_correlations(scores, np.arange(40))[0])
    )


def test_retest_by_hand() -> None:
    """Differences 0, 1, 2 of (0, 0), (2, 3), (4, 2): kappa 1 - 5 / (20 + 13 - 2 * 6 * 5 / 3)."""
    found = retest(np.array([0, 2, 4.0]), np.array([0, 3, 2.0]), np.arange(3))
    assert found.mean_difference.value == pytest.approx(1.0)
    assert found.kappa.value == pytest.approx(1 - 5 / 13)


def test_the_images_of_a_case_are_resampled_together() -> None:
    """The same scores as 80 cases, or as 20 cases of four like images: a wider interval."""
    scores = np.repeat(simulated(units=20), 4, axis=0)
    alone = krippendorff_alpha(scores, np.arange(80), levels=LEVELS)
    together = krippendorff_alpha(scores, np.arange(80) // 4, levels=LEVELS)
    assert together.value == alone.value
    assert together.count == 20
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_one_reader_agrees_with_nobody() -> None:
    found = agreement(simulated(readers=1), np.arange(80), levels=LEVELS)
    for one in (found.alpha, found.mean_kappa, found.icc_single, found.icc_mean):
        assert not one.is_known
        assert one.reason


def test_readers_without_a_shared_case_have_no_agreement() -> None:
    scores = np.full((4, 2), np.nan)
    scores[:2, 0] = scores[2:, 1] = 3
    found = agreement(scores, np.arange(4), levels=LEVELS)
    assert found.alpha.reason == "no case was read by two readers"
    assert found.kappas[0][1].reason == "they share no case"


def test_constant_scores_have_no_agreement_and_say_why() -> None:
    found = agreement(np.full((10, 3), 4.0), np.arange(10), levels=LEVELS)
    for one in (found.alpha, found.mean_kappa, found.icc_single, found.kappas[0][1]):
        assert not one.is_known
        assert one.reason == "all scores are the same, so there is nothing to agree on"


def test_no_reading_at_all_is_no_crash() -> None:
    found = agreement(np.zeros((0, 0)), np.zeros(0, int), levels=LEVELS)
    assert not found.alpha.is_known
    assert found.kappas == ()
    assert not retest(np.zeros(0), np.zeros(0), np.zeros(0, int)).kappa.is_known


def test_a_study_of_6_readers_and_200_cases_takes_under_two_seconds() -> None:
    from time import process_time

    scores = simulated(units=200, readers=6)
    started = process_time()
    agreement(scores, np.arange(200), levels=LEVELS)
    assert process_time() - started < 2


def test_intraclass_correlations_of_noise_end_at_one_and_minus_one() -> None:
    scores = np.array([[1.0, 3], [2, 4], [3, 5], [4, 0], [0, 2], [5, 1]])
    for found in intraclass_correlations(scores, np.arange(6)):
        assert -1 <= found.low <= found.value <= found.high <= 1
