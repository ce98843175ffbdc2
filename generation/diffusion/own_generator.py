"""A generator that knows one cell's real images alone, from their manifest to images of its own.

What an experiment learns from such images is in the regime of equal data: nothing behind them
has seen another patient. Of very few images it makes near copies, and that is the finding.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pydantic import TypeAdapter

from generation.conditioning.masks import (
    Masks,
    as_kind,
    encode_mask,
    label_of,
    margin_of,
    read_mask,
)
from generation.conditioning.prompts import whole_prompt
from generation.conditioning.transforms import Family
from generation.conditioning.variants import TRIES_A_MASK, Parent, variants
from generation.diffusion.assembly import assemble
from generation.diffusion.controlnet_training import ControlNetTraining
from generation.diffusion.loading import INDEX_FILE, load_pipeline
from generation.diffusion.pretraining import Pretraining
from generation.diffusion.sampling import sample
from generation.diffusion.stages import Progress
from generation.diffusion.text_encoder import train_tokenizer
from generation.downstream.draws import in_turn, stratum_of
from generation.errors import RemediableError
from generation.specs import (
    MOST_AT_ONCE,
    ControlNetSpec,
    MaskFile,
    ModelSource,
    OwnGeneratorSpec,
    PretrainSpec,
    SampleSpec,
    TrainingImage,
)
from generation.training.devices import device, dtype_for
from generation.training.images import load_images, read_manifest

FAMILIES: tuple[Family, ...] = ("affine", "elastic")
MANIFEST = "pool.jsonl"
Recipe = tuple[SampleSpec, TrainingImage]
"""What an image is made from, and its line in the manifest of those made."""

_LINE = TypeAdapter(TrainingImage)


@dataclass(frozen=True)
class OwnGenerator:
    """It works in the run folder ``folder`` and may be killed and started again at any time."""

    spec: OwnGeneratorSpec
    folder: Path
    checkpoint: Path
    progress: Progress

    @property
    def total(self) -> int:
        return self.spec.training_steps + self.spec.count

    def run(self) -> None:
        """Train, and leave images, their masks and ``pool.jsonl`` in the folder."""
        rows = self.rows()
        model = self.folder / "model"
        if not (model / INDEX_FILE).is_file():
            self.train_base(model)
        source = ModelSource(base=str(model))
        if self.spec.kind:
            source = self.train_masks(source)
        made = self.make_images(rows, source)
        lines = b"".join(_LINE.dump_json(row) + b"\n" for row in made)
        (self.folder / MANIFEST).write_bytes(lines)

    def rows(self) -> list[TrainingImage]:
        rows = read_manifest(Path(self.spec.manifest))
        if any(row.split != "train" for row in rows):
            raise RemediableError(
                f"{self.spec.manifest} names images that are held out",
                remedy="A cell's own generator learns from its training images alone.",
            )
        if self.spec.kind and not all(self.spec.kind in row.masks for row in rows):
            raise RemediableError(
                f"an image of {self.spec.manifest} has no mask of {label_of(self.spec.kind)}",
                remedy="Draw the cell's training images from those with such a mask.",
            )
        return rows

    def train_base(self, model: Path) -> None:
        """As base models are trained, but without the measure of quality, which needs others."""
        spec = self.spec
        stages = Pretraining(
            PretrainSpec(
                manifest=spec.manifest,
                cohort="-",
                resolution=spec.resolution,
                feature_steps=1,  # none is made; a spec has one at least
                autoencoder_steps=spec.autoencoder_steps,
                latent_versions=spec.latent_versions,
                decoder_steps=spec.decoder_steps,
                denoiser_steps=spec.denoiser_steps,
                batch_size=spec.batch_size,
                seed=spec.seed,
            ),
            self.checkpoint,
            self.progress_from(-1),
        )
        images = load_images(self.rows(), split="train", resolution=spec.resolution)
        autoencoder, latents = stages.encode(images)
        tokenizer = train_tokenizer([whole_prompt(row) for row in images.rows])
        denoiser = stages.denoise(images, latents, tokenizer)
        pipeline = assemble(autoencoder, denoiser, tokenizer, dtype=torch.float16)
        stages.publish(model, pipeline.save_pretrained)

    def train_masks(self, base: ModelSource) -> ModelSource:
        spec, model = self.spec, self.folder / "masks-model"
        if not model.is_dir():
            checkpoint = self.checkpoint / "masks"
            checkpoint.mkdir(exist_ok=True)
            taught = ControlNetSpec(
                model=base,
                manifest=spec.manifest,
                cohort="-",
                latent_versions=spec.latent_versions,
                steps=spec.controlnet_steps,
                batch_size=spec.batch_size,
                zero_text_share=0.0,  # images are made from prompt and masks together
                seed=spec.seed,
            )
            before = spec.training_steps - spec.latent_versions - spec.controlnet_steps
            ControlNetTraining(taught, checkpoint, self.progress_from(before)).run(model)
        return replace(base, adapters=(str(model),))

    def progress_from(self, before: int) -> Progress:
        """Report a part's steps as steps of the whole."""

        def report(done: int, total: int, note: str, figures: Mapping[str, float]) -> None:
            self.progress(before + done, self.total, note, figures)

        return report

    def make_images(
        self, rows: Sequence[TrainingImage], source: ModelSource
    ) -> list[TrainingImage]:
        """Make what is missing of them."""
        (self.folder / "images").mkdir(exist_ok=True)
        recipes = list(recipes_of(rows, self.spec, self.folder))
        missing = [recipe for recipe in recipes if not Path(recipe[1].path).exists()]
        if missing:
            pipeline = load_pipeline(source, device=str(device()), dtype=dtype_for(device()))
        for start in range(0, len(missing), MOST_AT_ONCE):
            part = missing[start : start + MOST_AT_ONCE]
            pictures = sample(pipeline, [recipe for recipe, _ in part])
            for picture, (_, row) in zip(pictures, part, strict=True):
                _save(picture, Path(row.path))
            done = len(recipes) - len(missing) + start + len(part)
            self.progress(self.spec.training_steps + done, self.total, "images", {})
        return [row for _, row in recipes]


