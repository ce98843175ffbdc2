"""Starting to train a model version further on a cohort, and registering what comes of it."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from generation.specs import ContinueSpec, naming_the_setting

SETTINGS = ("latent_versions", "steps", "batch_size", "learning_rate", "prompt_dropout", "seed")
"""What may be set of a ``ContinueSpec``."""
METHOD = "continued"
KIND = "continue_training"


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
    versions.require_free_name(name)
    for split in Split:
        if not cohort.images.filter(patient__split=split).exists():
            raise RemediableError(
                f"The cohort “{cohort.name}” has no image in its {split} split.",
                remedy="Import more of its patients: about one in ten goes to each split held out.",
            )
    run_dir: Path = django_settings.RUNS_ROOT / str(uuid.uuid4())
    spec = _spec(version, cohort, settings=settings, manifest=run_dir / "manifest.jsonl")
    write_training_folder(run_dir, spec, cohort)
    return runs.start(
        KIND,
        title=f"Train {version.name} further on {cohort.name}"[:200],
        spec={
            "run_dir": location_of(run_dir),
            "name": name,
            "upon": version.pk,
            "cohort": cohort.name,
        },
        total=spec.latent_versions + spec.steps,
        created_by=created_by,
    )


def _spec(
    version: ModelVersion, cohort: Cohort, *, settings: Mapping[str, Any], manifest: Path
) -> ContinueSpec:
    with naming_the_setting():
        return ContinueSpec(
            model=version.source, manifest=str(manifest), cohort=cohort.name, **settings
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
