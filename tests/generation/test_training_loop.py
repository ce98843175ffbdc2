"""The loop that trains everything: what it takes up again, and what it leaves."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from generation.errors import RemediableError
from generation.training.checkpoints import save_state
from generation.training.loop import Figures, Plan, Trainee, train
from generation.training.schedules import constant, warm_up_then_cosine

PLAN = Plan(
    steps=9,
    learning_rate=0.1,
    schedule=warm_up_then_cosine(warm_up=3, total=9),
    weight_decay=0.1,
    clipped_norm=1.0,
    ema_decay=0.9,
    checkpoint_every=4,
)


class Line(Trainee):
    """A line through noisy points, with dropout, which draws from the global generator."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.3), nn.Linear(4, 1))
        super().__init__(net=self.net)

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        points = torch.randn(8, 3, generator=generator)
        error = (self.net(points)[:, 0] - points.sum(1)).square().mean()
        return error, {"error": error, "twice": 2 * error}


def ended(plan: Plan, checkpoint: Path | None, *, killed_in: int | None = None) -> torch.Tensor:
    """All weights that are left after a training, in one row."""

    def report(step: int, figures: Mapping[str, float]) -> None:
        if step == killed_in:
            raise KeyboardInterrupt

    line = Line()
    train(line, plan, checkpoint=checkpoint, report=report)
    return torch.cat([weight.detach().flatten() for weight in line.weights])


@pytest.mark.parametrize("killed_in", [1, 4, 7])
def test_a_killed_training_ends_with_the_weights_of_an_unbroken_one(
    tmp_path: Path, killed_in: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        ended(PLAN, tmp_path / "state.pt", killed_in=killed_in)
    assert ended(PLAN, tmp_path / "state.pt").equal(ended(PLAN, None))


def test_what_has_ended_is_given_again_without_a_step(tmp_path: Path) -> None:
    first = ended(PLAN, tmp_path / "state.pt")
    assert ended(PLAN, tmp_path / "state.pt", killed_in=1).equal(first)


def test_averaged_weights_are_what_is_left() -> None:
    """Three steps by hand: EMA decays 0, 2/11 and 3/12, as in diffusers."""
    plain, steps = replace(PLAN, ema_decay=0.0), [1, 2, 3]
    first, second, third = (ended(replace(plain, steps=n, schedule=constant), None) for n in steps)
    expected = first.lerp(second, 1 - 2 / 11).lerp(third, 1 - 3 / 12)
    averaged = ended(replace(PLAN, steps=3, schedule=constant), None)
    torch.testing.assert_close(averaged, expected)


def test_the_learning_rate_rises_in_a_line_and_falls_in_a_cosine_to_a_hundredth() -> None:
    share = warm_up_then_cosine(warm_up=4, total=12)
    assert [share(step) for step in (0, 1, 3, 4)] == pytest.approx([0.25, 0.5, 1, 1])
    assert share(8) == pytest.approx(0.01 + 0.99 / 2)
    assert share(12) == pytest.approx(0.01)


def test_a_step_of_a_small_rate_moves_less() -> None:
    """The first step of AdamW is about the learning rate long, whatever the gradient."""
    start = torch.cat([weight.detach().flatten() for weight in Line().weights])
    plan = Plan(steps=1, learning_rate=1e-3, weight_decay=0.0)
    moved = (ended(plan, None) - start).abs()
    assert moved[moved > 0].median() == pytest.approx(1e-3, rel=1e-2)
    slower = replace(plan, schedule=warm_up_then_cosine(warm_up=10, total=20))
    assert (ended(slower, None) - start).abs().max() == pytest.approx(1e-4, rel=1e-2)


def test_figures_come_as_numbers_and_the_networks_back_in_evaluation_mode() -> None:
    told: list[Mapping[str, float]] = []
    line = Line()
    train(line, PLAN, checkpoint=None, report=lambda step, figures: told.append(figures))
    assert len(told) == PLAN.steps
    assert told[0]["twice"] == pytest.approx(2 * told[0]["error"])
    assert not line.net.training


def test_a_checkpoint_of_another_version_is_refused_with_a_remedy(tmp_path: Path) -> None:
    save_state(tmp_path / "state.pt", {"step": 3, "weights": []})
    with pytest.raises(RemediableError, match="another version") as error:
        ended(PLAN, tmp_path / "state.pt")
    assert "anew" in error.value.remedy
