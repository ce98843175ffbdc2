"""When a downstream model stops learning, by validation figures that are written down here."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from generation.downstream.early_stopping import Best, train_until_no_better

SCHEDULE = SimpleNamespace(max_steps=40, learning_rate=1e-2, evaluate_every=2, patience=3, seed=0)
CHANCE = 0.06


def train(
    figures: Sequence[float], checkpoint: Path, *, killed_after: int | None = None
) -> tuple[Best, int]:
    """Train something until it stops; the last figure goes on for ever."""
    net = nn.Linear(2, 1)
    steps: list[int] = []

    def report(step: int, found: Mapping[str, float]) -> None:
        steps.append(step)
        if step == killed_after:
            raise KeyboardInterrupt

    def validate() -> float:
        done = (len(steps) + 1 + begun) // SCHEDULE.evaluate_every
        return figures[min(done, len(figures)) - 1]

    begun = torch.load(checkpoint)["step"] if checkpoint.exists() else 0
    best = train_until_no_better(
        net,
        SCHEDULE,
        loss_of=lambda generator: net(torch.ones(1, 2)).square().sum(),
        validate=validate,
        chance=CHANCE,
        checkpoint=checkpoint,
        report=report,
    )
    return best, steps[-1]


def test_it_stops_where_validation_gets_no_better(tmp_path: Path) -> None:
    best, last = train([0.5, 0.7, 0.7, 0.69, 0.7], tmp_path / "state.pt")
    assert (best.figure, best.step) == (0.7, 4)
    assert last == 10  # three measurements after the best


def test_patience_does_not_run_out_before_anything_was_learnt(tmp_path: Path) -> None:
    slow = [0.05, 0.04, 0.0, 0.0, 0.0, 0.0, 0.06, 0.0, 0.3, 0.2, 0.2, 0.2]
    best, last = train(slow, tmp_path / "state.pt")
    assert (best.figure, best.step) == (0.3, 18)
    assert last == 24


def test_what_never_learns_anything_goes_on_to_the_last_step(tmp_path: Path) -> None:
    best, last = train([0.05, 0.0], tmp_path / "state.pt")
    assert last == SCHEDULE.max_steps
    assert best.figure == 0.05


def test_a_training_that_was_broken_off_has_no_more_patience_than_before(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train([0.5, 0.4, 0.4, 0.4], tmp_path / "state.pt", killed_after=7)
    best, last = train([0.5, 0.4, 0.4, 0.4], tmp_path / "state.pt")
    assert (best.step, last) == (2, 8)
