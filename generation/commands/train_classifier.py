"""python -m generation.commands.train_classifier RUN_DIR: train a classifier on real images."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.commands.run_folder import RunFolder, run_command
from generation.downstream.classifier import auroc_by_finding, predict, train_classifier
from generation.specs import ClassifierSpec
from generation.training.devices import device
from generation.training.images import load_images, plain, read_manifest


def train(folder: RunFolder) -> Mapping[str, Any]:
    """Write the classifier to RUN_DIR/model; the result has AUROC on held-out images."""
    spec = folder.spec(ClassifierSpec)
    folder.report(0, spec.max_steps, "Reading the images")
    rows = read_manifest(Path(spec.manifest))
    training, validation = (
        load_images(rows, split=split, resolution=spec.resolution)
        for split in ("train", "validation")
    )
    classifier, best = train_classifier(
        training,
        validation,
        spec,
        device=device(),
        checkpoint=folder.checkpoint / "classifier.pt",
        report=lambda step, figures: folder.report(step, spec.max_steps, "Learning", figures),
    )
    classifier.save(folder.path / "model")
    result = {
        "images": len(training),
        "best_step": best.step,
        "findings": len(classifier.config.findings),
        "validation_auroc": best.figure,
    }
    if any(row.split == "test" for row in rows):
        test = load_images(rows, split="test", resolution=spec.resolution)
        found = predict(classifier.net, plain(test.pixels))
        areas = auroc_by_finding(found, test.rows, classifier.config.findings)
        result |= {f"test_auroc_{name.replace(' ', '_')}": area for name, area in areas.items()}
    return result


def main() -> int:
    return run_command(train, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
