"""Figures of downstream models, by hand and against scikit-learn."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from generation.downstream.figures import (
    best_mask_threshold,
    best_threshold,
    classification_figures,
    f1,
    hausdorff_95,
    macro_f1,
    segmentation_figures,
)

TRUTH = np.array([True, True, True, False, False])
SAID = np.array([True, True, False, True, False])
PROBABILITIES = np.array([0.9, 0.8, 0.3, 0.6, 0.2])


def test_f1_by_hand() -> None:
    assert f1(TRUTH, SAID) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert f1(~TRUTH, ~SAID) == pytest.approx(2 * 1 / (2 * 1 + 1 + 1))
    assert macro_f1(TRUTH, SAID) == pytest.approx((2 / 3 + 1 / 2) / 2)
    nothing = np.zeros(3, bool)
    assert f1(nothing, nothing) == 0


def test_f1_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        truth, said = generator.random((2, 17)) < generator.random((2, 1))
        assert f1(truth, said) == pytest.approx(f1_score(truth, said, zero_division=0))
        assert macro_f1(truth, said) == pytest.approx(
            f1_score(truth, said, average="macro", labels=[0, 1], zero_division=0)
        )


def test_the_threshold_is_where_macro_f1_is_highest() -> None:
    # Between 0.6 and 0.8 one image of three is missed; below 0.3 one of two is called wrongly.
    assert best_threshold(TRUTH, PROBABILITIES) == pytest.approx(0.7)
    everywhere = best_threshold(np.array([True, False]), np.array([0.9, 0.1]))
    assert everywhere == 0.5


def test_figures_of_one_finding_by_hand() -> None:
    found = classification_figures({"mass": TRUTH}, {"mass": PROBABILITIES}, {"mass": 0.5})
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found["f1_mass"] == found["f1"] == pytest.approx(2 / 3)
    assert found["auroc_mass"] == pytest.approx(5 / 6)  # one of six pairs is the wrong way round
    assert found["average_precision"] == pytest.approx((1 + 1 + 3 / 4) / 3)


def test_figures_of_several_findings_are_means() -> None:
    never = np.zeros(5, bool)
    found = classification_figures(
        {"mass": TRUTH, "lung opacity": never},
        {"mass": PROBABILITIES, "lung opacity": PROBABILITIES},
        {"mass": 0.5, "lung opacity": 0.95},
    )
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["auroc"] == found["auroc_mass"]
    assert found["f1_lung_opacity"] == 0 and "auroc_lung_opacity" not in found


def squares() -> tuple[torch.Tensor, torch.Tensor]:
    """Drawn and true: one of 4 x 4 that is drawn 2 columns too far right, and one not drawn."""
    drawn, truth = torch.zeros(2, 2, 12, 12, dtype=torch.bool)
    truth[:, 4:8, 2:6] = True
    drawn[0, 4:8, 4:8] = True
    return drawn, truth


def test_distances_by_hand_and_none_where_nothing_is_drawn() -> None:
    drawn, truth = squares()
    assert hausdorff_95(drawn, truth) == [2.0, None]


def test_figures_of_masks_by_hand() -> None:
    found = segmentation_figures([0.5, 0.0, 1.0], [2.0, None, None], [True, True, False])
    assert found == pytest.approx({"dice": 0.5, "dice_positive": 0.25, "hd95": 2.0})
    assert "hd95" not in segmentation_figures([1.0], [None], [False])


def test_the_mask_threshold_is_where_dice_is_highest() -> None:
    _, truth = squares()
    probabilities = torch.where(truth, 0.35, 0.25)
    assert best_mask_threshold(probabilities, truth) == pytest.approx(0.3)
    assert best_mask_threshold(truth.float(), truth) == 0.5
    assert not math.isnan(best_mask_threshold(torch.zeros(2, 12, 12), truth))
