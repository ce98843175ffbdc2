"""A VLM's training for a process of its own, which may be killed or help another one."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from generation.training import devices, processes
from tests.generation.torchrun import as_torchrun
from tests.generation.vlm.tiny_vlms import tiny_spec, train_tiny


def train(
    instructions: Path, eye: Path, folder: Path, *, killed_at: int = 0, rank: int = 0,
    count: int = 1, port: int = 0, **settings: Any,
) -> None:  # fmt: skip
    """Leave the model in ``folder``, and each step that was done as a line of ``steps``.

    All in 32 bits: in 16, sums in another order differ by more than a step learns.
    """
    if count > 1:
        os.environ |= as_torchrun(rank=rank, count=count, port=port)
    torch.set_num_threads(1)
    devices.CPU_DESCRIPTION = folder / "of no processor"
    folder.mkdir(exist_ok=True)

    def progress(done: int, total: int, stage: str, figures: Mapping[str, float]) -> None:
        if figures:
            with (folder / "steps").open("a") as lines:
                lines.write(f"{stage} {done}\n")
            if done == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)

    with processes.joined():
        spec = tiny_spec(instructions, eye, checkpoint_every=1, **settings)
        train_tiny(spec, folder, progress=progress)
