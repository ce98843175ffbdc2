"""Intervals for readings that hang together by case and by reader."""

import numpy as np
import pytest

from feedback_app.statistics.two_ways import clustered_difference, clustered_mean

READERS, CASES = 5, 20


def test_a_mean_and_its_interval_worked_by_hand() -> None:
    """Two cases by two readers: 1, 3 and 2, 6. Sums by case -2, 2; by reader -3, 3; /4."""
    found = clustered_mean(np.array([1.0, 3, 2, 6]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    by_case, by_reader, by_cell = 2 * 8 / 16, 2 * 18 / 16, (4 / 3) * (4 + 0 + 1 + 9) / 16
    half = 12.7062 * np.sqrt(max(by_case, by_reader, by_case + by_reader - by_cell))
    assert found.value == 3
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half), rel=1e-4)


def test_intervals_hold_the_mean_and_the_difference_as_often_as_they_say() -> None:
    """Readers who differ, cases that differ, noise: plain intervals would hold it half as often."""
    rng = np.random.default_rng(7)
    cases = np.repeat(np.arange(CASES), READERS)
    readers = np.tile(np.arange(READERS), CASES)
    is_first = (cases % 2).astype(float)
    held = np.zeros(2)
    for _ in range(400):
        values = (rng.normal(0, 1, CASES)[cases] + rng.normal(0, 1, READERS)[readers]) + rng.normal(
            0, 1, cases.size
        )
        mean = clustered_mean(1.5 + values, cases, readers)
        gap = clustered_difference(2 * is_first + values, is_first, cases, readers, reason="")
        held += [mean.low < 1.5 < mean.high, gap.low < 2 < gap.high]
    assert np.all((held / 400 > 0.9) & (held / 400 < 0.995))


def test_one_reader_gives_no_interval_and_no_readings_no_figure() -> None:
    one = np.zeros(3, dtype=np.int64)
    assert not clustered_mean(np.ones(3), np.arange(3), one).has_interval
    assert not clustered_mean(np.empty(0), one[:0], one[:0]).is_known
    assert not clustered_difference(np.ones(3), np.ones(3), one, one, reason="none").is_known
