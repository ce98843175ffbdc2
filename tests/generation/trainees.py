"""A training in a process of its own, for tests that kill it or run two together."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch

from generation.preferences import finetuning
from generation.training import processes
from tests.generation.made_lessons import (
    brightness,
    make_lessons,
    make_network,
    make_scheduler,
    make_spec,
)
from tests.generation.torchrun import as_torchrun

STEPS = 24


def train(folder: Path, *, rank: int = 0, count: int = 1, port: int = 0) -> None:
    """Leave ``weights.pt`` at the end, and ``step`` with the number of steps done so far."""
    if count > 1:
        os.environ |= as_torchrun(rank=rank, count=count, port=port)
    torch.set_num_threads(1)
    finetuning.CHECKPOINT_EVERY = 4
    losses: list[float] = []

    def report(step: int, figures: Mapping[str, float]) -> None:
        losses.append(figures["loss"])
        (folder / "step").write_text(str(step))

    network = make_network()
    with processes.joined():
        finetuning.fine_tune(
            network,
            make_scheduler(),
            make_lessons(reals=True),
            make_spec(steps=STEPS, accumulate=2, ema_decay=0.5, safeguarded=True),
            checkpoint=folder / "checkpoint.pt",
            report=report,
            reward=brightness,
        )
    weights = torch.cat([weight.detach().flatten() for weight in network.weights()])
    torch.save({"weights": weights, "losses": losses}, folder / f"end-{rank}.pt")
