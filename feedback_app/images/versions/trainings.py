"""What is asked of a training on a cohort, its run folder, and the run that works on it."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import QuerySet
from pydantic import Field

from feedback_app.accounts.models import User
from feedback_app.images.blobs.places import put
from feedback_app.images.cohorts.manifests import TrainingSpec, write_training_folder
from feedback_app.images.cohorts.models import Cohort, Mask
from feedback_app.images.versions.folders import location_of
from feedback_app.requests import Request, at
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.specs import naming_the_setting

Spec = TypeVar("Spec", bound=TrainingSpec)


class TrainingRequest(Request):
    """What a version learns from a cohort alone.

    ``settings`` are fields of the training's spec, which has their limits; the training says
    which of them may be set.
    """

    cohort: str = Field(min_length=1, max_length=64)
    name: str = Field(
        default="", max_length=100, description="What the new version is called (has a default)"
    )
    settings: dict[str, Any] = Field(default_factory=dict)


def require_known(settings: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise where a setting is none of these: a spec has paths, too, which nobody sends."""
    for unknown in sorted(set(settings) - set(names)):
        with at("settings", unknown):
            raise RemediableError(
                f"There is no setting {unknown!r}.", remedy=f"There are {', '.join(names)}."
            )


def start_training(
    kind: str,
    *,
    title: str,
    name: str,
    cohort: Cohort,
    spec_of: Callable[[str], Spec],
    total: Callable[[Spec], int] | None = None,
    masks: QuerySet[Mask] | None = None,
    kept: Mapping[str, object] | None = None,
    created_by: User | None = None,
) -> Run:
    """Write the run folder and queue the training of what is to be called ``name``.

    ``spec_of`` makes the spec for a manifest at this path; ``kept`` is what the run keeps
    beside, for whoever registers what comes of it.
    """
    run_dir: Path = settings.RUNS_ROOT / str(uuid.uuid4())
    with at("settings"), naming_the_setting():
        spec = spec_of(str(run_dir / "manifest.jsonl"))
    write_training_folder(run_dir, spec, cohort, masks=masks)
    put(run_dir)
    return runs.start(
        kind,
        title=title[:200],
        spec={
            "run_dir": location_of(run_dir),
            "name": name,
            "cohort": cohort.name,
            **(kept or {}),
        },
        total=total(spec) if total else None,
        created_by=created_by,
    )
