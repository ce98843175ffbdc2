"""The pools of the experiment on few children: a generator of other children, and noise."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.augmentation import kermany
from benchmarks.augmentation.cohorts import write_rows
from benchmarks.augmentation.pools import Pool, best_of
from benchmarks.augmentation.trainings import trained
from generation.commands import pretrain, train_classifier
from generation.conditioning.prompts import prompt_for
from generation.diffusion.loading import load_pipeline
from generation.diffusion.sampling import sample
from generation.downstream.classifier import Classifier
from generation.measures.agreement import label_agreement
from generation.specs import (
    MOST_AT_ONCE,
    ClassifierSpec,
    ModelSource,
    PretrainSpec,
    SampleSpec,
    TrainingImage,
)
from generation.training.devices import dtype_for
from generation.training.images import read_grey

SIDE = 64
GUIDANCE = 2.0
HALF = 0.5
NOISE, OTHERS = "noise", "real images of others"
GENERATOR: dict[str, Any] = {
    "resolution": SIDE,
    "feature_steps": 100,
    "autoencoder_steps": 900,
    "latent_versions": 4,
    "decoder_steps": 200,
    "denoiser_steps": 900,
    "batch_size": 16,
}
JUDGE: dict[str, Any] = {
    "resolution": SIDE,
    "network": "small",
    "max_steps": 200,
    "evaluate_every": 40,
    "learning_rate": 3e-3,
}


def make_pools(pools: Sequence[Pool], data: Path, work: Path) -> dict[str, Path]:
    """Manifests by name: as generated, the half that the judge likes best, noise, and others.

    The last are real images of the generator's patients: what its images stand in for.
    """
    (pool,) = pools
    folder = work / "pools" / pool.name
    rows = make_images(pool, folder, data, work)
    best = best_of(rows, measure(rows, folder, data, work), share=HALF)
    noise = make_noise(rows, work / "pools" / NOISE)
    others = [row for row in kermany.generator_rows(data) if row.split == "train"]
    return {
        pool.name: folder / "manifest.jsonl",
        f"{pool.name}, best half": write_rows(best, folder / "best-half.jsonl"),
        NOISE: write_rows(noise, work / "pools" / NOISE / "manifest.jsonl"),
        OTHERS: write_rows(others, work / "pools" / "others.jsonl"),
    }


def trained_generator(data: Path, work: Path) -> Path:
    """Returns the model's folder; trained by the command of the product unless it was before."""

    def spec_of(folder: Path) -> PretrainSpec:
        manifest = write_rows(kermany.generator_rows(data), folder / "manifest.jsonl")
        return PretrainSpec(manifest=str(manifest), cohort=kermany.FOLDER, **GENERATOR)

    return trained(work / "generators" / "kermany-64", pretrain.pretrain, spec_of)


def trained_judge(data: Path, work: Path) -> Classifier:
    """It was taught on patients whom neither the generator nor an arm saw."""

    def spec_of(folder: Path) -> ClassifierSpec:
        manifest = write_rows(kermany.judge_rows(data), folder / "manifest.jsonl")
        return ClassifierSpec(manifest=str(manifest), **JUDGE)

    model = trained(work / "judges" / "kermany-64", train_classifier.train, spec_of)
    return Classifier.load(model)


def recipes(pool: Pool, folder: Path) -> Iterator[tuple[SampleSpec, TrainingImage]]:
    """With the finding and without it in turn; every image is a patient of its own."""
    for number in range(pool.count):
        findings = (kermany.FINDING,) if number % 2 == 0 else ()
        name = f"{pool.name}-{number:05}"
        yield (
            SampleSpec(
                prompt=prompt_for(findings),
                seed=pool.seed * 1_000_000 + number,
                guidance_scale=GUIDANCE,
                width=SIDE,
                height=SIDE,
            ),
            TrainingImage(
                path=str(folder / "images" / f"{number:05}.png"),
                image_id=name,
                patient=name,
                split="train",
                findings=findings,
            ),
        )


def make_images(pool: Pool, folder: Path, data: Path, work: Path) -> list[TrainingImage]:
    """Make what is missing."""
    wanted = list(recipes(pool, folder))
    (folder / "images").mkdir(parents=True, exist_ok=True)
    missing = [(spec, row) for spec, row in wanted if not Path(row.path).exists()]
    if missing:
        base = str(trained_generator(data, work))
        dtype = dtype_for(torch.device("cpu"))
        pipeline = load_pipeline(ModelSource(base=base), device="cpu", dtype=dtype)
        for start in range(0, len(missing), MOST_AT_ONCE):
            part = missing[start : start + MOST_AT_ONCE]
            pictures = sample(pipeline, [spec for spec, _ in part])
            for picture, (_, row) in zip(pictures, part, strict=True):
                Image.fromarray(picture).save(row.path)
    rows = [row for _, row in wanted]
    write_rows(rows, folder / "manifest.jsonl")
    return rows


def make_noise(rows: Sequence[TrainingImage], folder: Path) -> list[TrainingImage]:
    """Pure noise under the labels of these: the planted truth that must be no gain."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    made = []
    for number, row in enumerate(rows):
        path = folder / "images" / f"{number:05}.png"
        if not path.exists():
            pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
            Image.fromarray(pixels).save(path)
        made.append(
            replace(row, path=str(path), image_id=f"noise-{number}", patient=f"noise-{number}")
        )
    return made


def measure(rows: Sequence[TrainingImage], folder: Path, data: Path, work: Path) -> list[float]:
    """Returns how well each shows what it was asked for, by the judge."""
    path = folder / "measures.json"
    if not path.exists():
        told = probabilities(rows, trained_judge(data, work))
        path.write_text(json.dumps([label_agreement(one, row.findings) for one, row in told]))
    kept: list[float] = json.loads(path.read_text())
    return kept


def probabilities(
    rows: Sequence[TrainingImage], judge: Classifier
) -> Iterator[tuple[Mapping[str, float], TrainingImage]]:
    pictures = [read_grey(Path(row.path), side=SIDE) for row in rows]
    for row, told in zip(rows, judge.probabilities(pictures).tolist(), strict=True):
        yield dict(zip(judge.config.findings, told, strict=True)), row


def sheet(rows: Sequence[TrainingImage], path: Path, *, count: int = 64) -> None:
    """The first of them, eight beside each other: rows of both kinds in turn."""
    chosen = random.Random(0).sample(list(rows), min(count, len(rows)))
    chosen.sort(key=lambda row: (row.findings, row.image_id))
    pictures = [read_grey(Path(row.path), side=2 * SIDE) for row in chosen]
    lines = [np.hstack(pictures[start : start + 8]) for start in range(0, len(pictures), 8)]
    Image.fromarray(np.vstack([line for line in lines if line.shape[1] == 16 * SIDE])).save(path)
