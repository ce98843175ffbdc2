"""Intervals over cases: against scipy, seeded, and undefined where they mean nothing."""

import numpy as np
import pytest
from scipy import stats

from feedback_app.statistics.bootstrap import CASES_MAX, Cases, estimate


def mean_of(sums: np.ndarray) -> np.ndarray:
    return sums[..., :1] / sums[..., 1:]


def features_of(values: np.ndarray) -> np.ndarray:
    return np.column_stack([values, np.ones_like(values)])


def test_intervals_agree_with_scipy_s_bca() -> None:
    values = np.random.default_rng(1).lognormal(size=60)
    found = estimate(features_of(values), mean_of, resamples=20_000)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", random_state=2
    ).confidence_interval
    assert found.values[0] == pytest.approx(values.mean())
    assert found.lows[0] == pytest.approx(expected.low, rel=0.02)
    assert found.highs[0] == pytest.approx(expected.high, rel=0.02)


def test_the_same_readings_give_the_same_interval() -> None:
    features = features_of(np.random.default_rng(1).normal(size=30))
    assert estimate(features, mean_of).lows[0] == estimate(features, mean_of).lows[0]


@pytest.mark.parametrize("values", [np.array([3.0]), np.full(20, 3.0)])
def test_without_any_spread_there_is_no_interval(values: np.ndarray) -> None:
    found = estimate(features_of(values), mean_of)
    assert found.values[0] == 3
    assert np.isnan(found.lows[0])


def test_sums_of_cases_by_hand() -> None:
    cases = Cases.of(np.array([7, 3, 7]))
    assert cases.sums(np.array([[1.0], [10.0], [100.0]])).tolist() == [[10], [101]]
    assert cases.sums_of(
        lambda scores: scores * 2, np.array([[1.0], [10.0], [100.0]])
    ).tolist() == [
        [20],
        [202],
    ]


def test_many_cases_are_drawn_in_blocks_without_losing_any() -> None:
    grouped = Cases.of(np.arange(3 * CASES_MAX))
    sums = grouped.sums(np.ones((3 * CASES_MAX, 1)))
    assert sums.shape == (CASES_MAX, 1)
    assert set(sums.ravel()) == {3.0}
