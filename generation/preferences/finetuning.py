"""Fine-tuning a LoRA adapter on readings: one loop for all methods, one copy of the network."""

import math
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from generation.errors import RemediableError
from generation.preferences.draft import Drafting
from generation.preferences.lessons import Lessons
from generation.preferences.networks import Network
from generation.preferences.objectives import (
    Accepting,
    Objective,
    Preferring,
    Reward,
    Rewarding,
)
from generation.specs import PAIR_METHODS, FineTuneSpec
from generation.training import processes
from generation.training.checkpoints import (
    Report,
    generator_for,
    learning_rate,
    load_state,
    save_state,
)

WARM_UP_SHARE = 0.1
CLIPPED_NORM = 1.0
CHECKPOINT_EVERY = 25
AVERAGED_STEPS = 20
CURVE_POINTS = 200

Curve = dict[str, list[float]]
"""Figures by name at the steps that ``step`` lists, each the mean over the steps before."""


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

    The same spec and lessons give the same adapter on the same machine, resumed or not:
    all randomness of a step follows from the seed and the step's number. Under torchrun
    every process takes its part of each batch. Figures are means over the last steps.
    """
    _require_equal_parts(spec)
    weights = network.add_lora(rank=spec.rank, seed=spec.seed)
    if spec.recompute:
        network.recompute_activations()
    objective = objective_for(network, scheduler, lessons, spec, reward=reward)
    optimizer = torch.optim.AdamW(weights, weight_decay=0.0)
    averaged = [weight.detach().clone() for weight in weights]
    recent: deque[dict[str, float]] = deque(maxlen=AVERAGED_STEPS)
    curve: Curve = {}
    step = 0
    if state := load_state(checkpoint):
        network.load_adapters(state["adapters"])
        optimizer.load_state_dict(state["optimizer"])
        averaged = [weight.to(objective.device) for weight in state["averaged"]]
        objective.load(state["objective"])
        recent.extend(state["recent"])
        curve, step = state["curve"], state["step"]
    while step < spec.steps:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(
                step,
                peak=spec.learning_rate,
                warm_up=max(1, int(WARM_UP_SHARE * spec.steps)),
                total=spec.steps,
            )
        optimizer.zero_grad()
        figures = _gather_gradients(objective, weights, step=step)
        torch.nn.utils.clip_grad_norm_(weights, CLIPPED_NORM)
        optimizer.step()
        step += 1
        _average(averaged, weights, decay=min(spec.ema_decay, (1 + step) / (10 + step)))
        objective.follow(figures)
        recent.append(figures)
        means = {name: sum(one[name] for one in recent) / len(recent) for name in figures}
        if step % math.ceil(spec.steps / CURVE_POINTS) == 0 or step == spec.steps:
            _extend(curve, {"step": step, **means})
        report(step, means)
        due = step % CHECKPOINT_EVERY == 0 or step == spec.steps
        if due and processes.rank() == 0:
            save_state(
                checkpoint,
                {
                    "adapters": network.adapters(),
                    "optimizer": optimizer.state_dict(),
                    "averaged": averaged,
                    "objective": objective.state(),
                    "recent": list(recent),
                    "curve": curve,
                    "step": step,
                },
            )
    if spec.ema_decay:
        for weight, mean in zip(weights, averaged, strict=True):
            weight.data.copy_(mean)
    return curve


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
        return Preferring(network, scheduler, lessons, spec)
    if spec.method == "reward_weighted":
        return Rewarding(network, scheduler, lessons, spec)
    if spec.method == "kto":
        return Accepting(network, scheduler, lessons, spec)
    if reward is None:
        raise ValueError("DRaFT climbs a reward, and none is given")
    return Drafting(network, scheduler, lessons, spec, reward=reward)


def _require_equal_parts(spec: FineTuneSpec) -> None:
    parts = processes.count() * spec.accumulate
    if spec.batch_size % parts:
        raise RemediableError(
            f"a batch of {spec.batch_size} cannot be shared equally in {parts} parts",
            remedy=f"Choose a batch size that is a multiple of {parts}.",
        )


def _gather_gradients(
    objective: Objective, weights: list[torch.nn.Parameter], *, step: int
) -> dict[str, float]:
    """Leave the whole batch's gradients, from this process's parts and the others'."""
    spec = objective.spec
    draw = objective.draw(generator_for(spec.seed, step))
    own = draw.part(processes.rank(), of=processes.count()).to(objective.device)
    found: list[dict[str, torch.Tensor]] = []
    for number in range(spec.accumulate):
        loss, figures = objective.loss(own.part(number, of=spec.accumulate))
        if loss.requires_grad:  # not where a ControlNet learns alone and nothing has a mask
            (loss / spec.accumulate).backward()
        found.append({"loss": loss.detach(), **figures})
    for weight in weights:  # all processes exchange the same ones, masks in their parts or not
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
    processes.average_gradients(weights)
    names = list(found[0])
    means = torch.stack([torch.stack([one[name] for one in found]).mean() for name in names])
    return dict(zip(names, processes.average(means).tolist(), strict=True))


@torch.no_grad()
def _average(
    averaged: list[torch.Tensor], weights: list[torch.nn.Parameter], *, decay: float
) -> None:
    torch._foreach_lerp_(averaged, list[torch.Tensor](weights), 1 - decay)


def _extend(curve: Curve, point: Mapping[str, float]) -> None:
    for name, value in point.items():
        curve.setdefault(name, []).append(value)
