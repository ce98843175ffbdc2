"""Figures under weights: by hand, against scikit-learn, and against repeated images."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from feedback_app.experiments.statistics.metrics import METRICS
from feedback_app.experiments.statistics.predictions import (
    Drawn,
    Told,
    read_images,
    read_outcome,
)
from generation.errors import RemediableError


def told(truth: list[list[int]], probability: list[list[float]]) -> Told:
    found = np.array(probability)
    return Told(
        truth=np.array(truth, dtype=bool),
        known=np.ones(found.shape, dtype=bool),
        probability=found,
        said=found >= 0.5,
    )


@pytest.fixture
def random_told() -> Told:
    randomness = np.random.default_rng(3)
    truth = randomness.random((3, 60)) < 0.4
    probability = np.clip(truth * 0.2 + randomness.random((3, 60)), 0, 1).round(1).astype(float)
    return Told(truth, np.ones((3, 60), dtype=bool), probability, probability >= 0.5)


def test_macro_f1_of_one_finding_by_hand() -> None:
    # 2 right, 1 missed, 1 false alarm: F1 = 4 / 6; of absence 1 right: 2 / 4.
    one = told([[1, 1, 1, 0, 0]], [[0.9, 0.8, 0.1, 0.7, 0.2]])
    assert METRICS["macro_f1"].value(one) == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert METRICS["f1"].value(one) == pytest.approx(4 / 6)


def test_auroc_and_average_precision_by_hand() -> None:
    # Of 6 pairs 4 are in order, one is tied. Precision 1 at recall 1/2, 2/3 at recall 1 (tie).
    one = told([[1, 0, 1, 0, 0]], [[0.9, 0.4, 0.4, 0.3, 0.1]])
    assert METRICS["auroc"].value(one) == pytest.approx((3 + 2 + 0.5) / 6)
    assert METRICS["average_precision"].value(one) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_figures_agree_with_scikit_learn(random_told: Told) -> None:
    rows = list(zip(random_told.truth, random_told.said, random_told.probability, strict=True))
    expected = {
        "macro_f1": np.mean([f1_score(truth, said) for truth, said, _ in rows]),
        "auroc": np.mean([roc_auc_score(truth, found) for truth, _, found in rows]),
        "average_precision": np.mean(
            [average_precision_score(truth, found) for truth, _, found in rows]
        ),
    }
    for name, value in expected.items():
        assert METRICS[name].value(random_told) == pytest.approx(value), name


@pytest.mark.parametrize("name", ["macro_f1", "f1", "auroc", "average_precision"])
def test_a_weight_counts_as_so_many_images(random_told: Told, name: str) -> None:
    counts = np.random.default_rng(5).integers(0, 4, (4, 60))
    weighted = METRICS[name].under(random_told, counts.astype(float))
    for row, count in zip(weighted, counts, strict=True):
        chosen = np.repeat(np.arange(60), count)
        drawn = Told(
            random_told.truth[:, chosen],
            random_told.known[:, chosen],
            random_told.probability[:, chosen],
            random_told.said[:, chosen],
        )
        assert row == pytest.approx(METRICS[name].value(drawn))


def test_what_is_not_known_does_not_count(random_told: Told) -> None:
    known = random_told.known.copy()
    known[0, 30:] = False
    part = Told(random_told.truth, known, random_told.probability, random_told.said)
    assert METRICS["f1"].value(part) == pytest.approx(
        np.mean(
            [
                f1_score(random_told.truth[0, :30], random_told.said[0, :30]),
                *map(f1_score, random_told.truth[1:], random_told.said[1:]),
            ]
        )
    )


def test_without_a_positive_image_there_is_no_auroc() -> None:
    nobody = told([[0, 0, 0]], [[0.2, 0.6, 0.1]])
    assert np.isnan(METRICS["auroc"].value(nobody))
    assert np.isnan(METRICS["average_precision"].value(nobody))


def test_dice_and_distance_by_hand() -> None:
    drawn = Drawn(
        dice=np.array([0.8, 0.6, 1.0]),
        hd95=np.array([4.0, 2.0, np.nan]),
        is_positive=np.array([True, True, False]),
    )
    assert METRICS["dice"].value(drawn) == pytest.approx(0.8)
    assert METRICS["dice_positive"].value(drawn) == pytest.approx(0.7)
    assert METRICS["hd95"].value(drawn) == pytest.approx(3.0)
    assert METRICS["hd95"].sign == -1
    weights = np.array([[3.0, 1.0, 0.0]])
    assert METRICS["dice"].under(drawn, weights)[0] == pytest.approx((3 * 0.8 + 0.6) / 4)


def test_images_are_grouped_by_what_is_known_of_them() -> None:
    rows: list[dict[str, Any]] = [
        {"image_id": "a", "patient": "p", "sex": "F", "age_years": 70, "view": "PA", "race": "A"},
        {"image_id": "b", "patient": "p", "sex": "", "age_years": None, "view": "AP"},
        {"image_id": "c", "patient": "q", "sex": "M", "age_years": 30, "view": "PA"},
    ]
    images = read_images(rows)
    groups = {
        trait: {name: members.tolist() for name, members in images.groups(trait).items()}
        for trait in ("sex", "age", "view", "race")
    }
    assert images.patients.tolist() == [0, 0, 1]
    assert groups == {
        "sex": {"female": [True, False, False], "male": [False, False, True]},
        "age": {"18 to 39": [False, False, True], "65 and over": [True, False, False]},
        "view": {"AP": [False, True, False], "PA": [True, False, True]},
        "race": {"A": [True, False, False]},
    }


def test_predictions_of_other_images_cannot_be_compared() -> None:
    def rows(*names: str) -> list[dict[str, object]]:
        return [
            {"image_id": name, "patient": name, "dice": 0.5, "hd95": None, "is_positive": True}
            for name in names
        ]

    images = read_images(rows("b", "a"))
    assert images.image_ids == ("a", "b")
    with pytest.raises(RemediableError, match="different test images"):
        read_outcome(rows("a", "c"), images, findings=())
