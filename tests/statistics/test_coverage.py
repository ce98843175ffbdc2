"""The agreement page's intervals hold the truth about as often as they say."""

import pytest

from benchmarks.coverage import WANTED, coverage

pytestmark = pytest.mark.slow


def test_95_percent_intervals_hold_the_truth_90_to_99_times_in_100() -> None:
    found = coverage(studies=50)
    low, high = WANTED
    assert {"alpha", "mean_kappa", "icc_mean", "leniency", "retest_kappa"} <= set(found)
    assert {name: share for name, share in found.items() if not low <= share <= high} == {}
