"""Starting a base model's training, and registering the model that comes of it."""

import uuid
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from pydantic import TypeAdapter

from feedback_app.accounts.models import User
from feedback_app.images.models import Cohort, CohortImage, ModelVersion, Split
from feedback_app.images.services import versions
from feedback_app.images.services.blobs import naming_a_full_disk
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.specs import PretrainSpec, TrainingImage, write_spec


def start_pretraining(
    cohort: Cohort,
    *,
    name: str,
    resolution: int,
    autoencoder_steps: int,
    denoiser_steps: int,
    batch_size: int,
    seed: int = 0,
    created_by: User | None = None,
) -> Run:
    """Write the run folder and queue the training of a base model to be called ``name``."""
    if ModelVersion.objects.filter(name=name).exists():
        raise RemediableError(
            f"There is a model version “{name}” already.", remedy="Choose another name."
        )
    if not cohort.images.filter(patient__split=Split.TRAIN).exists():
        raise RemediableError(
            f"The cohort “{cohort.name}” has no image in its training split.",
            remedy="Import its images first; splits are by patient or group.",
        )
    run_dir: Path = settings.RUNS_ROOT / str(uuid.uuid4())
    with naming_a_full_disk("the training manifest"):
        run_dir.mkdir(parents=True)
        manifest = run_dir / "manifest.jsonl"
        write_manifest(cohort, manifest)
        spec = PretrainSpec(
            manifest=str(manifest),
            cohort=cohort.name,
            resolution=resolution,
            autoencoder_steps=autoencoder_steps,
            denoiser_steps=denoiser_steps,
            batch_size=batch_size,
            seed=seed,
        )
        write_spec(spec, run_dir / "spec.json")
    with transaction.atomic():
        return runs.start(
            "pretrain",
            title=f"Train the base model {name} on {cohort.name}",
            spec={"run_dir": str(run_dir), "name": name, "cohort": cohort.name},
            total=autoencoder_steps + denoiser_steps,
            created_by=created_by,
        )


def write_manifest(cohort: Cohort, path: Path) -> None:
    """One line of JSON an image, of all splits, in a fixed order."""
    line_of = TypeAdapter(TrainingImage)
    images = cohort.images.select_related("image__blob", "patient").order_by("source_id")
    with path.open("wb") as file:
        for image in images.iterator(chunk_size=1_000):
            file.write(line_of.dump_json(_training_image(image)) + b"\n")


def _training_image(image: CohortImage) -> TrainingImage:
    return TrainingImage(
        path=default_storage.path(image.image.blob.path),
        image_id=image.source_id,
        patient=image.patient.source_id,
        split=image.patient.split,  # type: ignore[arg-type]
        findings=tuple(image.findings),
        view=image.view,
        sex=image.patient.sex,
        age_years=image.age_years,
    )


def register_pretrained(run: Run) -> ModelVersion:
    """Register what a finished training has left in its run folder; twice changes nothing."""
    return versions.register(
        run.spec["name"],
        str(Path(run.spec["run_dir"]) / "model"),
        method="pretrain",
        created_by=run.created_by,
    )
