"""Pools of synthetic images: made by the bundled model, measured by the bundled proxies."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.augmentation.cohorts import write_rows
from generation.conditioning.findings import NORMAL
from generation.conditioning.masks import encode_mask, margin_of, read_mask
from generation.conditioning.prompts import prompt_for, prompt_set
from generation.conditioning.transforms import Family
from generation.conditioning.variants import (
    TRIES_A_MASK,
    Parent,
    others_among,
    transformed_set,
    variants,
)
from generation.diffusion.loading import BUNDLED_FOLDER, Pipeline, load_pipeline
from generation.diffusion.sampling import sample
from generation.downstream.classifier import Classifier
from generation.downstream.segmenter import Segmenter
from generation.hashing import sha256_of_file
from generation.measures.agreement import label_agreement, mask_agreement
from generation.specs import (
    BUNDLED,
    MOST_AT_ONCE,
    MaskFile,
    Mode,
    ModelSource,
    SampleSpec,
    TrainingImage,
)
from generation.training.devices import dtype_for
from generation.training.images import read_grey, read_manifest

FINDING = "pneumonia"
SIDE = 128
FAMILIES: tuple[Family, ...] = ("affine", "elastic")
MASK_PROMPTS = prompt_set((NORMAL, "pneumonia", "infiltration", "effusion"))


@dataclass(frozen=True, kw_only=True)
class Pool:
    """``count`` images of a name."""

    name: str
    count: int
    seed: int
    mode: Mode = "t2i"


Recipe = tuple[SampleSpec, TrainingImage]
"""What an image is made from, and its line in the pool's manifest."""


def label_recipes(pool: Pool, training: Sequence[TrainingImage], folder: Path) -> Iterator[Recipe]:
    """With the finding and without any in turn; views, sexes and ages are those of images."""
    randomness = random.Random(pool.seed)
    groups = [
        [row for row in training if FINDING in row.findings],
        [row for row in training if not row.findings],
    ]
    for number, group in zip(range(pool.count), cycle(groups), strict=False):
        like = randomness.choice(group)
        asked = tuple({FINDING} & set(like.findings))
        prompt = prompt_for(asked, view=like.view, sex=like.sex, age_years=like.age_years)
        row = replace(like, findings=asked, masks={})
        yield recipe_of(pool, number, prompt, row, folder)


def mask_recipes(pool: Pool, training: Sequence[TrainingImage], folder: Path) -> Iterator[Recipe]:
    """Yields each mask of the training images in turn, moved; prompts of the default findings.

    Masks that the frame cuts so that no transform is plausible are left out.
    """
    pairs = [(row, parent_of(row)) for row in training]
    movable = [(row, parent) for row, parent in pairs if is_movable(parent, pool.seed)]
    parents = [parent for _, parent in movable]
    made = transformed_set(parents, FAMILIES, size=pool.count, seed=pool.seed)
    for number, ((_, variant), (like, _), prompt) in enumerate(
        zip(made, cycle(movable), cycle(MASK_PROMPTS), strict=False)
    ):
        assert variant.masks is not None
        path = folder / "masks" / f"{number:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_mask(variant.masks["lungs"]))
        row = replace(like, findings=(), masks={"lungs": str(path)})
        yield recipe_of(pool, number, prompt, row, folder)


def parent_of(row: TrainingImage) -> Parent:
    margin = margin_of(SIDE)
    return Parent(
        {"lungs": read_mask(Path(row.masks["lungs"]), side=SIDE, margin=margin)},
        hashes={"lungs": sha256_of_file(row.masks["lungs"])},
        margin=margin,
    )


def is_movable(parent: Parent, seed: int) -> bool:
    """Returns whether more than half of some transforms of this mask are plausible."""
    others = others_among([parent])
    drawn = islice(variants(parent, FAMILIES, seed=seed, others=others), TRIES_A_MASK)
    return 2 * sum(one.masks is not None for one in drawn) > TRIES_A_MASK


