"""Generators of cells' own: each learns from exactly one cell's real images, in a run before it.

One of the same images and settings is trained once, whichever experiment asks for it.
"""

import hashlib
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings

from feedback_app.accounts.models import User
from feedback_app.experiments.labels import ARM_LABELS
from feedback_app.experiments.models import Cell, Experiment, ExperimentState, OwnGenerator
from feedback_app.experiments.services.costs import LOOKED_AT, CellCost
from feedback_app.experiments.services.design import OWN_SETTINGS, Design, own_spec
from feedback_app.experiments.services.grid import grid_of
from feedback_app.experiments.services.manifests import (
    LINE,
    content_of,
    freeze,
    write_for_training,
)
from feedback_app.experiments.services.subsets import Subsets
from feedback_app.experiments.services.supply import RealSupply, Refusal
from feedback_app.images.blobs.services import naming_a_full_disk, store
from feedback_app.images.models import Blob
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from generation.downstream.cell_hash import as_text
from generation.downstream.draws import NONE
from generation.errors import RemediableError
from generation.specs import OWN_GENERATOR, OwnGeneratorSpec, TrainingImage, write_spec

VERSION = 1
"""It is raised when the code that trains such a generator gives other images."""
ASSUMED_S_A_STEP = 0.1
"""At 64 pixels on one core; on a GPU it is a fraction of that."""
SIDE_OF_ASSUMPTION = 64
PRIORITY = -10
POOL = "pool.jsonl"
LEFTOVERS = ("checkpoint", "images", "pool-masks", "model", "masks-model")
"""What a run folder holds beside spec and log; the images are kept as blobs."""

Wanted = Mapping[tuple[int, int], "OwnGenerator"]
"""Generators by size and seed."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What the generator of a size and seed learns from, and by what settings."""

    rows: tuple[TrainingImage, ...]
    spec: OwnGeneratorSpec

    @property
    def stored(self) -> dict[str, Any]:
        """The settings without the manifest, which is a path."""
        stored: dict[str, Any] = {**asdict(self.spec), "findings": list(self.spec.findings)}
        del stored["manifest"]
        return stored

    @property
    def content_hash(self) -> str:
        content = {"version": VERSION, "images": content_of(self.rows), **self.stored}
        return hashlib.sha256(as_text(content).encode()).hexdigest()


def lessons_of(design: Design, subsets: Subsets) -> dict[tuple[int, int], Lesson]:
    """Returns one for every size and seed, as there is one set of real images for each."""
    by_id = {row.image_id: row for row in subsets.usable}
    most: dict[tuple[int, int], int] = {}
    for place in grid_of(design):
        if place.arm == OWN_GENERATOR:
            key = (place.real_size, place.seed)
            most[key] = max(most.get(key, 0), place.synthetic_count)
    found = {}
    for (size, seed), count in most.items():
        ids = subsets.training_ids(size=size, seed=seed)
        spec = replace(own_spec(design), count=count, seed=seed)
        found[size, seed] = Lesson(rows=tuple(by_id[name] for name in sorted(ids)), spec=spec)
    return found


def lacks_own(design: Design, supply: RealSupply) -> Iterable[Refusal]:
    """A generator can make only what is among the images that it learns from."""
    if OWN_GENERATOR not in design.arms or design.task == "segmentation":
        return
    kinds = len(design.findings) + (len(design.findings) == 1 or bool(supply.strata.get(NONE)))
    if (least := min(design.real_sizes)) < kinds:
        yield Refusal(
            f"{ARM_LABELS[OWN_GENERATOR]}: of {least} real images no generator learns "
            f"{kinds} kinds of image.",
            f"Take {kinds} real images at least, or fewer findings.",
        )


def cost_key(design: Design) -> str:
    """Returns the same for generators that take about as long."""
    spec = asdict(own_spec(design))
    kept = {name: spec[name] for name in ("resolution", *OWN_SETTINGS)}
    content = as_text({**kept, "follows_masks": bool(spec["kind"])})
    return hashlib.sha256(content.encode()).hexdigest()


def cost_of_generator(design: Design) -> CellCost:
    """Returns the median of what such generators took here; an estimate by their steps where
    none did.
    """
    if OWN_GENERATOR not in design.arms:
        return CellCost(0.0, measured=0)
    done = OwnGenerator.objects.filter(cost_key=cost_key(design), seconds__isnull=False)
    newest = done.order_by("-created_at").values_list("seconds", flat=True)[:LOOKED_AT]
    seconds = [one for one in newest if one is not None]
    if seconds:
        return CellCost(median(seconds), measured=len(seconds))
    spec = own_spec(design)
    area = (spec.resolution / SIDE_OF_ASSUMPTION) ** 2
    return CellCost(spec.training_steps * ASSUMED_S_A_STEP * area, measured=0)


