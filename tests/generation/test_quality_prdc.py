"""Precision, recall, density and coverage, by hand; and the jackknife over groups."""

import numpy as np
import pytest
import torch

from generation.quality.prdc import prdc
from generation.statistics.intervals import NORMAL_95, jackknife


def line(*places: float) -> torch.Tensor:
    """Points on a line: N x 1."""
    return torch.tensor(places)[:, None]


def test_by_hand_on_a_line() -> None:
    """Real at 0, 1, 3 have balls to 1, 1, 2; made at 0.5, 10, 10.25 to 9.5, 0.25, 0.25.

    Of the made, 0.5 lies in the balls of 0 and 1 alone; so two of three real balls hold
    one, and all real points lie in the ball of 0.5.
    """
    found = prdc(line(0.5, 10, 10.25), line(0, 1, 3), nearest_k=1)
    figures = (found.precision, found.recall, found.density, found.coverage)
    assert figures == pytest.approx((1 / 3, 1.0, 2 / 3, 2 / 3))


def test_the_surface_of_a_ball_is_outside() -> None:
    assert prdc(line(2, 100), line(0, 1), nearest_k=1).precision == 0.0


def test_the_same_points_are_as_good_as_can_be() -> None:
    points = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    found = prdc(points, points, nearest_k=5)
    assert (found.precision, found.recall, found.coverage) == (1.0, 1.0, 1.0)
    assert found.density >= 1.0


def test_one_picture_over_and_over_is_precise_and_reaches_little() -> None:
    randomness = torch.Generator().manual_seed(1)
    real = torch.randn(60, 8, generator=randomness)
    collapsed = real[:1] + 1e-3 * torch.randn(60, 8, generator=randomness)
    found = prdc(collapsed, real, nearest_k=5)
    assert found.precision == 1.0
    assert found.recall < 0.1
    assert found.coverage < 0.5


def test_too_few_images_are_refused() -> None:
    with pytest.raises(ValueError, match="for k = 5"):
        prdc(line(0, 1, 2, 3, 4), line(0, 1, 2, 3, 4, 5))


def test_the_jackknife_of_a_mean_by_hand() -> None:
    """Groups {1, 3} and {5}: leaving one out gives 5 and 2; sqrt(1/2 * (1.5^2 + 1.5^2)) = 1.5."""
    values = np.array([1.0, 3.0, 5.0])
    found = jackknife(lambda chosen: float(values[chosen].mean()), groups=["a", "a", "b"])
    assert found.value == 3.0
    assert (found.low, found.high) == pytest.approx((3 - NORMAL_95 * 1.5, 3 + NORMAL_95 * 1.5))


def test_an_interval_needs_two_groups() -> None:
    with pytest.raises(ValueError, match="two of them"):
        jackknife(lambda chosen: 0.0, groups=["a", "a"])
