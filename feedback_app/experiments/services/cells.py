"""One cell: its spec and content hash, its run folder, and bringing its result in."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from feedback_app.experiments.models import Cell, CellResult, Experiment, ExperimentState
from feedback_app.experiments.services.costs import cost_key
from feedback_app.experiments.services.design import Design, design_of
from feedback_app.experiments.services.grid import Place
from feedback_app.experiments.services.manifests import thaw, write_for_training
from feedback_app.experiments.services.subsets import Subsets
from feedback_app.images.blobs.services import naming_a_full_disk, store
from feedback_app.images.models import Blob
from generation.downstream.cell_hash import hash_with
from generation.errors import RemediableError
from generation.specs import (
    ARMS_OF_REAL_IMAGES,
    CellSpec,
    naming_the_setting,
    write_spec,
)

RESULT_FIELDS = ("figures", "thresholds", "best_step", "seconds")


def spec_of(
    place: Place, design: Design, subsets: Subsets, *, real: str, synthetic: str
) -> CellSpec:
    """Returns what a cell is trained by; ``real`` and ``synthetic`` are where its manifests lie."""
    ids: tuple[str, ...] = ()
    if place.arm != "synthetic":
        ids = subsets.training_ids(size=place.real_size, seed=place.seed)
    with naming_the_setting():
        return CellSpec(
            task=design.task,
            arm=place.arm,
            real=real,
            training_ids=ids,
            synthetic=synthetic,
            synthetic_count=place.synthetic_count,
            seed=place.seed,
            **design.cell_settings,
        )


def content_hash(
    place: Place, design: Design, subsets: Subsets, *, real: str, synthetic: str
) -> str:
    """Hashes what a cell learns from and how; ``real`` and ``synthetic`` are contents as text."""
    named = "synthetic" if place.arm not in ARMS_OF_REAL_IMAGES else ""
    spec = spec_of(place, design, subsets, real="real", synthetic=named)
    return hash_with(spec, real=real, synthetic=synthetic)


def write_cell_folder(cell: Cell, run_dir: Path) -> CellSpec:
    """All that the training process reads; twice is no harm."""
    experiment = cell.experiment
    assert experiment.real_manifest is not None
    manifest = _synthetic_manifest(cell)
    with naming_a_full_disk("a cell's manifests"):
        run_dir.mkdir(parents=True, exist_ok=True)
        real, synthetic = run_dir / "real.jsonl", run_dir / "synthetic.jsonl"
        write_for_training(experiment.real_manifest, real)
        if manifest:
            write_for_training(manifest, synthetic)
        design = design_of(experiment)
        spec = spec_of(
            place_of(cell),
            design,
            Subsets.of(thaw(experiment.real_manifest), design),
            real=str(real),
            synthetic=str(synthetic) if manifest else "",
        )
        write_spec(spec, run_dir / "spec.json")
    return spec


def _synthetic_manifest(cell: Cell) -> Blob | None:
    """Returns what the arm's images are named in; None where it has none."""
    if cell.own_generator is not None:
        if cell.own_generator.manifest is None:
            raise RemediableError(
                f"The generator of the cell “{cell}” has made no images yet.",
                remedy="Retry the cell: its generator is then trained before it.",
            )
        return cell.own_generator.manifest
    source = cell.experiment.sources.filter(arm=cell.arm).select_related("manifest").first()
    return source.manifest if source else None


def place_of(cell: Cell) -> Place:
    return Place(
        arm=cell.arm,  # type: ignore[arg-type]
        real_size=cell.real_size,
        ratio=cell.ratio,
        seed=cell.seed,
    )


def run_folder(cell: Cell) -> Path:
    root: Path = settings.RUNS_ROOT
    return root / str(cell.run_id)


def take_in(cell: Cell, run_dir: Path, *, result: Mapping[str, Any]) -> CellResult:
    """Keep what a training has left; a second one of the same content changes nothing."""
    predictions = run_dir / "predictions.json"
    if not predictions.is_file():
        raise RemediableError(
            "The training ended well but left no predictions.json in its run folder.",
            remedy="Retry the cell; if it happens again, the run's log says more.",
        )
    content = predictions.read_bytes()
    if not json.loads(content):
        raise RemediableError(
            "The training measured no test image.", remedy="Look at the cohort's test split."
        )
    kept, _ = CellResult.objects.get_or_create(
        content_hash=cell.content_hash,
        defaults={
            **{name: result[name] for name in RESULT_FIELDS},
            "cost_key": cost_key(design_of(cell.experiment)),
            "predictions": store(content, media_type="application/json"),
            "run": cell.run,
        },
    )
    return attach(cell, kept)


@transaction.atomic
def attach(cell: Cell, result: CellResult) -> CellResult:
    """Give a cell its result; the last cell's finishes the experiment."""
    experiment = Experiment.objects.select_for_update(of=("self",)).get(pk=cell.experiment_id)
    Cell.objects.filter(pk=cell.pk).update(result=result)
    finish_if_done(experiment)
    return result


def finish_if_done(experiment: Experiment) -> None:
    if not experiment.cells.left().exists():
        Experiment.objects.filter(pk=experiment.pk).exclude(state=ExperimentState.FINISHED).update(
            state=ExperimentState.FINISHED, finished_at=timezone.now()
        )


def known_result(cell: Cell) -> CellResult | None:
    """Returns a result of the same content, by whichever experiment."""
    return CellResult.objects.filter(content_hash=cell.content_hash).first()
