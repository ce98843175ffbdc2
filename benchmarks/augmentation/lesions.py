"""The pools of the experiment on lesions: images that follow the masks of other patients."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.augmentation import covid
from benchmarks.augmentation.cohorts import write_rows
from benchmarks.augmentation.pools import Pool, best_of
from benchmarks.augmentation.trainings import trained
from generation.commands import pretrain, train_controlnet, train_segmenter
from generation.conditioning.masks import Masks, encode_mask, margin_of, read_mask
from generation.conditioning.prompts import prompt_for
from generation.conditioning.transforms import Family
from generation.conditioning.variants import TRIES_A_MASK, Parent, variants
from generation.diffusion.loading import load_pipeline
from generation.diffusion.sampling import sample
from generation.downstream.segmenter import Segmenter
from generation.hashing import sha256_of_file
from generation.measures.agreement import mask_agreement
from generation.specs import (
    MOST_AT_ONCE,
    ControlNetSpec,
    MaskFile,
    MaskKind,
    ModelSource,
    PretrainSpec,
    SampleSpec,
    SegmenterSpec,
    TrainingImage,
)
from generation.statistics.overlap import dice
from generation.training.devices import dtype_for
from generation.training.images import read_grey, read_manifest

SIDE = 64
HALF = 0.5
NOISE, OTHERS = "noise on masks", "real pairs of others"
FAMILIES: tuple[Family, ...] = ("affine", "elastic")
KINDS: tuple[MaskKind, ...] = (covid.LUNGS, covid.LESION)
GENERATOR: dict[str, Any] = {
    "resolution": SIDE,
    "feature_steps": 60,
    "autoencoder_steps": 900,
    "latent_versions": 4,
    "decoder_steps": 200,
    "denoiser_steps": 1_000,
    "batch_size": 16,
}
CONTROLNET: dict[str, Any] = {
    "latent_versions": 6,
    "steps": 1_200,
    "batch_size": 16,
    "zero_text_share": 0.0,
    "untold_kind_share": 0.05,
}
DRAWER: dict[str, Any] = {
    "resolution": SIDE,
    "widths": (16, 32, 64, 96),
    "max_steps": 500,
    "learning_rate": 4e-3,
}


def make_pools(pools: Sequence[Pool], data: Path, work: Path) -> dict[str, Path]:
    """Manifests by name: as generated, the half that fits its masks best, noise, and others.

    The last are real pairs of the generator's patients: what its images stand in for.
    """
    (pool,) = pools
    folder = work / "pools" / pool.name
    rows = make_images(pool, folder, data, work)
    best = best_of(rows, measure(rows, folder, data, work), share=HALF)
    noise = make_noise(rows, work / "pools" / NOISE)
    others = [row for row in covid.generator_rows(data, work) if row.split == "train"]
    return {
        pool.name: folder / "manifest.jsonl",
        f"{pool.name}, best half": write_rows(best, folder / "best-half.jsonl"),
        NOISE: write_rows(noise, work / "pools" / NOISE / "manifest.jsonl"),
        OTHERS: write_rows(others, work / "pools" / "other-pairs.jsonl"),
    }


def trained_generator(data: Path, work: Path) -> ModelSource:
    """Returns a base model and its ControlNet, trained by the product's commands unless they
    were.
    """
    generators = work / "generators"
    manifest = generators / "covid-64" / "manifest.jsonl"

    def base_spec(_: Path) -> PretrainSpec:
        write_rows(covid.generator_rows(data, work), manifest)
        return PretrainSpec(manifest=str(manifest), cohort=covid.FOLDER, **GENERATOR)

    base = trained(generators / "covid-64", pretrain.pretrain, base_spec)
    source = ModelSource(base=str(base))

    def masks_spec(_: Path) -> ControlNetSpec:
        return ControlNetSpec(
            model=source, manifest=str(manifest), cohort=covid.FOLDER, **CONTROLNET
        )

    masks = trained(generators / "covid-64-masks", train_controlnet.train_controlnet, masks_spec)
    return replace(source, adapters=(str(masks),))


def trained_drawer(kind: MaskKind, data: Path, work: Path) -> Segmenter:
    """It was taught on patients whom neither the generator nor an arm saw."""

    def spec_of(folder: Path) -> SegmenterSpec:
        manifest = write_rows(covid.judge_rows(data, work), folder / "manifest.jsonl")
        return SegmenterSpec(manifest=str(manifest), kind=kind, **DRAWER)

    model = trained(work / "judges" / f"covid-64-{kind}", train_segmenter.train, spec_of)
    return Segmenter.load(model)


def recipes(
    pool: Pool, folder: Path, data: Path, work: Path
) -> Iterator[tuple[SampleSpec, TrainingImage]]:
    """Masks of the generator's patients, each moved once; an image is a patient of its own."""
    sources = [row for row in covid.generator_rows(data, work) if row.split == "train"]
    random.Random(pool.seed).shuffle(sources)
    moved = (masks for row in sources if (masks := moved_masks(row, seed=pool.seed)))
    for number, masks in enumerate(islice(moved, pool.count)):
        paths = {kind: folder / "masks" / kind / f"{number:05}.png" for kind in masks}
        for kind, path in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_mask(masks[kind]))
        name = f"{pool.name}-{number:05}"
        yield (
            SampleSpec(
                prompt=prompt_for((covid.FINDING,)),
                seed=pool.seed * 1_000_000 + number,
                mode="tm2i",
                width=SIDE,
                height=SIDE,
                masks=tuple(MaskFile(kind=kind, path=str(path)) for kind, path in paths.items()),
            ),
            TrainingImage(
                path=str(folder / "images" / f"{number:05}.png"),
                image_id=name,
                patient=name,
                split="train",
                findings=(covid.FINDING,),
                masks={kind: str(path) for kind, path in paths.items()},
            ),
        )


