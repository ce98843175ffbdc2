"""A training child for tests that several processes share; ``dies_once`` ends one of them."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from generation.commands.run_folder import RunFolder, run_together
from generation.training import processes
from generation.training.loop import Figures, Plan, Trainee, train

BATCH = 8


class Slope(Trainee):
    """A layer learns what sums of four numbers are; every process takes its part of a batch."""

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        batch = torch.randn(BATCH, 4, generator=generator)[processes.rank() :: processes.count()]
        loss = (self.networks["layer"](batch)[:, 0] - batch.sum(1)).square().mean()
        return loss, {"loss": loss}


def work(folder: RunFolder) -> Mapping[str, Any]:
    spec = json.loads((folder.path / "spec.json").read_text())
    torch.manual_seed(0)
    layer = nn.Linear(4, 1)
    died = folder.path / "died"
    begun: list[int] = []

    def report(step: int, figures: Mapping[str, float]) -> None:
        begun.append(step)
        if spec.get("dies_once") and processes.rank() == 1 and step == 6 and not died.exists():
            died.touch()
            os._exit(9)

    train(
        Slope(layer=layer),
        Plan(steps=12, learning_rate=0.05, weight_decay=0, checkpoint_every=4, is_shared=True),
        checkpoint=folder.checkpoint / "training.pt",
        report=report,
    )
    weights = [*layer.weight[0].tolist(), layer.bias.item()]
    return {"weights": weights, "processes": processes.count(), "began_at": begun[0]}


if __name__ == "__main__":
    sys.exit(run_together(work, sys.argv[1:]))
