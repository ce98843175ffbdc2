"""Reliability: by hand, planted noise, and where there is nothing to measure it by."""

import numpy as np
import pytest

from feedback_app.statistics.reliability import LEAST_SHARED, reliabilities

IMAGES = 400


def test_reliability_by_hand() -> None:
    first = np.tile([1.0, 2.0, 3.0, 4.0], 5)
    second = np.tile([1.0, 3.0, 2.0, 4.0], 5)
    third = (first + second) / 2
    found = reliabilities(np.stack([first, second, third], axis=1))
    of_first = np.corrcoef(first, (second + third) / 2)[0, 1]
    of_third = np.corrcoef(third, (first + second) / 2)[0, 1]
    assert of_third == pytest.approx(1)
    assert found == pytest.approx([of_first, of_first, 1])


def test_who_scores_by_lot_weighs_little_and_noise_costs_weight() -> None:
    generator = np.random.default_rng(0)
    truth = generator.uniform(0, 5, IMAGES)
    seen = [truth + generator.normal(0, noise, IMAGES) for noise in (0.5, 0.5, 2.5)]
    by_lot = generator.uniform(0, 5, IMAGES)
    scores = np.stack([*seen, by_lot], axis=1).clip(0, 5).round()
    first, second, noisy, lot = reliabilities(scores)
    assert first > 0.9 and second > 0.9
    assert 0.4 < noisy < 0.9
    assert lot < 0.2


def test_two_readers_weigh_the_same_whatever_they_agree_on() -> None:
    scores = np.random.default_rng(0).normal(size=(IMAGES, 2))
    first, second = reliabilities(scores)
    assert first == pytest.approx(second)


def test_who_cannot_be_measured_counts_as_the_mean_reader_or_fully() -> None:
    alone = np.full((LEAST_SHARED, 2), np.nan)
    alone[:, 0] = np.arange(LEAST_SHARED)
    assert reliabilities(alone).tolist() == [1, 1]
    measured = np.random.default_rng(0).normal(size=(LEAST_SHARED, 1)) + np.zeros((1, 2))
    with_a_third = np.concatenate([measured, np.full((LEAST_SHARED, 1), np.nan)], axis=1)
    assert reliabilities(with_a_third) == pytest.approx([1, 1, 1])
    assert reliabilities(measured[:-1]).tolist() == [1, 1]


def test_the_same_score_for_everything_agrees_with_nobody() -> None:
    truth = np.arange(30.0)
    assert reliabilities(np.stack([truth, truth + 1, np.ones(30)], axis=1))[2] == 0
