"""Fine-tuning a LoRA adapter on readings: one loop for all methods, one copy of the network."""

import math
from collections import deque
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch

from generation.errors import RemediableError
from generation.preferences.draft import DraftObjective
from generation.preferences.lessons import Lessons
from generation.preferences.networks import Network
from generation.preferences.objectives import (
    DpoObjective,
    KtoObjective,
    Objective,
    Reward,
    RewardWeightedObjective,
)
from generation.specs import PAIR_METHODS, FineTuneSpec
from generation.training import processes
from generation.training.checkpoints import Report
from generation.training.loop import Plan, Trainee, read, train
from generation.training.schedules import warm_up_share_then_cosine

WARM_UP_SHARE = 0.1
CHECKPOINT_EVERY = 25
AVERAGED_STEPS = 20
CURVE_POINTS = 200

Curve = dict[str, list[float]]
"""Figures by name at the steps that ``step`` lists, each the mean over the steps before."""


class AdapterTrainee(Trainee):
    """An adapter on a network, with the objective that it follows.

    Figures are means over the last steps; the curve has them at up to so many steps.
    """

    def __init__(self, network: Network, objective: Objective) -> None:
        super().__init__()
        self.network = network
        self.adapter = network.weights()
        self.objective = objective
        self.recent: deque[dict[str, float]] = deque(maxlen=AVERAGED_STEPS)
        self.curve: Curve = {}

    @property
    def weights(self) -> list[torch.nn.Parameter]:
        return self.adapter

    def learn(self, step: int, generator: torch.Generator) -> dict[str, float]:
        """Leave the gradients of this process's part of the batch; figures are of all of it."""
        spec = self.objective.spec
        # Every process draws the whole batch and takes its part, so that the batch is the same
        # however many there are; a part may be cut once more where memory is short.
        draw = self.objective.draw(generator)
        own = draw.part(processes.rank(), of=processes.count()).to(self.objective.device)
        found: list[dict[str, float]] = []
        for number in range(spec.accumulate):
            loss, figures = self.objective.loss(own.part(number, of=spec.accumulate))
            if loss.requires_grad:  # not where a ControlNet learns alone and nothing has a mask
                (loss / spec.accumulate).backward()
            found.append(read({"loss": loss, **figures}))
        for weight in self.adapter:  # all processes exchange the same ones, masks or not
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        means = _means(found)
        over_all = processes.average(torch.tensor(list(means.values()), dtype=torch.float64))
        return dict(zip(means, over_all.tolist(), strict=True))

    def follow(self, step: int, figures: dict[str, float]) -> dict[str, float]:
        self.objective.follow(figures)
        self.recent.append(figures)
        means = _means(self.recent)
        steps = self.objective.spec.steps
        if step % math.ceil(steps / CURVE_POINTS) == 0 or step == steps:
            _extend(self.curve, {"step": step, **means})
        return means

    def state(self) -> dict[str, Any]:
        return {
            "adapters": self.network.adapters(),
            "objective": self.objective.state(),
            "recent": list(self.recent),
            "curve": self.curve,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self.network.load_adapters(state["adapters"])
        self.objective.load(state["objective"])
        self.recent.extend(state["recent"])
        self.curve = state["curve"]


def fine_tune(
    network: Network,
    scheduler: Any,
    lessons: Lessons,
    spec: FineTuneSpec,
    *,
    checkpoint: Path,
    report: Report,
    reward: Reward | None = None,
) -> Curve:
    """Train an adapter on the network, or take it up again from ``checkpoint``.

    The same spec and lessons give the same adapter on the same machine, resumed or not.
    Under torchrun every process takes its part of each batch.
    """
    _require_equal_parts(spec)
    network.add_lora(rank=spec.rank, seed=spec.seed)
    if spec.recompute:
        network.recompute_activations()
    objective = objective_for(network, scheduler, lessons, spec, reward=reward)
    plan = Plan(
        steps=spec.steps,
        seed=spec.seed,
        learning_rate=spec.learning_rate,
        schedule=warm_up_share_then_cosine(WARM_UP_SHARE, total=spec.steps),
        weight_decay=0.0,
        clipped_norm=1.0,
        ema_decay=spec.ema_decay,
        checkpoint_every=CHECKPOINT_EVERY,
        is_shared=True,
    )
    trainee = AdapterTrainee(network, objective)
    train(trainee, plan, checkpoint=checkpoint, report=report)
    return trainee.curve


def objective_for(
    network: Network,
    scheduler: Any,
    lessons: Lessons,
    spec: FineTuneSpec,
    *,
    reward: Reward | None = None,
) -> Objective:
    """``reward`` is wanted by DRaFT and by nothing else."""
    if spec.method in PAIR_METHODS:
        return DpoObjective(network, scheduler, lessons, spec)
    if spec.method == "reward_weighted":
        return RewardWeightedObjective(network, scheduler, lessons, spec)
    if spec.method == "kto":
        return KtoObjective(network, scheduler, lessons, spec)
    if reward is None:
        raise ValueError("DRaFT climbs a reward, and none is given")
    return DraftObjective(network, scheduler, lessons, spec, reward=reward)


def _require_equal_parts(spec: FineTuneSpec) -> None:
    parts = processes.count() * spec.accumulate
    if spec.batch_size % parts:
        raise RemediableError(
            f"a batch of {spec.batch_size} cannot be shared equally in {parts} parts",
            remedy=f"Choose a batch size that is a multiple of {parts}.",
        )


def _means(found: Collection[Mapping[str, float]]) -> dict[str, float]:
    """Returns the mean of each of the newest figures over several parts or steps."""
    *_, newest = found
    return {name: sum(one[name] for one in found) / len(found) for name in newest}


def _extend(curve: Curve, point: Mapping[str, float]) -> None:
    for name, value in point.items():
        curve.setdefault(name, []).append(value)
