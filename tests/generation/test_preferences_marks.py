"""Marked regions: on the grid of latents, and in the losers' errors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from generation.preferences.finetuning import objective_for
from generation.preferences.losses import noise_error
from generation.preferences.marks import marked_shares, weights_of
from generation.preferences.objectives import DpoObjective
from generation.specs import Mark
from tests.generation.made_lessons import (
    disturb,
    make_lessons,
    make_network,
    make_scheduler,
    make_spec,
)


def box(left: float, top: float, right: float, bottom: float) -> Mark:
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Mark(flag="odd-ribs", grade="minor", corners=corners)


def test_marks_lie_on_the_grid_as_the_image_does(tmp_path: Path) -> None:
    square, wide = tmp_path / "square.png", tmp_path / "wide.png"
    Image.new("L", (64, 64)).save(square)
    Image.new("L", (128, 64)).save(wide)
    one = marked_shares([box(0, 0, 0.25, 0.5), box(0, 0, 0.25, 0.25)], square, grid=(4, 4))
    assert one[:2, 0] == pytest.approx(1)
    assert one.sum() == pytest.approx(2)
    half = marked_shares([box(0.125, 0, 0.25, 0.25)], square, grid=(4, 4))
    assert half[0, 0] == pytest.approx(0.5, abs=1 / 8)  # edges are drawn whole
    # The central square of the wide one is from a quarter to three quarters of its width.
    assert marked_shares([box(0.25, 0, 0.5, 1)], wide, grid=(4, 4)).sum(0).tolist() == [4, 4, 0, 0]
    assert not marked_shares([box(0, 0, 0.2, 1)], wide, grid=(4, 4)).any()


def test_weights_have_a_mean_of_one_and_are_even_where_nothing_is_marked() -> None:
    shares = torch.zeros(2, 2, 2)
    shares[0, 0, 0] = 1
    weights = weights_of(shares, region_weight=0.5)
    assert weights[0].tolist() == [[2.5, 0.5], [0.5, 0.5]]
    assert weights[1].tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("whole_cases", [False, True])
def test_only_the_losers_errors_are_taken_where_they_were_marked(whole_cases: bool) -> None:
    """The whole image marked changes nothing; a part of it changes the losers' errors alone."""
    lessons, network, scheduler = make_lessons(), make_network(), make_scheduler()
    disturb(network.add_lora(rank=2, seed=0))
    some = torch.zeros(4, 8, 8)
    some[:, 2:4, 2:4] = 1
    found = {}
    for name, shares in {"none": torch.empty(0), "all": torch.ones(4, 8, 8), "some": some}.items():
        marked = replace(lessons, pairs=replace(lessons.pairs, loser_marked=shares.half()))
        spec = make_spec(region_weight=1.0, whole_cases=whole_cases)
        objective = objective_for(network, scheduler, marked, spec)
        assert isinstance(objective, DpoObjective)
        draw = objective.draw(torch.Generator().manual_seed(1))
        found[name] = objective.errors(draw), objective.pairs_of(draw)[0]
    (plain, _, _), chosen = found["none"]
    (whole, _, _), _ = found["all"]
    (part, gradients, _), _ = found["some"]
    assert torch.allclose(plain.loser, whole.loser, atol=1e-6)
    assert torch.equal(plain.winner, part.winner)
    assert not torch.allclose(plain.loser, part.loser, atol=1e-3)
    assert not torch.allclose(plain.reference_loser, part.reference_loser, atol=1e-3)
    assert len(gradients.loser_squared) == len(chosen)


def test_the_loss_pulls_at_the_losers_prediction_inside_the_marks_alone() -> None:
    prediction = torch.randn(1, 4, 8, 8, requires_grad=True)
    shares = torch.zeros(1, 8, 8)
    shares[:, 2:4, 2:4] = 1
    one = torch.ones(1)
    noise_error(
        prediction, torch.zeros(1, 4, 8, 8), alpha=one, sigma=0 * one,
        prediction_type="epsilon", weight=weights_of(shares, region_weight=1.0),
    ).backward()  # fmt: skip
    assert prediction.grad is not None
    pulled = prediction.grad.abs().sum((0, 1)) > 0
    assert np.array_equal(pulled.numpy(), shares[0].numpy() > 0)
