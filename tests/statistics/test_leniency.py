"""Leniency and how a reader reads: by hand, against statsmodels, at the edges."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress
from statsmodels.formula.api import ols

from feedback_app.statistics.behaviour import (
    commonest_share,
    deviations,
    drift,
    flat_share,
    pace,
    paths,
    smoothed,
)
from feedback_app.statistics.leniency import leniencies

NAN = np.nan


def test_leniency_by_hand() -> None:
    scores = np.array([[1, 2, 3], [2, 2, 5]], float)
    found = [one.value for one in leniencies(scores, np.arange(2))]
    assert found == pytest.approx([-1.0, -0.5, 1.5])


def test_a_reader_of_poor_images_is_not_strict() -> None:
    """Two readers alike; the second one's own cases are all poor."""
    scores = np.array([[4, 4], [3, 3], [4, NAN], [NAN, 0], [NAN, 0]], float)
    assert [one.value for one in leniencies(scores, np.arange(5))] == pytest.approx([0, 0])


def test_leniency_agrees_with_a_linear_model_on_unbalanced_readings() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 6, (40, 4)).astype(float)
    scores[rng.random(scores.shape) < 0.4] = NAN
    unit, reader = np.nonzero(~np.isnan(scores))
    table = pd.DataFrame({"y": scores[unit, reader], "unit": unit, "reader": reader})
    fitted = ols("y ~ C(unit) + C(reader)", table).fit().params
    effects = np.array([0, *(fitted[f"C(reader)[T.{number}]"] for number in (1, 2, 3))])
    found = [one.value for one in leniencies(scores, np.arange(40))]
    assert found == pytest.approx(effects - effects.mean())


def test_leniency_is_told_only_within_readers_who_are_linked() -> None:
    scores = np.full((6, 5), NAN)
    scores[:3, :2] = [[1, 2], [2, 2], [3, 5]]
    scores[3:5, 2:4] = 4
    scores[5, 4] = 1
    found = leniencies(scores, np.arange(6))
    assert [one.is_known for one in found] == [True, True, False, False, False]
    assert found[2].reason == "readers fall into groups that share no case"
    assert found[4].reason == "shares no case with other readers"


def test_one_reader_has_no_leniency() -> None:
    (found,) = leniencies(np.array([[1.0], [2.0]]), np.arange(2))
    assert not found.is_known


def test_a_deviation_is_from_the_median_of_the_others() -> None:
    scores = np.array([[5, 1, 2, 3], [4, NAN, NAN, NAN]], float)
    found = deviations(scores, np.zeros(4))
    assert found[0].tolist() == [3, -2, -1, 1]
    assert np.isnan(found[1]).all()


def test_leniency_is_no_deviation() -> None:
    scores = np.array([[1, 3], [2, 4]], float)
    assert deviations(scores, np.array([-1.0, 1.0])).tolist() == [[0, 0], [0, 0]]


def test_drift_by_hand_and_as_scipy_has_it() -> None:
    order = np.arange(21.0)
    found = drift(order, order / 10)
    assert found is not None
    assert (found.change, found.count) == (pytest.approx(2.0), 21)
    noisy = order / 10 + np.random.default_rng(0).normal(size=21)
    noticed = drift(order, noisy)
    assert noticed is not None
    assert noticed.p_value == pytest.approx(linregress(order, noisy).pvalue)


def test_there_is_no_drift_in_few_or_constant_readings() -> None:
    assert drift(np.arange(19.0), np.arange(19.0)) is None
    constant = drift(np.arange(30.0), np.zeros(30))
    assert constant is None or constant.change == 0


def test_a_straight_line_stays_straight_when_smoothed() -> None:
    order = np.arange(30.0)
    assert smoothed(order, 2 * order) == pytest.approx(2 * order)


def test_straight_lining_by_hand() -> None:
    assert commonest_share(np.array([3, 3, 3, 1])) == 0.75
    values, readings = np.array([3, 3, 1, 2, 4, 4]), np.array([0, 0, 1, 1, 2, 2])
    assert flat_share(values, readings) == pytest.approx(2 / 3)
    assert np.isnan(flat_share(np.array([3, 3]), np.array([0, 1])))


def test_pace_leaves_out_unknown_times() -> None:
    found = pace(np.array([0, 10, 20, 30.0]))
    assert found is not None
    assert (found.count, found.median_s, found.per_hour) == (3, 20, 180)
    assert pace(np.zeros(3)) is None


def test_a_drifting_reader_does_not_make_the_others_seem_to_drift() -> None:
    rng = np.random.default_rng(4)
    scores = np.tile(rng.uniform(1, 4, (60, 1)), 3) + rng.normal(0, 0.2, (60, 3))
    scores[:, 1] += np.linspace(-1, 1, 60)
    orders = np.tile(np.arange(60.0)[:, None], 3)
    found = [path.change for path in paths(scores, orders, np.zeros(3)) if path]
    assert found == pytest.approx([0, 2, 0], abs=0.25)


def test_of_two_readers_both_are_shown_to_drift_apart() -> None:
    scores = np.column_stack([np.full(30, 2.0), np.linspace(1, 3, 30)])
    orders = np.tile(np.arange(30.0)[:, None], 2)
    found = [path.change for path in paths(scores, orders, np.zeros(2)) if path]
    assert found == pytest.approx([-2, 2])


def test_images_of_one_reading_are_one_point_of_a_path() -> None:
    scores, orders = np.array([[1, 2], [3, 2], [5, 2.0]]), np.array([[0, 0], [0, 0], [1, 1.0]])
    (path, _) = paths(scores, orders, np.zeros(2))
    assert path is not None
    assert path.deviation.tolist() == [0, 3]
    assert paths(np.full((3, 1), 2.0), orders[:, :1], np.zeros(1)) == (None,)
