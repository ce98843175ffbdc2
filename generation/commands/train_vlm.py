"""python -m generation.commands.train_vlm RUN_DIR: train a vision-language model in stages.

Under torchrun, the first process holds the run folder; the others help.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.commands.run_folder import RunFolder, run_together
from generation.specs import VlmSpec
from generation.vlm.model.training import VlmTraining

CURVES = "curves.jsonl"
POINTS = 200
"""A stage's curve has so many at most; what is longer is thinned."""


def train(folder: RunFolder) -> Mapping[str, Any]:
    """Write the VLM to RUN_DIR/model, and how each stage went to RUN_DIR/curves.jsonl."""
    kept = folder.path / CURVES

    def report(done: int, total: int, note: str, figures: Mapping[str, float]) -> None:
        folder.report(done, total, note, figures)
        if "loss" in figures:
            with kept.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([note, done, figures["loss"]]) + "\n")

    training = VlmTraining(folder.spec(VlmSpec), folder.checkpoint, report)
    model = folder.path / "model"
    training.run(model)
    return {"model": str(model), "steps": training.total, "curves": curves_of(kept)}


def curves_of(path: Path) -> dict[str, dict[str, list[float]]]:
    """Steps and losses by stage, in all; of a step that was done twice the later, thinned."""
    stages: dict[str, dict[int, float]] = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        stage, step, loss = json.loads(line)
        stages.setdefault(stage, {})[step] = loss
    curves: dict[str, dict[str, list[float]]] = {}
    for stage, losses in stages.items():
        chosen = sorted(losses)[:: max(1, len(losses) // POINTS)]
        curves[stage] = {
            "step": list(map(float, chosen)),
            "loss": [losses[step] for step in chosen],
        }
    return curves


def main() -> int:
    return run_together(train, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