def rows_for(design: Design, lessons: Mapping[tuple[int, int], Lesson]) -> Wanted:
    """Returns a row for each, kept from before where the same was asked for; none is queued."""
    found = {}
    for key, lesson in lessons.items():
        found[key], _ = OwnGenerator.objects.get_or_create(
            content_hash=lesson.content_hash,
            defaults={
                "cohort_name": design.cohort,
                "real_size": len(lesson.rows),
                "settings": lesson.stored,
                "cost_key": cost_key(design),
                "learnt_from": freeze(lesson.rows),
            },
        )
    return found


def queue(generators: Iterable[OwnGenerator], *, actor: User | None) -> None:
    """A run for each that is not made yet, or its own run again; in a transaction.

    Rows are read anew, and locked: cells and experiments share them.
    """
    keys = {row.pk for row in generators}
    missing = OwnGenerator.objects.filter(pk__in=keys, manifest=None).order_by("pk")
    for row in missing.select_for_update(of=("self",)).select_related("run"):
        if row.run is None:
            row.run = runs.start(
                "own_generator",
                title=f"Generator of {row.real_size} images of {row.cohort_name}",
                spec={"own_generator": row.content_hash, "cohort": row.cohort_name},
                priority=PRIORITY,
                created_by=actor,
            )
            row.save(update_fields=["run"])
        elif not runs.retry(row.run):  # it runs still, and was to stop
            Run.objects.running().filter(own_generator=row).update(cancel_requested=False)


def stop(experiment: Experiment, *, states: Collection[State]) -> None:
    """Cancel generators that wait, or run, for this experiment and for no other that goes on."""
    elsewhere = Cell.objects.filter(experiment__state=ExperimentState.STARTED)
    wanted = elsewhere.exclude(experiment=experiment).exclude(own_generator=None)
    mine = OwnGenerator.objects.filter(
        cells__experiment=experiment, manifest=None, run__state__in=states
    )
    unwanted = mine.exclude(pk__in=wanted.values("own_generator")).distinct()
    for row in unwanted.select_related("run"):
        assert row.run is not None
        runs.cancel(row.run)


def run_folder(row: OwnGenerator) -> Path:
    root: Path = settings.RUNS_ROOT
    return root / str(row.run_id)


def write_folder(row: OwnGenerator, run_dir: Path) -> OwnGeneratorSpec:
    """All that the training process reads; twice is no harm."""
    with naming_a_full_disk("a generator's manifest"):
        run_dir.mkdir(parents=True, exist_ok=True)
        manifest = run_dir / "real.jsonl"
        write_for_training(row.learnt_from, manifest)
        stored = {**row.settings, "findings": tuple(row.settings["findings"])}
        spec = OwnGeneratorSpec(manifest=str(manifest), **stored)
        write_spec(spec, run_dir / "spec.json")
    return spec


def take_in(row: OwnGenerator, run_dir: Path, *, result: Mapping[str, Any]) -> OwnGenerator:
    """Keep the images that it made; the rest of the run folder goes."""
    pool = run_dir / POOL
    if not pool.is_file():
        raise RemediableError(
            f"The generator ended well but left no {POOL} in its run folder.",
            remedy="Retry the run; if it happens again, its log says more.",
        )
    lines = [LINE.validate_json(line) for line in pool.read_bytes().splitlines()]
    row.manifest = freeze(_as_blobs(line, row) for line in lines)
    row.seconds = result["seconds"]
    row.save(update_fields=["manifest", "seconds"])
    for name in LEFTOVERS:
        shutil.rmtree(run_dir / name, ignore_errors=True)
    return row


def images_of(row: OwnGenerator) -> set[str]:
    """Returns the files of the images and masks that it made, by their hashes."""
    assert row.manifest is not None
    lines = [LINE.validate_json(line) for line in row.manifest.read().splitlines()]
    return {sha256 for line in lines for sha256 in (line.path, *line.masks.values())}


def _as_blobs(line: TrainingImage, row: OwnGenerator) -> TrainingImage:
    """With hashes for paths, and a name that no other generator's image has."""
    own = f"{row.content_hash[:16]} {line.image_id}"
    return replace(
        line,
        path=_stored(line.path).sha256,
        masks={kind: _stored(path).sha256 for kind, path in line.masks.items()},
        image_id=own,
        patient=f"synthetic {own}",
    )


def _stored(path: str) -> Blob:
    return store(Path(path).read_bytes(), media_type="image/png")
