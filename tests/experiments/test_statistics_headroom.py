"""What there is to gain, and what a predictor has that looks at no image, by hand."""

import numpy as np
import pytest

from feedback_app.experiments.statistics.headroom import ALWAYS, headroom_of
from feedback_app.experiments.statistics.metrics import METRICS
from feedback_app.experiments.statistics.predictions import Drawn, Told


def test_headroom_of_a_classification_by_hand() -> None:
    truth = np.array([[True, True, True, False]])
    known = np.ones_like(truth)
    right = Told(truth, known, truth.astype(float), truth)
    wrong = Told(truth, known, 1.0 - truth, ~truth)
    few, most = headroom_of(METRICS["macro_f1"], {8: [right], 2: [wrong, right]})
    # Always there: presence 6 / 7, absence 0.
    assert (few.real_size, few.value, few.trivial) == (2, 0.5, ALWAYS)
    assert few.trivial_value == pytest.approx(3 / 7)
    assert (few.with_most, few.room) == (1.0, 0.5)
    assert (most.room, most.is_trivial) == (0.0, False)
    (area,) = headroom_of(METRICS["auroc"], {2: [wrong]})
    assert (area.trivial_value, area.is_trivial) == (0.5, True)


def test_headroom_of_a_segmentation_takes_the_best_trivial_mask() -> None:
    def drawn(dice: float, lungs: list[float]) -> Drawn:
        values = {"mean mask": np.array([0.4, 0.6]), "all lungs": np.array(lungs)}
        return Drawn(np.full(2, dice), np.full(2, np.nan), np.ones(2, dtype=bool), values)

    (found,) = headroom_of(METRICS["dice"], {2: [drawn(0.5, [0.6, 0.7])]})
    assert (found.trivial, found.is_trivial) == ("all lungs", True)
    assert found.trivial_value == pytest.approx(0.65)
    # Where lungs are not known of every image, they are no comparison.
    (found,) = headroom_of(METRICS["dice"], {2: [drawn(0.55, [0.6, np.nan])]})
    assert (found.trivial, found.trivial_value, found.is_trivial) == ("mean mask", 0.5, False)
    (far,) = headroom_of(METRICS["hd95"], {2: [drawn(0.5, [0.6, 0.7])]})
    assert (far.trivial, far.room) == ("", None)
