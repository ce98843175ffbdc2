"""The statistics of the augmentation benchmark, by hand."""

import numpy as np
import pytest

from benchmarks.augmentation.bootstrap import Said, gain, holm, patient_weights

TRUTH = np.array([True, True, False, False])
WHOLE = np.ones((1, 4))


def test_macro_f1_of_what_was_said_by_hand() -> None:
    said = Said(np.array([[1, 0, 0, 0], [1, 1, 0, 0]]), TRUTH)
    presence, absence = 2 * 1 / (2 * 1 + 1), 2 * 2 / (2 * 2 + 1)
    assert said.figures(WHOLE)[0] == pytest.approx([(presence + absence) / 2, 1])
    twice_the_missed_one = np.array([[1, 2, 1, 1]])
    presence, absence = 2 * 1 / (2 * 1 + 2), 2 * 2 / (2 * 2 + 2)
    assert said.figures(twice_the_missed_one)[0, 0] == pytest.approx((presence + absence) / 2)


def test_dice_is_a_mean_over_drawn_images() -> None:
    said = Said(np.array([[0.5, 1.0]]), None)
    assert said.figures(np.array([[1, 1], [2, 0]])).tolist() == [[0.75], [0.5]]


def test_images_of_a_patient_are_drawn_together() -> None:
    weights = patient_weights(["a", "b", "a"], np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 2]).all() and (weights[:, 0] + weights[:, 1] == 2).all()


def test_a_gain_of_every_patient_and_seed_is_certain_and_none_is_none() -> None:
    generator = np.random.default_rng(0)
    without = Said(generator.uniform(0.4, 0.6, (10, 20)), None)
    patients = [str(number) for number in range(20)]
    better = Said(without.values + generator.uniform(0.099, 0.101, (10, 20)), None)
    sure = gain(without, better, patients)
    assert (sure.value, sure.low, sure.high) == pytest.approx((0.1, 0.1, 0.1), abs=1e-3)
    assert sure.p_two_sided < 0.001 and sure.p_t_one_tailed < 0.001
    noise = Said(without.values + generator.normal(0, 0.1, (10, 20)), None)
    unsure = gain(without, noise, patients)
    assert unsure.low < 0 < unsure.high and unsure.p_two_sided > 0.05


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
