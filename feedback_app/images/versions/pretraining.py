"""Starting a base model's training, and registering the model that comes of it."""

import uuid
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings as django_settings

from feedback_app.accounts.models import User
from feedback_app.images.cohorts.manifests import write_training_folder
from feedback_app.images.cohorts.models import Cohort, Split
from feedback_app.images.versions import services as versions
from feedback_app.images.versions.folders import location_of, path_of
from feedback_app.images.versions.models import ModelVersion
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.specs import PretrainSpec, naming_the_setting

SETTINGS = (
    "resolution",
    "feature_steps",
    "autoencoder_steps",
    "latent_versions",
    "decoder_steps",
    "denoiser_steps",
    "batch_size",
    "seed",
)
"""What may be set of a ``PretrainSpec``."""


def start_pretraining(
    cohort: Cohort,
    *,
    name: str,
    settings: Mapping[str, int],
    created_by: User | None = None,
) -> Run:
    """Write the run folder and queue the training of a base model to be called ``name``.

    ``settings`` are those of SETTINGS; what is not there keeps its default.
    """
    versions.require_free_name(name)
    if not cohort.images.filter(patient__split=Split.TRAIN).exists():
        raise RemediableError(
            f"The cohort “{cohort.name}” has no image in its training split.",
            remedy="Import its images first; splits are by patient or group.",
        )
    run_dir: Path = django_settings.RUNS_ROOT / str(uuid.uuid4())
    spec = _spec(cohort, settings=settings, manifest=run_dir / "manifest.jsonl")
    write_training_folder(run_dir, spec, cohort)
    return runs.start(
        "pretrain",
        title=f"Train the base model {name} on {cohort.name}",
        spec={"run_dir": location_of(run_dir), "name": name, "cohort": cohort.name},
        created_by=created_by,
    )


def _spec(cohort: Cohort, *, settings: Mapping[str, int], manifest: Path) -> PretrainSpec:
    with naming_the_setting():
        return PretrainSpec(manifest=str(manifest), cohort=cohort.name, **settings)


def register_pretrained(run: Run) -> ModelVersion:
    """Register what a finished training has left in its run folder; twice changes nothing."""
    return versions.register(
        run.spec["name"],
        str(path_of(run.spec["run_dir"]) / "model"),
        method="pretrain",
        created_by=run.created_by,
    )
