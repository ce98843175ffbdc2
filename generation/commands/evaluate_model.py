"""python -m generation.commands.evaluate_model RUN_DIR: all figures of a model version."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from generation.commands.run_folder import RunFolder, run_command
from generation.conditioning.prompts import default_prompts
from generation.diffusion.loading import base_folder, load_pipeline, native_side
from generation.diffusion.sampling import sample
from generation.measures.features import features_of
from generation.measures.nearest_training_image import NearestTrainingImage
from generation.measures.reference import FACTS_FILE
from generation.quality.diversity import SMALLEST_SIDE
from generation.quality.kit import (
    Figure,
    distribution,
    diversity,
    memorisation,
    real_distances,
)
from generation.rewards.trunks import load_trunk
from generation.specs import BUNDLED, EvaluationSpec, SampleSpec
from generation.training.devices import device
from generation.training.images import load_images, pictures_of, plain, read_manifest
from generation.vlm.agreement import attribute_agreement
from generation.vlm.judge import NAME, Judge
from generation.vlm.model.folders import BUNDLED_VLM

SEEDS = 4
"""Candidates of each prompt, which stand together."""


def evaluate(folder: RunFolder) -> Mapping[str, Any]:
    spec = folder.spec(EvaluationSpec)
    figures, notes = figures_of(spec, folder.report)
    return {"images": spec.images, "figures": [asdict(one) for one in figures], "notes": notes}


def figures_of(spec: EvaluationSpec, report: Any) -> tuple[list[Figure], list[str]]:
    """Return the figures, and what could not be measured and why."""
    prompts = prompts_of(spec)
    started_s = time.monotonic()
    pictures = list(_make(spec, prompts, report))
    seconds = (time.monotonic() - started_s) / len(pictures)
    figures = [Figure(name="seconds", label="Seconds a candidate", value=seconds)]
    notes: list[str] = []
    if min(pictures[0].shape) >= SMALLEST_SIDE:
        figures += diversity(pictures, seeds=SEEDS)
    else:
        notes.append(f"MS-SSIM wants images of {SMALLEST_SIDE} pixels and more.")
    quality = (base_folder(spec.model) or Path()) / "quality"
    if (quality / FACTS_FILE).is_file():
        nearest = NearestTrainingImage.load(quality)
        figures += memorisation(nearest, pictures)
        figures += distribution(
            features_of(nearest.net, pictures), nearest.reference.heldout_features,
            prompts=prompts, whose="own features", slug="own",
        )  # fmt: skip
    else:
        notes.append(
            "The model came without features of its training images, so copies and its own "
            "distances were not measured."
        )
    if spec.trunk:
        report(spec.images, spec.images, "Measuring by the second trunk")
        figures += by_trunk(spec, pictures, prompts)
    else:
        notes.append("No second trunk was named, so there is no FID by another network.")
    if spec.judge:
        report(spec.images, spec.images, "Judging what can be seen")
        judge = Judge.load(BUNDLED_VLM / NAME if spec.judge == BUNDLED else Path(spec.judge))
        figures += attribute_agreement(judge, prompts, judge.probabilities(pictures))
    else:
        notes.append("No judge was named, so nobody says whether prompts were followed.")
    return figures, notes


def prompts_of(spec: EvaluationSpec) -> list[str]:
    """Give the prompt of each candidate, those of one prompt together."""
    different = islice(cycle(default_prompts()), spec.images // SEEDS)
    return [prompt for prompt in different for _ in range(SEEDS)]


def _make(spec: EvaluationSpec, prompts: Sequence[str], report: Any) -> Iterator[np.ndarray]:
    """Make the candidates that a model card's figures are of."""
    pipeline = load_pipeline(spec.model, device=str(device()))
    side, count = native_side(pipeline), len(prompts) // SEEDS
    recipes = [
        SampleSpec(
            prompt=prompt,
            seed=spec.seed + count * (place % SEEDS) + place // SEEDS,
            steps=spec.steps,
            guidance_scale=spec.guidance_scale,
            sampler=spec.sampler,
            width=side,
            height=side,
        )
        for place, prompt in enumerate(prompts)
    ]
    at_once = recipes[0].at_once
    for start in range(0, len(recipes), at_once):
        report(start, len(recipes), "Making candidates")
        yield from sample(pipeline, recipes[start : start + at_once])
    report(len(recipes), len(recipes), "Measuring")


def by_trunk(
    spec: EvaluationSpec, pictures: Sequence[np.ndarray], prompts: Sequence[str]
) -> list[Figure]:
    """Compare with held-out real images by the second network, and training images too."""
    trunk = load_trunk(spec.trunk)
    rows = read_manifest(Path(spec.real_images))
    splits = {row.split for row in rows}
    held_out = trunk.features(
        [
            picture
            for split in ("validation", "test")
            if split in splits
            for picture in _pictures(rows, split)
        ]
    )
    training = trunk.features(_pictures(rows, "train")[: len(pictures)])
    figures = distribution(
        trunk.features(pictures), held_out, prompts=prompts, whose="second trunk", slug="trunk"
    )
    whose = "second trunk, real training images"
    return [*figures, *real_distances(training, held_out, whose=whose, slug="trunk_real")]


def _pictures(rows: Any, split: Any) -> list[np.ndarray]:
    return pictures_of(plain(load_images(list(rows), split=split, resolution=128).pixels))


def main() -> int:
    return run_command(evaluate, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
