"""Real or synthetic, shares and preferences: by hand, against the libraries, at the edges."""

import choix
import numpy as np
import pytest
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_auc_score, roc_curve
from statsmodels.stats.proportion import proportion_confint, tost_proportions_2indep

from feedback_app.statistics.detection import detection
from feedback_app.statistics.preference import bradley_terry, linked_groups, preference
from feedback_app.statistics.proportions import (
    chance_equivalence,
    clustered_share,
    share,
    sign_test,
)

CONFIDENCE = np.array([0, 1, 2, 3, 4, 4, 3, 1], float)
IS_SYNTHETIC = np.array([0, 0, 0, 0, 1, 1, 1, 1], bool)


def guesses(*, images: int, skill: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    is_synthetic = np.arange(images) % 2 == 1
    felt = 2 + skill * np.where(is_synthetic, 1, -1) + rng.normal(0, 1.2, images)
    return np.clip(np.rint(felt), 0, 4), is_synthetic


def test_detection_by_hand() -> None:
    """Right: 3 of 4 synthetic; 2 real, and a half for the undecided one."""
    found = detection(CONFIDENCE, IS_SYNTHETIC, np.arange(8))
    assert found.accuracy.value == pytest.approx(5.5 / 8)
    hits, alarms = (3 + 0.5) / 5, (1.5 + 0.5) / 5
    assert found.d_prime.value == pytest.approx(norm.ppf(hits) - norm.ppf(alarms))


def test_the_area_under_the_curve_agrees_with_sklearn() -> None:
    confidence, is_synthetic = guesses(images=100, skill=0.5)
    found = detection(confidence, is_synthetic, np.arange(100))
    assert found.auc.value == pytest.approx(roc_auc_score(is_synthetic, confidence))
    assert found.auc.low < found.auc.value < found.auc.high
    alarms, hits, _ = roc_curve(is_synthetic, confidence, drop_intermediate=False)
    assert np.array(found.curve) == pytest.approx(np.column_stack([alarms, hits]))


def test_a_reader_s_accuracy_has_wilson_s_interval() -> None:
    confidence, is_synthetic = guesses(images=50, skill=3.0)
    found = detection(confidence, is_synthetic, np.arange(50)).accuracy
    low, high = proportion_confint(found.value * 50, 50, method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high))


def test_images_of_one_kind_tell_nothing() -> None:
    found = detection(CONFIDENCE, np.ones(8, bool), np.arange(8))
    assert not found.auc.is_known
    assert found.equivalence is None
    assert not detection(np.zeros(0), np.zeros(0, bool), np.zeros(0, int)).auc.is_known


def test_equivalence_agrees_with_statsmodels_at_twice_the_margin() -> None:
    found = chance_equivalence(52, 100, 48, 100, margin=0.1)
    expected = tost_proportions_2indep(52, 100, 48, 100, -0.2, 0.2, method="agresti-caffo")
    assert found is not None
    assert found.p_value == pytest.approx(expected.pvalue)


def test_not_significant_is_not_equivalent() -> None:
    few = chance_equivalence(6, 10, 5, 10, margin=0.1)
    many = chance_equivalence(500, 1000, 500, 1000, margin=0.1)
    assert few is not None and not few.is_shown
    assert many is not None and many.is_shown


def test_equivalence_of_all_readers_counts_cases_not_readings() -> None:
    """Ten readers who answer alike are as sure of it as one."""
    confidence, is_synthetic = guesses(images=200, skill=0.0)
    confidence, cases = np.where(confidence < 2, 0.0, 4.0), np.arange(200)
    alone = detection(confidence, is_synthetic, cases).equivalence
    alike = detection(np.tile(confidence, 10), np.tile(is_synthetic, 10), np.tile(cases, 10))
    assert alone is not None and alike.equivalence is not None
    assert alike.equivalence.p_value == pytest.approx(alone.p_value, abs=0.02)


def test_a_share_keeps_a_width_where_all_are_right() -> None:
    found = share(5, 5)
    assert (found.value, found.high) == (1, pytest.approx(1))
    assert found.low == pytest.approx(proportion_confint(5, 5, method="wilson")[0])
    assert not share(0, 0).is_known


def test_answers_to_one_case_count_as_one() -> None:
    is_right = np.array([1, 1, 0, 1], float)
    found = clustered_share(is_right, np.array([0, 0, 1, 1]))
    assert (found.value, found.count) == (0.75, 2)
    assert found.low == pytest.approx(share(1.5, 2).low)


def test_the_sign_test_by_hand() -> None:
    """Five of five: 2 / 2**5."""
    assert sign_test(5, 0) == pytest.approx(2 / 32)
    assert np.isnan(sign_test(0, 0))


def test_a_preference_leaves_ties_out_and_votes_once_a_case() -> None:
    outcomes = np.array([1, 1, -1, 0, 1, 1], float)
    found = preference(outcomes, np.array([0, 0, 0, 1, 2, 3]))
    assert (found.wins, found.losses, found.ties) == (4, 1, 1)
    assert found.share.value == pytest.approx(0.8)
    assert found.share.count == 3
    assert found.p_value == pytest.approx(binomtest(3, 3).pvalue)


def test_without_a_decision_there_is_no_preference() -> None:
    found = preference(np.zeros(3), np.arange(3))
    assert not found.share.is_known
    assert found.ties == 3


def test_strengths_agree_with_choix() -> None:
    won = [(0, 1)] * 6 + [(1, 0)] * 2 + [(1, 2)] * 5 + [(2, 1)] * 3
    (group,) = bradley_terry(3, won)
    expected = choix.ilsr_pairwise(3, won, alpha=0.1)
    assert group.values == pytest.approx(tuple(expected - expected.mean()))


def test_the_strength_of_two_by_hand() -> None:
    """Without a prior the log odds of 6 to 2; the prior pulls them together."""
    (group,) = bradley_terry(2, [(0, 1)] * 60 + [(1, 0)] * 20)
    assert group.values[0] - group.values[1] == pytest.approx(np.log(3), abs=0.02)


def test_strengths_stay_within_connected_comparisons() -> None:
    won = [(0, 1), (1, 0), (2, 3), (3, 4), (4, 2)]
    assert linked_groups(6, won) == [[2, 3, 4], [0, 1]]
    assert [group.items for group in bradley_terry(6, won)] == [(2, 3, 4), (0, 1)]
    assert bradley_terry(3, []) == []
