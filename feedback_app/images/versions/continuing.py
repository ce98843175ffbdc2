"""Starting to train a model version further on a cohort, and registering what comes of it."""

from collections.abc import Mapping
from typing import Any

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
from generation.specs import ContinueSpec

SETTINGS = (
    "latent_versions",
    "steps",
    "batch_size",
    "learning_rate",
    "prompt_dropout",
    "view_contrast",
    "sex_contrast",
    "age_contrast",
    "finding_contrast",
    "contrast_from",
    "seed",
)
"""What may be set of a ``ContinueSpec``."""
METHOD = "continued"
KIND = "continue_training"


class ContinueRequest(TrainingRequest):
    """A version trained further on a cohort; called ``VERSION-COHORT``."""


def ask_for_continuing(
    request: ContinueRequest, version: ModelVersion, *, created_by: User | None = None
) -> Run:
    require_known(request.settings, SETTINGS)
    versions.require_weights(version)
    with at("cohort"):
        cohort = find_cohort(request.cohort)
    return start_continuing(
        version,
        cohort,
        name=request.name or f"{version.name}-{cohort.name}"[:100],
        settings=request.settings,
        created_by=created_by,
    )


def start_continuing(
    version: ModelVersion,
    cohort: Cohort,
    *,
    name: str,
    settings: Mapping[str, Any],
    created_by: User | None = None,
) -> Run:
    """Write the run folder and queue the training of a base model ``name`` out of ``version``.

    ``settings`` are those of SETTINGS; what is not there keeps its default.
    """
    with at("name"):
        versions.require_free_name(name)
    for split in Split:
        if not cohort.images.filter(patient__split=split).exists():
            raise RemediableError(
                f"The cohort “{cohort.name}” has no image in its {split} split.",
                remedy="Import more of its patients: about one in ten goes to each split held out.",
            )
    return start_training(
        KIND,
        title=f"Train {version.name} further on {cohort.name}",
        name=name,
        cohort=cohort,
        spec_of=lambda manifest: ContinueSpec(
            model=version.source, manifest=manifest, cohort=cohort.name, **settings
        ),
        total=lambda spec: spec.latent_versions + spec.steps,
        kept={"upon": version.pk},
        created_by=created_by,
    )


def register_continued(run: Run) -> ModelVersion:
    """Register what a finished training has left in its run folder; twice changes nothing.

    All weights changed, so it is a base model and no child; the run says what it came from.
    """
    upon = ModelVersion.objects.get(pk=run.spec["upon"])
    return versions.register(
        run.spec["name"],
        str(path_of(run.spec["run_dir"]) / "model"),
        method=METHOD,
        taught_by_simulated_readers=upon.taught_by_simulated_readers,
        created_by=run.created_by,
    )
