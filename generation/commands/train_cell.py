"""python -m generation.commands.train_cell RUN_DIR: train and measure a cell of an experiment."""

import sys
import time
from collections.abc import Mapping
from typing import Any

from generation.commands.run_folder import RunFolder, run_command, write_json
from generation.downstream.cells import train_cell
from generation.downstream.examples import read_examples
from generation.specs import CellSpec
from generation.training.devices import device

PREDICTIONS_FILE = "predictions.json"


def train(folder: RunFolder) -> Mapping[str, Any]:
    """Write RUN_DIR/predictions.json; the result has figures of the test split."""
    started_s = time.monotonic()
    spec = folder.spec(CellSpec)
    folder.report(0, spec.max_steps, "Reading the images")
    measured, best = train_cell(
        spec,
        read_examples(spec),
        device=device(),
        checkpoints=folder.checkpoint,
        report=lambda step, figures: folder.report(step, spec.max_steps, "Learning", figures),
    )
    write_json(folder.path / PREDICTIONS_FILE, measured.predictions)
    return {
        "figures": dict(measured.figures),
        "thresholds": dict(measured.thresholds),
        "validation_figure": best.figure if best else None,
        "best_step": best.step if best else spec.max_steps,
        "seconds": time.monotonic() - started_s,
    }


def main() -> int:
    return run_command(train, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
