"""Making the candidates of a batch: each recipe once, whoever is killed in between."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction

from feedback_app.images.blobs.pixels import encode_png
from feedback_app.images.blobs.services import store_image
from feedback_app.images.candidates.fitting_models import Fitting
from feedback_app.images.candidates.models import Batch, Candidate, Recipe
from feedback_app.images.candidates.tasks.fitting import FittingPart
from feedback_app.images.candidates.tasks.measures import measure_new
from feedback_app.images.candidates.tasks.pipelines import pipeline_of
from feedback_app.images.candidates.tasks.plain_measures import measure_plainly
from feedback_app.images.versions.models import ModelVersion
from feedback_app.runs.kinds import handles
from feedback_app.runs.models import Run
from feedback_app.runs.progress import Progress
from generation.conditioning.masks import as_kind
from generation.diffusion.loading import library_versions
from generation.diffusion.sampling import sample
from generation.specs import MaskFile, RepairSpec, SampleSpec
from generation.training.devices import naming_full_memory


@handles("generate")
def generate(progress: Progress) -> dict[str, object]:
    """Make those of the run's recipes that nobody has made, and measure them."""
    spec = progress.run.spec
    batch = Batch.objects.select_related("model_version").get(pk=spec["batch"])
    keys: list[str] = spec["recipes"]
    started = time.monotonic()
    fitting = Fitting.objects.filter(batch=batch).first()
    if fitting is not None:
        made = _make_until_it_fits(progress, FittingPart(fitting, keys), batch.model_version)
    else:
        _report(progress, keys, note="Loading the model")
        made = _make_missing(progress, keys, batch.model_version)
        _report(progress, keys, note="")
    return {"made": made, "seconds": round(time.monotonic() - started, 2)}


def _make_missing(progress: Progress, keys: Sequence[str], version: ModelVersion) -> int:
    """Make what is not made, and measure it all; how many were made."""
    pipeline = pipeline_of(version)
    recipes = _unmade(keys)
    made = _make(recipes, pipeline=pipeline, run=progress.run) if recipes else 0
    measure_plainly(keys, version=version, log=progress.log)
    measure_new(keys, log=progress.log)
    return made


def _make_until_it_fits(progress: Progress, part: FittingPart, version: ModelVersion) -> int:
    """Make the next try of each place that has nothing yet, until there is none; how many."""
    made = 0
    while tried := part.waiting():
        progress.update(part.done, total=part.total, note=f"Try {tried[-1].number}")
        made += _make_missing(progress, [one.recipe_id for one in tried], version)
        part.judge(tried)
    progress.update(part.done, total=part.total, note="")
    return made


def _unmade(keys: Sequence[str]) -> list[Recipe]:
    """Returns the recipes that nobody has made by now, in the batch's order; a run is one pass."""
    recipes = Recipe.objects.unmade().select_related("repair__original__image__blob")
    unmade = recipes.prefetch_related("masks__blob").in_bulk(keys)
    return [unmade[key] for key in keys if key in unmade]


def _report(progress: Progress, keys: Sequence[str], *, note: str) -> None:
    done = Candidate.objects.filter(recipe__in=keys).count()
    progress.update(done, total=len(keys), note=note)


def _make(recipes: Sequence[Recipe], *, pipeline: Any, run: Run) -> int:
    """Sample one image a recipe and keep them; how many were kept."""
    started = time.perf_counter()
    with (
        with_mask_files(recipes) as samples,
        naming_full_memory(f"{len(recipes)} images were made at a time"),
    ):
        images = sample(pipeline, samples)
    provenance = {
        "device": pipeline.device.type,
        "dtype": str(pipeline.unet.dtype).removeprefix("torch."),
        "seconds": round((time.perf_counter() - started) / len(recipes), 4),
        "images_a_pass": len(recipes),
        **library_versions(),
    }
    kept = [
        keep(pixels, recipe=recipe, run=run, provenance=provenance)
        for recipe, pixels in zip(recipes, images, strict=True)
    ]
    return sum(kept)


@contextmanager
def with_mask_files(recipes: Sequence[Recipe]) -> Iterator[list[SampleSpec]]:
    """Yields what the sampler reads of each recipe, masks and what is repaired in files
    meanwhile.
    """
    with TemporaryDirectory(prefix="reading-room-masks-") as name:
        yield [
            replace(
                recipe.sample,
                masks=_write_masks(recipe, Path(name)),
                repair=_write_original(recipe, Path(name)),
            )
            for recipe in recipes
        ]


def _write_original(recipe: Recipe, folder: Path) -> RepairSpec | None:
    repair = getattr(recipe, "repair", None)
    if repair is None:
        return None
    blob = repair.original.image.blob
    path = folder / f"{blob.sha256}.png"
    if not path.exists():
        path.write_bytes(blob.read())
    regions = tuple(tuple((x, y) for x, y in region) for region in repair.regions)
    return RepairSpec(image=str(path), regions=regions)


def _write_masks(recipe: Recipe, folder: Path) -> tuple[MaskFile, ...]:
    """Returns a file for each blob, shared by the recipes that have the same mask."""
    files = []
    for mask in recipe.conditioning:
        path = folder / f"{mask.blob_id}.png"
        if not path.exists():
            path.write_bytes(mask.blob.read())
        files.append(MaskFile(kind=as_kind(mask.kind), path=str(path)))
    return tuple(files)


def keep(
    pixels: np.ndarray[Any, Any], *, recipe: Recipe, run: Run, provenance: dict[str, object]
) -> bool:
    """Store a candidate; False, and nothing stored, where its recipe was made meanwhile."""
    try:
        with transaction.atomic():
            image = store_image(encode_png(pixels), name=f"candidate {recipe.key}")
            Candidate.objects.create(image=image, recipe=recipe, run=run, provenance=provenance)
    except IntegrityError:
        if not Candidate.objects.filter(recipe=recipe).exists():
            raise
        return False
    return True
