"""python -m generation.commands.finetune RUN_DIR: teach a model version preferences."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler

from generation.commands.run_folder import RunFolder, run_command
from generation.diffusion.loading import load_pipeline
from generation.preferences.pairs import encode_pairs, read_preferences
from generation.preferences.training import fine_tune
from generation.specs import FineTuneSpec


def finetune(folder: RunFolder) -> Mapping[str, Any]:
    """Write the adapter to RUN_DIR/adapter; the result has the last figures."""
    spec = folder.spec(FineTuneSpec)
    folder.report(0, spec.steps, "Encoding images and prompts")
    preferences = read_preferences(Path(spec.preferences))
    device = torch_device()
    pipeline = load_pipeline(spec.model, device=device, dtype=torch.float32)
    pairs = encode_pairs(pipeline, preferences, cache=folder.checkpoint / "pairs.pt")
    last: dict[str, float] = {}

    def report(step: int, figures: Mapping[str, float]) -> None:
        last.update(figures)
        folder.report(step, spec.steps, "Learning", figures)

    fine_tune(
        pipeline.unet,
        DDPMScheduler.from_config(pipeline.scheduler.config),
        pairs.to(torch.device(device)),
        spec,
        checkpoint=folder.checkpoint / "adapter.pt",
        report=report,
    )
    pipeline.unet.save_lora_adapter(folder.path / "adapter")
    return {"steps": spec.steps, "pairs": len(pairs), **last}


def torch_device() -> str:
    """TORCH_DEVICE, where ``auto`` is a GPU if there is one."""
    wanted = os.environ.get("TORCH_DEVICE", "auto")
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def main() -> int:
    return run_command(finetune, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
