"""Starting a base model's training, and registering the model that comes of it."""

from collections.abc import Mapping

from feedback_app.accounts.models import User
from feedback_app.images.cohorts.models import Cohort, Split
from feedback_app.images.cohorts.services import find_cohort
from feedback_app.images.versions import services as versions
from feedback_app.images.versions.folders import path_of
from feedback_app.images.versions.models import ModelVersion
from feedback_app.images.versions.trainings import (
    TrainingRequest,
    require_known,
    start_training,
)
from feedback_app.requests import at
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.specs import PretrainSpec

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


class PretrainRequest(TrainingRequest):
    """A base model from nothing, out of a cohort's training split; called ``COHORT-base``."""


def ask_for_pretraining(request: PretrainRequest, *, created_by: User | None = None) -> Run:
    require_known(request.settings, SETTINGS)
    with at("cohort"):
        cohort = find_cohort(request.cohort)
    return start_pretraining(
        cohort,
        name=request.name or f"{cohort.name}-base",
        settings=request.settings,
        created_by=created_by,
    )


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
    with at("name"):
        versions.require_free_name(name)
    if not cohort.images.filter(patient__split=Split.TRAIN).exists():
        raise RemediableError(
            f"The cohort “{cohort.name}” has no image in its training split.",
            remedy="Import its images first; splits are by patient or group.",
        )
    return start_training(
        "pretrain",
        title=f"Train the base model {name} on {cohort.name}",
        name=name,
        cohort=cohort,
        spec_of=lambda manifest: PretrainSpec(manifest=manifest, cohort=cohort.name, **settings),
        created_by=created_by,
    )


def register_pretrained(run: Run) -> ModelVersion:
    """Register what a finished training has left in its run folder; twice changes nothing."""
    return versions.register(
        run.spec["name"],
        str(path_of(run.spec["run_dir"]) / "model"),
        method="pretrain",
        created_by=run.created_by,
    )
