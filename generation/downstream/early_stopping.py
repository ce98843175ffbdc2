"""The loop that downstream models share: early stopping by a fixed rule, resumable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from generation.training.checkpoints import (
    Report,
    generator_for,
    learning_rate,
    load_state,
    save_state,
)

SMALLEST_GAIN = 0.001
"""What a validation figure must gain to count as better."""
WARM_UP = 20
CLIPPED_NORM = 1.0
WEIGHT_DECAY = 1e-2


class Schedule(Protocol):
    """What the specs of downstream models say of their training."""

    @property
    def max_steps(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def evaluate_every(self) -> int: ...
    @property
    def patience(self) -> int: ...
    @property
    def seed(self) -> int: ...


@dataclass
class Best:
    """The best validation figure so far, the step it was measured at, and its weights."""

    figure: float = float("-inf")
    step: int = 0
    weights: dict[str, torch.Tensor] | None = None
    not_better: int = 0

    def note(self, figure: float, *, step: int, net: nn.Module) -> None:
        if figure > self.figure + SMALLEST_GAIN or self.weights is None:
            weights = {
                name: value.detach().cpu().clone() for name, value in net.state_dict().items()
            }
            self.figure, self.step, self.weights, self.not_better = figure, step, weights, 0
        else:
            self.not_better += 1


def train_until_no_better(
    net: nn.Module,
    schedule: Schedule,
    *,
    loss_of: Callable[[torch.Generator], torch.Tensor],
    validate: Callable[[], float],
    checkpoint: Path,
    report: Report,
) -> Best:
    """Train, or take up again, and leave ``net`` with the best weights, in evaluation mode.

    All randomness of a step follows from the seed and the step's number. ``validate``
    gives a figure of which more is better; it is called in evaluation mode.
    """
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=schedule.learning_rate, weight_decay=WEIGHT_DECAY
    )
    step, best = 0, Best()
    if state := load_state(checkpoint):
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        step, best = state["step"], Best(**state["best"])
    while step < schedule.max_steps and best.not_better < schedule.patience:
        net.train()
        # A step's dropout, where a net has any, is drawn from the global generator.
        torch.manual_seed(schedule.seed * 1_000_003 + step)
        loss = loss_of(generator_for(schedule.seed, step))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(
                step,
                peak=schedule.learning_rate,
                warm_up=min(WARM_UP, schedule.max_steps),
                total=schedule.max_steps,
            )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIPPED_NORM)
        optimizer.step()
        step += 1
        if step % schedule.evaluate_every == 0 or step == schedule.max_steps:
            net.eval()
            best.note(validate(), step=step, net=net)
            save_state(checkpoint, _state(net, optimizer, step=step, best=best))
        report(step, _figures(loss, best))
    assert best.weights is not None
    net.load_state_dict(best.weights)
    net.eval()
    return best


def _state(
    net: nn.Module, optimizer: torch.optim.Optimizer, *, step: int, best: Best
) -> Mapping[str, Any]:
    return {
        "net": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "best": dict(vars(best)),
    }


def _figures(loss: torch.Tensor, best: Best) -> dict[str, float]:
    figures = {"loss": loss.item()}
    return figures | ({"best": best.figure} if best.weights is not None else {})
