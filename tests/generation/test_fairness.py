"""Fairness: figures by group worked out by hand, a planted bias found, none where there is none."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from generation.statistics.fairness import (
    LEAST,
    Judged,
    age_group,
    find_biased,
    holm,
    report,
    with_pairs,
)

SEEDS = 20


def simulated(
    seed: int, *, shift: float = 0.0, count: int = 300, share_ill: tuple[float, float] = (0.3, 0.3)
) -> tuple[Judged, dict[str, np.ndarray]]:
    """Two images a patient; scores of the ill are higher, and women's lower by ``shift``."""
    generator = np.random.default_rng(seed)
    patients = np.arange(count) // 2
    sex = generator.choice(["F", "M"], count // 2)[patients].astype(object)
    race = generator.choice(["asian", "black", "white"], count // 2)[patients].astype(object)
    ill = generator.random(count) < np.where(sex == "F", *share_ill)
    scores = 0.35 + 0.3 * ill + generator.normal(0, 0.15, count) - shift * (sex == "F")
    judged = Judged(truth=ill, scores=scores.clip(0, 1), patients=patients.astype(str))
    return judged, {"sex": sex, "race": race}


def test_figures_of_a_group_are_those_of_its_images() -> None:
    truth = np.tile([True, True, False, False], 10)
    scores = np.tile([0.9, 0.2, 0.6, 0.1], 10)
    sex = np.repeat(np.array(["F", "M"], dtype=object), 20)
    judged = Judged(truth=truth, scores=scores, patients=np.arange(40).astype(str))
    [of_sex] = report(judged, {"sex": sex})
    women = of_sex.groups[0]
    assert (women.group, women.images, women.patients, women.ill) == ("F", 20, 20, 10)
    assert women.f1.value == 0.5
    assert women.auroc.value == 0.75
    assert women.sensitivity.value == women.false_alarms.value == 0.5
    assert women.calibration.value == pytest.approx(0.45 - 0.5)
    assert of_sex.f1_gap.value == of_sex.equalised_odds == 0.0
    assert of_sex.score_gap == pytest.approx(0.0)
    assert not of_sex.is_biased


def test_equalised_odds_is_the_larger_gap_of_the_ill_and_the_well() -> None:
    truth = np.tile([True, False], 40)
    sex = np.repeat(np.array(["F", "M"], dtype=object), 40)
    scores = np.where(truth, 0.9, 0.1)
    scores[:10] = 0.1  # five ill women are missed
    judged = Judged(truth=truth, scores=scores, patients=np.arange(80).astype(str))
    [of_sex] = report(judged, {"sex": sex})
    assert of_sex.equalised_odds == 0.25
    assert of_sex.score_gap == pytest.approx(0.8 * 0.25)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_shift_of_one_sexs_scores_comes_out(seed: int) -> None:
    judged, attributes = simulated(seed, shift=0.15)
    assert find_biased(judged, attributes, seed=seed) == ["sex"]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_comes_out_where_there_is_no_bias(seed: int) -> None:
    judged, attributes = simulated(seed)
    assert find_biased(judged, with_pairs(attributes), seed=seed) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_sex_that_is_more_often_ill_is_no_bias(seed: int) -> None:
    judged, attributes = simulated(seed, share_ill=(0.6, 0.2))
    assert find_biased(judged, attributes, seed=seed) == []


def test_a_report_says_what_is_biased_and_how_far() -> None:
    judged, attributes = simulated(0, shift=0.15)
    [of_sex] = report(judged, {"sex": attributes["sex"]})
    assert of_sex.is_biased
    assert of_sex.score_gap == pytest.approx(0.15, abs=0.05)
    women, men = of_sex.groups
    assert women.false_alarms.high < men.false_alarms.low
    assert women.sensitivity.value < men.sensitivity.value
    assert women.calibration.value < men.calibration.value


def test_the_area_is_sklearns() -> None:
    judged, attributes = simulated(3)
    rounded = Judged(truth=judged.truth, scores=judged.scores.round(1), patients=judged.patients)
    [of_race] = report(rounded, {"race": attributes["race"]})
    for group in of_race.groups:
        chosen = attributes["race"] == group.group
        assert group.auroc.value == pytest.approx(
            roc_auc_score(rounded.truth[chosen], rounded.scores[chosen])
        )


def test_groups_that_are_too_small_are_named_and_not_compared() -> None:
    judged, attributes = simulated(0)
    race = attributes["race"].copy()
    race[:3], race[3:10] = "other", ""
    [of_race] = report(judged, {"race": race})
    assert of_race.too_small == {"other": 3}
    assert of_race.unknown == 7
    assert {group.group for group in of_race.groups} == {"asian", "black", "white"}
    assert min(group.images for group in of_race.groups) >= LEAST


def test_one_group_alone_has_figures_and_no_gap() -> None:
    judged, _ = simulated(0)
    everybody = np.full(len(judged.truth), "PA", dtype=object)
    [of_view] = report(judged, {"view": everybody})
    assert len(of_view.groups) == 1
    assert math.isnan(of_view.equalised_odds) and math.isnan(of_view.f1_gap.value)
    assert not of_view.is_biased


def test_pairs_are_known_where_both_are() -> None:
    pairs = with_pairs({"sex": ["F", "M", ""], "age": ["over 65", "", "over 65"]})
    assert pairs["sex and age"].tolist() == ["F, over 65", "", ""]


def test_holm_corrects_the_smallest_most() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    corrected = holm([math.nan, 0.02])
    assert math.isnan(corrected[0]) and corrected[1] == 0.02


def test_the_age_bands_are_the_papers() -> None:
    assert [age_group(age) for age in (None, 65, 66)] == ["", "up to 65", "over 65"]
