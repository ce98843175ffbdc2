"""python -m generation.commands.finetune RUN_DIR: teach a model version what readers said.

Under torchrun, the first process holds the run folder; the others help.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler

from generation.commands.run_folder import RunFolder, run_together
from generation.diffusion.loading import BUNDLED_FOLDER, load_pipeline
from generation.measures.features import FeatureNet
from generation.preferences.finetuning import fine_tune
from generation.preferences.lessons import Lessons, encode_lessons, read_readings, texts_in
from generation.preferences.networks import Network
from generation.preferences.readers_reward import (
    ForetoldScore,
    ReadersReward,
    learn_reward,
    through_decoder,
)
from generation.rewards.reward_model import RewardModel
from generation.specs import BUNDLED, FineTuneSpec
from generation.training import processes
from generation.training.devices import device


def finetune(folder: RunFolder) -> Mapping[str, Any]:
    """Write the adapter to RUN_DIR/adapter; the result has the last figures and the curve."""
    spec = folder.spec(FineTuneSpec)
    pipeline = load_pipeline(spec.model, device=str(device()), dtype=torch.float32)
    lessons = _encode(pipeline, spec, folder)
    network = Network(pipeline.unet, getattr(pipeline, "controlnet", None), adapted=spec.adapted)
    scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)
    reward = _reward(spec).to(device()) if spec.method == "draft" else None
    climbed = through_decoder(pipeline, reward) if reward else None
    del pipeline  # all is encoded: only the network, and a decoder to climb through, are kept
    last: dict[str, float] = {}

    def report(step: int, figures: Mapping[str, float]) -> None:
        last.update(figures)
        if processes.rank() == 0:
            folder.report(step, spec.steps, "Learning", figures)

    curve = fine_tune(
        network,
        scheduler,
        lessons.to(device()),
        spec,
        checkpoint=folder.checkpoint / "training.pt",
        report=report,
        reward=climbed,
    )
    if processes.rank() == 0:
        network.save(folder.path / "adapter")
    found = {}
    if isinstance(reward, ReadersReward):
        found["reward_heldout_correlation"] = reward.heldout_correlation
    return {
        "steps": spec.steps,
        "pairs": len(lessons.pairs),
        "ratings": len(lessons.ratings),
        "real_images": len(lessons.reals),
        **last,
        **found,
        "curve": curve,
    }


def _encode(pipeline: Any, spec: FineTuneSpec, folder: RunFolder) -> Lessons:
    """The first process encodes, the others read what it left."""
    cache = folder.checkpoint / "lessons.pt"
    if processes.rank() == 0:
        folder.report(0, spec.steps, "Encoding images and prompts")
        encode_lessons(pipeline, spec, cache=cache)
    processes.hand_on(folder.checkpoint)
    return encode_lessons(pipeline, spec, cache=cache)


def _reward(spec: FineTuneSpec) -> ForetoldScore | ReadersReward:
    """Returns the reward model of the spec, or else what is fitted to the snapshot."""
    if spec.reward_model:
        _say(f"climbs the reward model in {spec.reward_model}")
        return ForetoldScore(RewardModel.load(Path(spec.reward_model)), texts_in(spec))
    base = BUNDLED_FOLDER if spec.model.base == BUNDLED else Path(spec.model.base)
    net = FeatureNet.load(base / "quality")
    fitted = learn_reward(net, read_readings(Path(spec.preferences)).ratings)
    _say(
        "climbs a regression fitted to this snapshot's scores, which correlates with those of "
        f"unseen prompts by {fitted.heldout_correlation:.2f}"
    )
    return fitted


def _say(line: str) -> None:
    """Write a line into the run's log, from one process only."""
    if processes.rank() == 0:
        print(line, flush=True)


def main() -> int:
    return run_together(finetune, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
