"""What cells learn from, frozen: JSON lines that name every file by the SHA-256 of its bytes.

Such a manifest says all that a training sees, whatever the machine; for a training process
its names are turned into paths.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter

from feedback_app.experiments.models import ExperimentSource
from feedback_app.images.blobs.places import path_of_blob
from feedback_app.images.blobs.services import store
from feedback_app.images.cohorts.manifests import training_rows
from feedback_app.images.models import Blob, Candidate, Cohort, Mask
from generation.conditioning.facts import facts_of
from generation.conditioning.findings import FINDINGS
from generation.downstream.cell_hash import as_text
from generation.specs import TrainingImage

LINE = TypeAdapter(TrainingImage)
MEDIA_TYPE = "application/jsonl"


def real_rows(cohort: Cohort) -> list[TrainingImage]:
    """Returns all of a cohort's images, with the masks that people outlined."""
    drawn = Mask.objects.drawn_by_people().filter(is_from_boxes=False)
    return list(training_rows(cohort.images.order_by("source_id"), masks=drawn, path_of=str))


def synthetic_rows(source: ExperimentSource, *, cohort: Cohort) -> list[TrainingImage]:
    """Returns a source's images with what they were asked for.

    Without a prompt it is not known which findings an image shows. What followed the mask
    of a patient of the cohort is told to be of that patient.
    """
    candidates = source.candidates().select_related("image", "recipe")
    masks = "recipe__masks__parent__cohort_image__patient"
    return [
        _synthetic_row(candidate, cohort=cohort) for candidate in candidates.prefetch_related(masks)
    ]


def _synthetic_row(candidate: Candidate, *, cohort: Cohort) -> TrainingImage:
    recipe = candidate.recipe
    facts = facts_of(recipe.prompt)
    followed = [mask.parent.cohort_image.patient for mask in recipe.masks.all()]
    patients = sorted(row.source_id for row in followed if row.cohort_id == cohort.pk)
    return TrainingImage(
        path=candidate.image.blob_id,
        image_id=recipe.key,
        patient=patients[0] if patients else f"synthetic {recipe.key[:16]}",
        split="train",
        findings=tuple(recipe.findings),
        unknown=() if recipe.prompt else FINDINGS,
        masks={mask.kind: mask.blob_id for mask in recipe.masks.all()},
        view=facts.view,
        sex=facts.sex,
        age_years=facts.age_years,
    )


def freeze(rows: Iterable[TrainingImage]) -> Blob:
    return store(b"".join(LINE.dump_json(row) + b"\n" for row in rows), media_type=MEDIA_TYPE)


def content_of(rows: Iterable[TrainingImage]) -> str:
    """Returns what the rows and their files hold, as a cell's hash has it."""
    ordered = sorted(rows, key=lambda row: row.image_id)
    return as_text([asdict(row) for row in ordered])


def thaw(manifest: Blob) -> list[TrainingImage]:
    return [LINE.validate_json(line) for line in manifest.read().splitlines()]


def write_for_training(manifest: Blob, path: Path) -> None:
    """Writes the manifest with paths of files instead of hashes."""
    lines = (LINE.dump_json(row) + b"\n" for row in _with_paths(thaw(manifest)))
    path.write_bytes(b"".join(lines))


def _with_paths(rows: Iterable[TrainingImage]) -> Iterator[TrainingImage]:
    for row in rows:
        masks = {kind: path_of_blob(sha256) for kind, sha256 in row.masks.items()}
        yield replace(row, path=path_of_blob(row.path), masks=masks)
