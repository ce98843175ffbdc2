"""python -m generation.commands.train_reward_model RUN_DIR: learn to foretell scores."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.commands.run_folder import RunFolder, run_command
from generation.preferences.lessons import read_readings
from generation.rewards.reward_model import TRUNK_FOLDER, RewardConfig, RewardModel
from generation.rewards.reward_training import (
    fit_temperature,
    heldout_figures,
    margins_of,
    train_heads,
)
from generation.rewards.scored_pairs import encode, split_groups
from generation.rewards.trunks import load_trunk
from generation.specs import RewardModelSpec


def train(folder: RunFolder) -> Mapping[str, Any]:
    """Write the model to RUN_DIR/model; the result has figures of held-out prompts.

    A training takes seconds, so one that was broken off begins anew: the same seed and
    pairs give the same model.
    """
    spec = folder.spec(RewardModelSpec)
    folder.report(0, spec.steps, "Looking at the images")
    trunk = load_trunk(spec.trunk)
    scored = encode(read_readings(Path(spec.preferences)).preferences, trunk)
    split = split_groups(scored.group.tolist(), seed=spec.seed)
    heads = train_heads(
        scored,
        split,
        spec,
        report=lambda step, figures: folder.report(step, spec.steps, "Learning", figures),
    )
    temperature = fit_temperature(margins_of(heads, scored, split.calibration))
    config = RewardConfig(
        trunk=TRUNK_FOLDER if Path(spec.trunk).is_dir() else spec.trunk,
        features=scored.features.shape[1],
        members=spec.members,
        hidden=spec.hidden,
        temperature=temperature,
    )
    RewardModel(trunk, heads, config).save(folder.path / "model", trunk=spec.trunk)
    figures = heldout_figures(heads, scored, split, temperature=temperature, seed=spec.seed)
    return {"pairs": len(scored.winner), "temperature": temperature, **figures}


def main() -> int:
    return run_command(train, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
