"""Starting a ControlNet's training, and registering the version that follows masks."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings

from feedback_app.accounts.models import User
from feedback_app.images.cohorts.manifests import write_training_folder
from feedback_app.images.cohorts.models import Cohort, Mask, Split
from feedback_app.images.versions import services as versions
from feedback_app.images.versions.folders import location_of, path_of
from feedback_app.images.versions.models import ModelVersion
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.specs import ControlNetSpec, naming_the_setting

SETTINGS = ("latent_versions", "steps", "batch_size", "learning_rate", "seed", "further")
"""What may be set of a ``ControlNetSpec``."""
METHOD = "controlnet"


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
    run_dir: Path = django_settings.RUNS_ROOT / str(uuid.uuid4())
    spec = _spec(parent, cohort, settings=settings, manifest=run_dir / "manifest.jsonl")
    write_training_folder(run_dir, spec, cohort, masks=Mask.objects.all())
    return runs.start(
        "train_controlnet",
        title=f"Teach {parent.name} to follow the masks of {cohort.name}"[:200],
        spec={
            "run_dir": location_of(run_dir),
            "name": name,
            "parent": parent.pk,
            "cohort": cohort.name,
        },
        total=spec.latent_versions + spec.steps,
        created_by=created_by,
    )


def _spec(
    parent: ModelVersion, cohort: Cohort, *, settings: Mapping[str, Any], manifest: Path
) -> ControlNetSpec:
    with naming_the_setting():
        return ControlNetSpec(
            model=parent.source, manifest=str(manifest), cohort=cohort.name, **settings
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
