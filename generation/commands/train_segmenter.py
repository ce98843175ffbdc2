"""python -m generation.commands.train_segmenter RUN_DIR: train a segmenter on real images."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.commands.run_folder import RunFolder, run_command
from generation.downstream.framing import load_masked
from generation.downstream.segmenter import summarise, train_segmenter
from generation.specs import SegmenterSpec, Split, TrainingImage
from generation.training.devices import device
from generation.training.images import read_manifest


def train(folder: RunFolder) -> Mapping[str, Any]:
    """Write the segmenter to RUN_DIR/model; the result has Dice on held-out images."""
    spec = folder.spec(SegmenterSpec)
    folder.report(0, spec.max_steps, "Reading the images")
    rows = read_manifest(Path(spec.manifest))
    training, validation = (
        load_masked(rows, kind=spec.kind, split=split, resolution=spec.resolution)
        for split in ("train", "validation")
    )
    segmenter, best = train_segmenter(
        training,
        validation,
        spec,
        device=device(),
        checkpoint=folder.checkpoint / "segmenter.pt",
        report=lambda step, figures: folder.report(step, spec.max_steps, "Learning", figures),
    )
    segmenter.save(folder.path / "model")
    result = {"images": len(training), "best_step": best.step, "validation_dice": best.figure}
    if has_masks(rows, kind=spec.kind, split="test"):
        test = load_masked(rows, kind=spec.kind, split="test", resolution=spec.resolution)
        result |= {f"test_{name}": value for name, value in summarise(segmenter, test).items()}
    return result


def has_masks(rows: list[TrainingImage], *, kind: str, split: Split) -> bool:
    return any(kind in row.masks and row.split == split for row in rows)


def main() -> int:
    return run_command(train, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