def recipe_of(pool: Pool, number: int, prompt: str, like: TrainingImage, folder: Path) -> Recipe:
    masks = tuple(MaskFile(kind="lungs", path=path) for path in like.masks.values())
    spec = SampleSpec(
        prompt=prompt,
        seed=pool.seed * 1_000_000 + number,
        mode=pool.mode,
        width=SIDE,
        height=SIDE,
        masks=masks,
    )
    name = f"{number:05}"
    path = str(folder / "images" / f"{name}.png")
    return spec, replace(like, path=path, image_id=f"{pool.name}-{name}", split="train")


def make_pool(pool: Pool, training: Sequence[TrainingImage], folder: Path) -> list[TrainingImage]:
    """Make what is missing of a pool; its rows. Those of masks keep their mask's patient."""
    recipes = mask_recipes if pool.mode == "tm2i" else label_recipes
    wanted = list(recipes(pool, training, folder))
    (folder / "images").mkdir(parents=True, exist_ok=True)
    missing = [(spec, row) for spec, row in wanted if not Path(row.path).exists()]
    pipeline = load_bundled() if missing else None
    for start in range(0, len(missing), MOST_AT_ONCE):
        part = missing[start : start + MOST_AT_ONCE]
        assert pipeline is not None
        pictures = sample(pipeline, [spec for spec, _ in part])
        for picture, (_, row) in zip(pictures, part, strict=True):
            Image.fromarray(picture).save(row.path)
        print(f"{pool.name}: {len(wanted) - len(missing) + start + len(part)}", flush=True)
    rows = [row for _, row in wanted]
    write_rows(rows, folder / "manifest.jsonl")
    return rows


def load_bundled() -> Pipeline:
    device = torch.device("cpu")
    return load_pipeline(ModelSource(base=BUNDLED), device="cpu", dtype=dtype_for(device))


def measure_pool(rows: Sequence[TrainingImage], folder: Path) -> list[float]:
    """Returns how well each image shows what it was asked for, by the bundled proxy of its task."""
    path = folder / "measures.json"
    if path.exists():
        kept: list[float] = json.loads(path.read_text())
        return kept
    pictures = [read_grey(Path(row.path), side=SIDE) for row in rows]
    measures = mask_measures(rows, pictures) if rows[0].masks else label_measures(rows, pictures)
    path.write_text(json.dumps(measures))
    return measures


def label_measures(rows: Sequence[TrainingImage], pictures: Sequence[np.ndarray]) -> list[float]:
    classifier = Classifier.load(BUNDLED_FOLDER / "proxy" / "classifier")
    names = classifier.config.findings
    measures = []
    for row, told in zip(rows, classifier.probabilities(pictures).tolist(), strict=True):
        value = label_agreement(dict(zip(names, told, strict=True)), row.findings)
        assert value is not None
        measures.append(value)
    return measures


def mask_measures(rows: Sequence[TrainingImage], pictures: Sequence[np.ndarray]) -> list[float]:
    segmenter = Segmenter.load(BUNDLED_FOLDER / "proxy" / "segmenter")
    drawn = segmenter.probabilities(pictures) > 0.5
    wanted = [read_mask(Path(row.masks["lungs"]), side=SIDE) for row in rows]
    return mask_agreement(drawn, wanted)


def best_of(
    rows: Sequence[TrainingImage], measures: Sequence[float], *, share: float
) -> list[TrainingImage]:
    """Returns the best share by measure, of images with the finding and of those without it
    alike.
    """
    chosen: list[TrainingImage] = []
    for has_finding in (True, False):
        group = [
            (value, row)
            for value, row in zip(measures, rows, strict=True)
            if (FINDING in row.findings) == has_finding
        ]
        group.sort(key=lambda pair: (-pair[0], pair[1].image_id))
        chosen += [row for _, row in group[: round(share * len(group))]]
    return chosen


def read_pool(folder: Path) -> list[TrainingImage]:
    return read_manifest(folder / "manifest.jsonl")
