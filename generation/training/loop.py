"""One loop for every training here; what is trained, and how, stand beside it.

A ``Trainee`` says what a step learns from and what its checkpoint has to keep; a ``Plan``
says for how long, how fast and how often it is saved. The loop does the rest: it takes up a
training where its checkpoint was left, sets the learning rate, exchanges gradients between
processes, clips them, averages weights, saves and reports.

All randomness of a step follows from the seed and the step's number, so that a training that
was broken off ends with the weights of an unbroken one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from generation.errors import RemediableError
from generation.training import processes
from generation.training.checkpoints import Report, generator_for, load_state, save_state
from generation.training.schedules import Schedule, constant

LAYOUT = 2
"""What a checkpoint consists of; raised when an older one can no longer be read."""

Figures = Mapping[str, torch.Tensor]
"""What is worth watching about a step: scalars by name."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan says how a training goes.

    ``schedule`` gives shares of ``learning_rate``. Gradients are clipped to ``clipped_norm``,
    or not where it is None. ``ema_decay`` 0 averages no weights. A training that ``is_shared``
    has its gradients averaged over all processes, and the first of them saves.
    """

    steps: int
    learning_rate: float
    weight_decay: float
    seed: int = 0
    schedule: Schedule = constant
    betas: tuple[float, float] = (0.9, 0.999)
    clipped_norm: float | None = None
    ema_decay: float = 0.0
    checkpoint_every: int = 100
    is_shared: bool = False


class Trainee:
    """What the loop trains: networks by the name that a checkpoint keeps them under."""

    def __init__(self, **networks: nn.Module) -> None:
        self.networks = networks

    @property
    def weights(self) -> list[nn.Parameter]:
        """The weights that learn; the others are frozen."""
        networks = self.networks.values()
        return [weight for one in networks for weight in one.parameters() if weight.requires_grad]

    @property
    def is_finished(self) -> bool:
        """Say whether more steps would be of no use."""
        return False

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        """Give the loss of one batch, and figures of it."""
        raise NotImplementedError

    def learn(self, step: int, generator: torch.Generator) -> dict[str, float]:
        """Leave the gradients of a step in the weights, and give its figures."""
        loss, figures = self.loss(step, generator)
        loss.backward()
        return read(figures)

    def follow(self, step: int, figures: dict[str, float]) -> dict[str, float]:
        """Hear that so many steps are done; what it gives back is reported."""
        return figures

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps of the trainee."""
        return {name: network.state_dict() for name, network in self.networks.items()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state`` gave."""
        for name, network in self.networks.items():
            network.load_state_dict(state[name])


def train(trainee: Trainee, plan: Plan, *, checkpoint: Path | None, report: Report) -> None:
    """Train, or take up again from ``checkpoint``, and leave the networks in evaluation mode.

    With averaging, the averaged weights are what is left in them.
    """
    weights = trainee.weights
    optimizer = torch.optim.AdamW(
        weights,
        lr=plan.learning_rate,
        betas=plan.betas,
        weight_decay=plan.weight_decay,
        fused=True,
    )
    schedule = LambdaLR(optimizer, plan.schedule)
    average = _average_of(weights, plan)
    parts = {"optimizer": optimizer, "schedule": schedule, "average": average}
    step = _resume(trainee, parts, checkpoint)
    for network in trainee.networks.values():
        network.train()
    while step < plan.steps and not trainee.is_finished:
        generator = generator_for(plan.seed, step)
        torch.manual_seed(generator.initial_seed())  # dropout draws from the global generator
        optimizer.zero_grad()
        figures = trainee.learn(step, generator)
        if plan.is_shared:
            processes.average_gradients(weights)
        if plan.clipped_norm is not None:
            nn.utils.clip_grad_norm_(weights, plan.clipped_norm)
        optimizer.step()
        schedule.step()  # sets the rate of the step that comes next
        step += 1
        if average is not None:
            average.step(weights)
        report(step, trainee.follow(step, figures))
        if checkpoint and _is_due(step, plan):
            _save(trainee, parts, checkpoint, step=step)
    if average is not None:
        average.copy_to(weights)
    for network in trainee.networks.values():
        network.eval()


def read(figures: Figures) -> dict[str, float]:
    """Returns scalars as numbers, by one transfer from their device instead of one for each."""
    values = torch.stack([value.detach().float() for value in figures.values()])
    return dict(zip(figures, values.tolist(), strict=True))


def _average_of(weights: Sequence[nn.Parameter], plan: Plan) -> Any:
    """Begin the moving average of the weights, where the plan wants one."""
    if not plan.ema_decay:
        return None
    from generation.training.averaging import AveragedWeights

    return AveragedWeights(weights, decay=plan.ema_decay, foreach=True)


def _is_due(step: int, plan: Plan) -> bool:
    is_saver = not plan.is_shared or processes.rank() == 0
    return is_saver and (step % plan.checkpoint_every == 0 or step == plan.steps)


def _save(trainee: Trainee, parts: Mapping[str, Any], checkpoint: Path, *, step: int) -> None:
    kept = {name: part.state_dict() for name, part in parts.items() if part is not None}
    save_state(checkpoint, {"layout": LAYOUT, "step": step, "trainee": trainee.state(), **kept})


def _resume(trainee: Trainee, parts: Mapping[str, Any], checkpoint: Path | None) -> int:
    """Take up what the checkpoint holds; the number of steps that were done then."""
    state = load_state(checkpoint) if checkpoint else None
    if state is None:
        return 0
    if state.get("layout") != LAYOUT:
        raise RemediableError(
            f"the checkpoint {checkpoint} is of another version of this program",
            remedy="Start the training anew: its run folder cannot be taken up again.",
        )
    trainee.load(state["trainee"])
    for name, part in parts.items():
        if part is not None:
            part.load_state_dict(state[name])
    if parts["average"] is not None:
        parts["average"].to(trainee.weights[0].device)
    step: int = state["step"]
    return step