def _save(picture: np.ndarray, path: Path) -> None:
    """Save so that a file of that name is whole."""
    partial = path.with_suffix(".partial")
    Image.fromarray(picture).save(partial, format="PNG")
    partial.replace(path)


def recipes_of(
    rows: Sequence[TrainingImage], spec: OwnGeneratorSpec, folder: Path
) -> Iterator[Recipe]:
    """Each image that was learnt from in turn, and of its findings in turn, is the model of one."""
    for number, like in enumerate(islice(cycle(models_in_turn(rows, spec)), spec.count)):
        name = f"{number:05}"
        masks = _written(moved_masks(like, spec, number), folder / "pool-masks", name)
        yield (
            SampleSpec(
                prompt=whole_prompt(like),
                seed=spec.seed * 1_000_000 + number,
                mode="tm2i" if spec.kind else "t2i",
                guidance_scale=spec.guidance_scale,
                width=spec.resolution,
                height=spec.resolution,
                masks=tuple(MaskFile(kind=as_kind(kind), path=masks[kind]) for kind in masks),
            ),
            replace(
                like,
                path=str(folder / "images" / f"{name}.png"),
                image_id=f"own-{name}",
                patient=f"own generator {name}",
                masks=masks,
            ),
        )


def models_in_turn(
    rows: Sequence[TrainingImage], spec: OwnGeneratorSpec
) -> Sequence[TrainingImage]:
    """So many that every finding comes as often as each other, whatever the images are."""
    groups: dict[str, list[TrainingImage]] = {}
    for row in sorted(rows, key=lambda row: row.image_id):
        groups.setdefault(stratum_of(row, spec.findings), []).append(row)
    for name, group in groups.items():
        random.Random(f"{spec.seed}:{name}").shuffle(group)
    longest = max(map(len, groups.values()))
    repeated = [list(islice(cycle(group), longest)) for group in groups.values()]
    return [row for row in in_turn(repeated) if row is not None]


def moved_masks(row: TrainingImage, spec: OwnGeneratorSpec, number: int) -> Masks:
    """Returns the first plausible transform of an image's masks; where there is none, they stay."""
    if not spec.kind:
        return {}
    side = 2 * spec.resolution  # as cells read them
    margin = margin_of(side)
    kinds = sorted(as_kind(kind) for kind in row.masks)
    parent = Parent(
        {kind: read_mask(Path(row.masks[kind]), side=side, margin=margin) for kind in kinds},
        hashes={kind: f"{row.image_id}:{kind}" for kind in kinds},
        margin=margin,
    )
    drawn = variants(parent, FAMILIES, seed=spec.seed * 1_000_000 + number, others={})
    moved = (one.masks for one in islice(drawn, TRIES_A_MASK) if one.masks is not None)
    return next(moved, parent.framed)


def _written(masks: Masks, folder: Path, name: str) -> dict[str, str]:
    paths = {}
    for kind, mask in masks.items():
        path = folder / kind / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_mask(mask))
        paths[str(kind)] = str(path)
    return paths
