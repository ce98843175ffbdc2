"""Starting a ControlNet's training, and registering the version that follows masks."""

from collections.abc import Mapping
from typing import Any

from feedback_app.accounts.models import User
from feedback_app.images.cohorts.models import Cohort, Mask, Split
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
from generation.specs import ControlNetSpec

SETTINGS = ("latent_versions", "steps", "batch_size", "learning_rate", "seed", "further")
"""What may be set of a ``ControlNetSpec``."""
METHOD = "controlnet"


class ControlNetRequest(TrainingRequest):
    """A version that is to follow the masks of a cohort; called ``VERSION-masks``."""


def ask_for_controlnet(
    request: ControlNetRequest, version: ModelVersion, *, created_by: User | None = None
) -> Run:
    require_known(request.settings, SETTINGS)
    versions.require_weights(version)
    with at("cohort"):
        cohort = find_cohort(request.cohort)
    return start_controlnet(
        version,
        cohort,
        name=request.name or f"{version.name[:94]}-masks",
        settings=request.settings,
        created_by=created_by,
    )


def start_controlnet(
    parent: ModelVersion,
    cohort: Cohort,
    *,
    name: str,
    settings: Mapping[str, Any],
    created_by: User | None = None,
) -> Run:
    """Write the run folder and queue the training of a version ``name`` under ``parent``.

    ``settings`` are those of SETTINGS; what is not there keeps its default.
    """
    with at("name"):
        versions.require_free_name(name)
    if settings.get("further") and not parent.follows_masks:
        raise RemediableError(
            f"“{parent.name}” follows no masks: it has no ControlNet to train further.",
            remedy="Name a version that does, or train one from nothing.",
        )
    training = {"cohort_image__cohort": cohort, "cohort_image__patient__split": Split.TRAIN}
    if not Mask.objects.filter(**training).exists():
        raise RemediableError(
            f"The cohort “{cohort.name}” has no mask in its training split.",
            remedy="Import masks, or make them with manage.py pseudo_mask.",
        )
    return start_training(
        "train_controlnet",
        title=f"Teach {parent.name} to follow the masks of {cohort.name}",
        name=name,
        cohort=cohort,
        spec_of=lambda manifest: ControlNetSpec(
            model=parent.source, manifest=manifest, cohort=cohort.name, **settings
        ),
        total=lambda spec: spec.latent_versions + spec.steps,
        masks=Mask.objects.all(),
        kept={"parent": parent.pk},
        created_by=created_by,
    )


def register_controlnet(run: Run) -> ModelVersion:
    """Register what a finished training has left in its run folder; twice changes nothing."""
    return versions.register(
        run.spec["name"],
        str(path_of(run.spec["run_dir"]) / "model"),
        parent=ModelVersion.objects.get(pk=run.spec["parent"]),
        method=METHOD,
        created_by=run.created_by,
    )
