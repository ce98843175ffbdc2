"""Gains: by hand, against scipy and statsmodels, and on planted truths."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import bootstrap, ttest_1samp, ttest_rel
from scipy.stats import t as student

from feedback_app.experiments.statistics.conclusions import Finding, conclude, finding_of
from feedback_app.experiments.statistics.corrections import bonferroni, holm
from feedback_app.experiments.statistics.gains import (
    Gain,
    Resampled,
    Spread,
    cohens_d,
    gain,
    hedges_g,
    resample,
)
from feedback_app.experiments.statistics.metrics import METRICS
from feedback_app.experiments.statistics.paper import seed_test
from feedback_app.experiments.statistics.predictions import Drawn, TestImages, Told
from feedback_app.statistics.bootstrap import times_drawn

DICE, MACRO_F1 = METRICS["dice"], METRICS["macro_f1"]


def images_of(count: int, *, a_patient: int = 1) -> TestImages:
    patients = np.arange(count) // a_patient
    return TestImages(tuple(map(str, range(count))), patients, {})


def drawn(dice: Sequence[float] | np.ndarray) -> Drawn:
    values = np.array(dice, dtype=float)
    return Drawn(values, np.full(len(values), np.nan), np.ones(len(values), dtype=bool))


def compared(arm: Sequence[Drawn], real: Sequence[Drawn], images: TestImages) -> Gain:
    both = [resample(DICE, outcomes, images) for outcomes in (arm, real)]
    return gain(both[0], both[1], patients=images.patient_count)


def test_one_seeds_error_is_that_of_scipys_bootstrap() -> None:
    randomness = np.random.default_rng(1)
    real, better = randomness.random(200), randomness.random(200)
    found = compared([drawn(better)], [drawn(real)], images_of(200))
    expected = bootstrap((better - real,), np.mean, n_resamples=4_000, rng=randomness)
    assert found.value == pytest.approx((better - real).mean())
    assert found.standard_error == pytest.approx(expected.standard_error, rel=0.06)


def test_without_patients_part_the_interval_is_that_of_a_t_test() -> None:
    # All images of a seed are alike, so only seeds differ: the error is s / sqrt(k).
    shifts = [0.02, 0.05, 0.03, 0.07, 0.01]
    real = [drawn([0.5] * 40) for _ in shifts]
    arm = [drawn([0.5 + shift] * 40) for shift in shifts]
    found = compared(arm, real, images_of(40))
    tested = ttest_1samp(shifts, 0, alternative="greater")
    both = ttest_1samp(shifts, 0).confidence_interval(0.95)
    assert found.standard_error == pytest.approx(np.std(shifts, ddof=1) / np.sqrt(5), rel=0.06)
    assert (found.low, found.high) == pytest.approx((both.low, both.high), abs=0.004)
    assert found.p_value == pytest.approx(tested.pvalue, abs=0.01)


def test_a_gain_by_hand() -> None:
    # Two patients, one seed: gains 0.2 and 0.4. A resample's mean is 0.2, 0.3 or 0.4 with
    # probabilities 1/4, 1/2, 1/4: its standard deviation is sqrt(0.005) = 0.0707.
    found = compared([drawn([0.7, 0.9])], [drawn([0.5, 0.5])], images_of(2))
    assert found.value == pytest.approx(0.3)
    assert found.standard_error == pytest.approx(0.0707, rel=0.05)
    reach = student.ppf(0.975, 1) * found.standard_error
    assert (found.low, found.high) == pytest.approx((0.3 - reach, 0.3 + reach))
    assert (found.seeds, found.patients) == (1, 2)


def test_images_of_one_patient_count_once() -> None:
    randomness = np.random.default_rng(2)
    of_patients = np.repeat(randomness.normal(0.05, 0.1, 40), 5)
    real = drawn(np.full(200, 0.5))
    alone = compared([drawn(0.5 + of_patients)], [real], images_of(200))
    clustered = compared([drawn(0.5 + of_patients)], [real], images_of(200, a_patient=5))
    assert clustered.standard_error > 1.8 * alone.standard_error


def test_less_is_better_for_a_distance() -> None:
    seeds = Resampled(np.array([4.0, 5.0, 6.0]), np.tile([[4.0], [5.0], [6.0]], 50))
    worse = Resampled(seeds.values + 2, seeds.replicates + 2)
    assert gain(seeds, worse, sign=-1, patients=30).value == pytest.approx(2)


def test_effect_sizes_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, deviation 1.
    assert cohens_d(np.array([1.0, 2.0, 3.0])) == pytest.approx(2.0)
    # Pooled deviation 1, difference 2, J = 1 - 3 / 15.
    first, second = np.array([3.0, 4.0, 5.0]), np.array([1.0, 2.0, 3.0])
    assert hedges_g(first, second) == pytest.approx(2 * 0.8)
    assert np.isnan(cohens_d(np.array([1.0])))
    assert np.isnan(cohens_d(np.array([1.0, 1.0])))


def test_the_papers_test_agrees_with_scipy_and_by_hand() -> None:
    arm, real = np.array([0.6, 0.7, 0.9]), np.array([0.5, 0.5, 0.6])
    found = seed_test(arm, real)
    # Differences 0.1, 0.2, 0.3: t = 0.2 / (0.1 / sqrt(3)) = 3.464 with 2 degrees of freedom.
    assert found.p_value == pytest.approx(student.sf(2 * np.sqrt(3), 2))
    assert found.p_value == pytest.approx(ttest_rel(arm, real, alternative="greater").pvalue)
    reach = student.ppf(0.975, 2) * 0.1 / np.sqrt(3)
    assert (found.low, found.high) == pytest.approx((0.2 - reach, 0.2 + reach))
    assert np.isnan(seed_test(arm[:1], real[:1]).p_value)


def test_corrections_by_hand() -> None:
    p_values = [0.01, 0.04, 0.03, np.nan]
    assert bonferroni(p_values).tolist() == pytest.approx([0.04, 0.16, 0.12, 1.0])
    # Sorted 0.01, 0.03, 0.04, 1 times 4, 3, 2, 1, never falling.
    assert holm(p_values).tolist() == pytest.approx([0.04, 0.09, 0.09, 1.0])
    assert holm([]).size == 0


def test_no_difference_at_all_is_no_gain() -> None:
    same = [drawn([0.5, 0.7, 0.9]) for _ in range(3)]
    found = compared(same, same, images_of(3))
    assert (found.value, found.low, found.high, found.p_value) == (0, 0, 0, 1)


# Planted truths


def told(randomness: np.random.Generator, truth: np.ndarray, hard: np.ndarray, by: float) -> Told:
    signed = np.where(truth, 1.0, -1.0)
    logit = signed * by + hard + randomness.normal(0, 0.6, len(truth)) + randomness.normal(0, 0.15)
    probability = 1 / (1 + np.exp(-logit))
    known = np.ones((1, len(truth)), dtype=bool)
    return Told(truth[None], known, probability[None], probability[None] >= 0.5)


def simulated(number: int, *, effect: float, seeds: int, patients: int = 80) -> Gain:
    randomness = np.random.default_rng([number, seeds])
    truth = np.arange(patients) % 2 == 0
    hard = randomness.normal(0, 1, patients)
    outcomes = [
        [told(randomness, truth, hard, 0.7 + by) for _ in range(seeds)] for by in (effect, 0.0)
    ]
    both = [resample(MACRO_F1, one, images_of(patients), resamples=400) for one in outcomes]
    return gain(both[0], both[1], patients=patients)


@pytest.mark.parametrize("seeds", [3, 10])
def test_no_gain_is_called_none(seeds: int) -> None:
    found = [simulated(number, effect=0.0, seeds=seeds) for number in range(100)]
    called = sum(finding_of(one, p_value=one.p_value) == Finding.GAIN for one in found)
    covered = sum(one.low <= 0 <= one.high for one in found)
    assert called <= 10
    assert covered >= 90


def test_a_large_gain_is_found() -> None:
    found = [simulated(number, effect=0.8, seeds=10) for number in range(20)]
    assert all(finding_of(one, p_value=one.p_value) == Finding.GAIN for one in found)


def drawn_crossed(number: int, *, seeds: int = 10, patients: int = 48) -> Resampled:
    """Differences whose seeds, patients and interaction vary by known amounts around 0."""
    randomness = np.random.default_rng([number, seeds, patients])
    of_seeds = randomness.normal(0, 0.05, (seeds, 1))
    of_patients = randomness.normal(0, 0.15, (1, patients))
    found = of_seeds + of_patients + randomness.normal(0, 0.5, (seeds, patients))
    weights = times_drawn(randomness, patients, resamples=300) / patients
    return Resampled(found.mean(axis=1), found @ weights.T)


TRUE_ERROR = np.sqrt(0.05**2 / 10 + 0.15**2 / 48 + 0.5**2 / 480)


def test_both_modes_are_right_about_crossed_patients_and_seeds() -> None:
    """Neither too bold nor too timid: false alarms, the error itself, and power."""
    null = Resampled(np.zeros(10), np.zeros((10, 300)))
    experiments = [drawn_crossed(number) for number in range(400)]
    found = [gain(one, null, patients=48) for one in experiments]
    assert 8 <= sum(one.p_value < 0.05 for one in found) <= 30
    assert 368 <= sum(one.low <= 0 <= one.high for one in found) <= 394
    errors = np.array([one.standard_error for one in found])
    assert np.sqrt((errors**2).mean()) == pytest.approx(TRUE_ERROR, rel=0.06)
    # A true gain of 0.0882 is found in 80 % of experiments by a test that knows the error.
    shift = (student.ppf(0.95, 60) + student.ppf(0.8, 60)) * TRUE_ERROR
    powers = sum(
        gain(Resampled(one.values + shift, one.replicates + shift), null, patients=48).p_value
        < 0.05
        for one in experiments
    )
    assert 290 <= powers <= 350
    # Over seeds alone, as in the paper, the patients' part is not seen.
    by_seeds = [seed_test(one.values, null.values).p_value for one in experiments]
    assert sum(p_value < 0.05 for p_value in by_seeds) > 30


def test_the_parts_of_a_spread_by_hand() -> None:
    # Two seeds, two resamples: means 0.1 and 0.3, so V_A = 0.02; of each seed 0.02 and 0.02
    # around other means, so V_1 = 0.02: no interaction. Seeds' differences 0.1 and 0.3: 0.02 / 2.
    spread = Spread.of(np.array([0.1, 0.3]), np.array([[0.0, 0.2], [0.2, 0.4]]))
    assert (spread.of_patients, spread.of_seeds) == pytest.approx((0.02, 0.01))
    assert spread.interaction == pytest.approx(0, abs=1e-12)
    # Seeds that react to patients oppositely: nothing is left of it in the mean.
    opposed = Spread.of(np.array([0.1, 0.3]), np.array([[0.0, 0.2], [0.4, 0.2]]))
    assert (opposed.of_patients, opposed.interaction) == pytest.approx((0, 0.02), abs=1e-12)
    assert opposed.variance == 0  # not below the patients' part


# What is said


def a_gain(**changes: float) -> Gain:
    values: dict[str, float] = {
        "value": 0.05, "low": 0.01, "high": 0.09, "p_value": 0.01, "standard_error": 0.02,
        "cohens_d": 1.0, "hedges_g": 0.9, "seeds": 10, "patients": 60,
    }  # fmt: skip
    return Gain(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "p_value", "finding", "words"),
    [
        ({}, 0.01, Finding.GAIN, "It is better"),
        ({}, 0.2, Finding.NOT_SHOWN, "A gain above 0.090 can be ruled out"),
        ({"low": -0.09, "high": -0.01, "value": -0.05}, 1.0, Finding.LOSS, "It is worse"),
        ({"seeds": 2}, 0.001, Finding.TOO_FEW, "2 seeds, and 3 are the least"),
        ({"patients": 12}, 0.001, Finding.TOO_FEW, "12 test patients, and 20 are the least"),
        ({"low": np.nan, "high": np.nan}, 0.001, Finding.TOO_FEW, "not defined"),
    ],
)
def test_what_can_be_concluded_is_said(
    changes: dict[str, float], p_value: float, finding: Finding, words: str
) -> None:
    one = a_gain(**changes)
    assert finding_of(one, p_value=p_value) == finding
    said = conclude(one, p_value=p_value, arm="With", reference="Without", metric="Macro F1")
    assert words in said
    assert "“With”" in said and "“Without”" in said
