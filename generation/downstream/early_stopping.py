"""How downstream models are trained: until validation gets no better, or for all steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from generation.training.checkpoints import Report
from generation.training.loop import Figures, Plan, Trainee, train
from generation.training.schedules import warm_up_then_cosine

SMALLEST_GAIN = 0.001
"""What a validation figure must gain to count as better."""
WARM_UP = 20


class Schedule(Protocol):
    """The specs of downstream models say this of their training."""

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
    """The best validation figure so far, the step it was measured at, and its weights.

    ``not_better`` counts the measurements since then, once anything was learnt: a network
    that still draws nothing at all is not one that gets no better.
    """

    figure: float = float("-inf")
    step: int = 0
    weights: dict[str, torch.Tensor] | None = None
    not_better: int = 0

    def note(self, figure: float, *, step: int, net: nn.Module, chance: float) -> None:
        """Take in a measurement; ``chance`` is what a model reaches that looks at no image."""
        if figure > self.figure + SMALLEST_GAIN or self.weights is None:
            weights = {
                name: value.detach().cpu().clone() for name, value in net.state_dict().items()
            }
            self.figure, self.step, self.weights, self.not_better = figure, step, weights, 0
        elif self.figure > chance + SMALLEST_GAIN:
            self.not_better += 1


class DownstreamTrainee(Trainee):
    """A downstream network that is measured on validation every so many steps, or never."""

    def __init__(
        self,
        net: nn.Module,
        schedule: Schedule,
        *,
        loss_of: Callable[[torch.Generator], torch.Tensor],
        validate: Callable[[], float] | None,
        chance: float = 0.0,
    ) -> None:
        super().__init__(net=net)
        self.net = net
        self.schedule = schedule
        self.loss_of = loss_of
        self.validate = validate
        self.chance = chance
        self.best = Best()

    @property
    def is_finished(self) -> bool:
        return self.best.not_better >= self.schedule.patience

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        loss = self.loss_of(generator)
        return loss, {"loss": loss}

    def follow(self, step: int, figures: dict[str, float]) -> dict[str, float]:
        is_due = step % self.schedule.evaluate_every == 0 or step == self.schedule.max_steps
        if is_due and self.validate is not None:
            self.net.eval()
            self.best.note(self.validate(), step=step, net=self.net, chance=self.chance)
            self.net.train()
        return figures if self.best.weights is None else figures | {"best": self.best.figure}

    def state(self) -> dict[str, Any]:
        return super().state() | {"best": dict(vars(self.best))}

    def load(self, state: Mapping[str, Any]) -> None:
        super().load(state)
        self.best = Best(**state["best"])


def train_until_no_better(
    net: nn.Module,
    schedule: Schedule,
    *,
    loss_of: Callable[[torch.Generator], torch.Tensor],
    validate: Callable[[], float],
    chance: float,
    checkpoint: Path,
    report: Report,
) -> Best:
    """Train, or take up again, and leave ``net`` with the best weights, in evaluation mode.

    ``validate`` gives a figure of which more is better; it is called in evaluation mode. The
    training ends where ``patience`` measurements in a row were not better, and not before one
    was better than ``chance``, what is reached without looking at an image.
    """
    trainee = DownstreamTrainee(net, schedule, loss_of=loss_of, validate=validate, chance=chance)
    train(trainee, plan_of(schedule), checkpoint=checkpoint, report=report)
    best = trainee.best
    assert best.weights is not None
    net.load_state_dict(best.weights)
    return best


def train_for_all_steps(
    net: nn.Module,
    schedule: Schedule,
    *,
    loss_of: Callable[[torch.Generator], torch.Tensor],
    checkpoint: Path,
    report: Report,
) -> None:
    """Train, or take up again, and leave ``net`` as it is in the end; nothing is measured."""
    trainee = DownstreamTrainee(net, schedule, loss_of=loss_of, validate=None)
    train(trainee, plan_of(schedule), checkpoint=checkpoint, report=report)


def plan_of(schedule: Schedule) -> Plan:
    return Plan(
        steps=schedule.max_steps,
        seed=schedule.seed,
        learning_rate=schedule.learning_rate,
        schedule=warm_up_then_cosine(
            warm_up=min(WARM_UP, schedule.max_steps), total=schedule.max_steps
        ),
        weight_decay=1e-2,
        clipped_norm=1.0,
        checkpoint_every=schedule.evaluate_every,
    )