def moved_masks(row: TrainingImage, *, seed: int) -> Masks | None:
    """Returns the first plausible transform of an image's masks; None where there is none."""
    margin = margin_of(covid.CELL_SIDE)
    parent = Parent(
        {
            kind: read_mask(Path(row.masks[kind]), side=covid.CELL_SIDE, margin=margin)
            for kind in KINDS
        },
        hashes={kind: sha256_of_file(row.masks[kind]) for kind in KINDS},
        margin=margin,
    )
    drawn = islice(variants(parent, FAMILIES, seed=seed, others={}), TRIES_A_MASK)
    return next((one.masks for one in drawn if one.masks is not None), None)


def make_images(pool: Pool, folder: Path, data: Path, work: Path) -> list[TrainingImage]:
    """Make what is missing."""
    kept = folder / "manifest.jsonl"
    if kept.exists():  # written once all of them are there
        return read_manifest(kept)
    wanted = list(recipes(pool, folder, data, work))
    (folder / "images").mkdir(parents=True, exist_ok=True)
    missing = [(spec, row) for spec, row in wanted if not Path(row.path).exists()]
    if missing:
        dtype = dtype_for(torch.device("cpu"))
        pipeline = load_pipeline(trained_generator(data, work), device="cpu", dtype=dtype)
        for start in range(0, len(missing), MOST_AT_ONCE):
            part = missing[start : start + MOST_AT_ONCE]
            pictures = sample(pipeline, [spec for spec, _ in part])
            for picture, (_, row) in zip(pictures, part, strict=True):
                Image.fromarray(picture).save(row.path)
    rows = [row for _, row in wanted]
    write_rows(rows, kept)
    return rows


def make_noise(rows: Sequence[TrainingImage], folder: Path) -> list[TrainingImage]:
    """Pure noise under the same masks: the planted truth that must be no gain."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    made = []
    for number, row in enumerate(rows):
        path = folder / "images" / f"{number:05}.png"
        if not path.exists():
            pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
            Image.fromarray(pixels).save(path)
        name = f"noise-{number}"
        made.append(replace(row, path=str(path), image_id=name, patient=name))
    return made


def measure(rows: Sequence[TrainingImage], folder: Path, data: Path, work: Path) -> list[float]:
    """Returns how well the lesion that is seen in each fits the mask it was made from: Dice."""
    path = folder / "measures.json"
    if not path.exists():
        drawer = trained_drawer(covid.LESION, data, work)
        pictures = [read_grey(Path(row.path), side=SIDE) for row in rows]
        wanted = [read_mask(Path(row.masks[covid.LESION]), side=SIDE) for row in rows]
        path.write_text(json.dumps(mask_agreement(drawer.probabilities(pictures) > HALF, wanted)))
    kept: list[float] = json.loads(path.read_text())
    return kept


def drawn_lungs_dice(rows: Sequence[TrainingImage], data: Path, work: Path) -> dict[str, float]:
    """Dice by image of a predictor without skill: a lesion is all of the lungs as drawn."""
    drawer = trained_drawer(covid.LUNGS, data, work)
    lungs = drawer.probabilities([read_grey(Path(row.path), side=SIDE) for row in rows]) > HALF
    truth = [read_mask(Path(row.masks[covid.LESION]), side=SIDE) for row in rows]
    values = dice(lungs, torch.from_numpy(np.stack(truth))).tolist()
    return dict(zip((row.image_id for row in rows), values, strict=True))


def sheet(rows: Sequence[TrainingImage], path: Path, *, count: int = 32) -> None:
    """Images, and beside each its lesion's mask as an outline: eight pairs in a row."""
    tiles = [
        np.hstack([read_grey(Path(row.path), side=2 * SIDE), _outlined(row)])
        for row in random.Random(0).sample(list(rows), min(count, len(rows)))
    ]
    lines = [np.hstack(tiles[start : start + 4]) for start in range(0, len(tiles) // 4 * 4, 4)]
    Image.fromarray(np.vstack(lines)).save(path)


def _outlined(row: TrainingImage) -> np.ndarray:
    picture = read_grey(Path(row.path), side=2 * SIDE).copy()
    mask = read_mask(Path(row.masks[covid.LESION]), side=2 * SIDE)
    inner = mask & np.roll(mask, 1, 0) & np.roll(mask, -1, 0) & np.roll(mask, 1, 1)
    picture[mask & ~(inner & np.roll(mask, -1, 1))] = 255
    return picture
