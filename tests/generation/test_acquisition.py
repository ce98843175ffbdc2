"""What a reading would teach, and what one counts that was not drawn by lot."""

from math import exp

import numpy as np
import pytest

from generation.rewards.acquisition import inverse_propensity, preference_disagreement


def test_the_disagreement_about_a_pair_by_hand() -> None:
    utilities = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])  # one of three heads is undecided
    sure = 1 / (1 + exp(-1))
    variance = ((sure - 0.5) ** 2 + (1 - sure - 0.5) ** 2) / 3
    assert preference_disagreement(utilities.astype(float)) == pytest.approx(variance)


def test_of_more_images_it_is_the_mean_over_pairs() -> None:
    utilities = np.random.default_rng(0).normal(size=(5, 3))
    pairs = [preference_disagreement(utilities[:, [a, b]]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert preference_disagreement(utilities.astype(float)) == pytest.approx(np.mean(pairs))


def test_heads_that_differ_in_leniency_alone_agree() -> None:
    utilities = np.array([[0.0, 1.0, 3.0]]) + np.arange(5)[:, None]
    assert preference_disagreement(utilities.astype(float)) == pytest.approx(0)


def test_it_is_a_quarter_at_most() -> None:
    utilities = np.array([[100.0, 0.0], [0.0, 100.0]])
    assert preference_disagreement(utilities.astype(float)) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("propensity", "weight"),
    [(0.01, 1.0), (0.002, 5.0), (0.02, 0.5), (0.8, 0.2), (0.0001, 5.0)],
)
def test_a_weight_is_the_clipped_inverse_of_what_was_likelier_than_by_lot(
    propensity: float, weight: float
) -> None:
    assert inverse_propensity(propensity, uniform=0.01, limit=5) == pytest.approx(weight)
