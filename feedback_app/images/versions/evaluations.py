"""Evaluations of a model version: all figures of its candidates, by a run."""

import uuid
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from pydantic import Field

from feedback_app.accounts.models import User
from feedback_app.images.blobs.places import put
from feedback_app.images.blobs.services import naming_a_full_disk
from feedback_app.images.cohorts.manifests import write_manifest
from feedback_app.images.cohorts.models import Cohort, Split
from feedback_app.images.cohorts.services import find_cohort
from feedback_app.images.versions.folders import folder_named, location_of
from feedback_app.images.versions.models import ModelVersion
from feedback_app.images.versions.services import require_weights
from feedback_app.requests import Request, at
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.specs import (
    BUNDLED,
    EvaluationSpec,
    GuidanceScale,
    Sampler,
    Steps,
    naming_the_setting,
    write_spec,
)

KIND = "evaluate_version"
FEWEST_HELD_OUT = 10


class EvaluationRequest(Request):
    """What is measured on how many candidates; the defaults are those of a model card."""

    images: int = Field(
        default=EvaluationSpec.images,
        ge=32,
        le=8_192,
        multiple_of=4,
        title="Candidates",
        description="Four of each prompt",
    )
    steps: Steps = EvaluationSpec.steps
    guidance_scale: GuidanceScale = Field(default=EvaluationSpec.guidance_scale, title="Guidance")
    sampler: Sampler = EvaluationSpec.sampler
    judge: str = Field(
        default=BUNDLED,
        max_length=500,
        title="Judge of attributes",
        description="bundled, the folder of another on the server, or nothing",
    )
    trunk: str = Field(
        default="",
        max_length=500,
        title="Second trunk",
        description="Folder on the server of a published image model, for distances by another "
        "network; nothing is downloaded",
    )
    cohort: str = Field(
        default="",
        max_length=64,
        title="Cohort",
        description="Whose held-out images the second trunk compares with",
    )


def ask_for_evaluation(
    request: EvaluationRequest, version: ModelVersion, *, created_by: User | None = None
) -> Run:
    """Write the run folder and queue the evaluation."""
    require_weights(version)
    if created_by is not None and not created_by.is_admin:
        _require_bundled(request)
    with at("trunk"):
        if request.trunk and not request.cohort:
            raise RemediableError(
                "A second trunk needs real images to compare with.", remedy="Name a cohort."
            )
        for named in (request.trunk, request.judge):
            if named not in {"", BUNDLED} and folder_named(named) is None:
                raise RemediableError(
                    f"There is no folder {named!r}.",
                    remedy="Put the model into a folder on the server, and name that.",
                )
    with at("cohort"):
        cohort = _cohort_of(request)
    run_dir: Path = settings.RUNS_ROOT / str(uuid.uuid4())
    with naming_the_setting():
        spec = EvaluationSpec(
            model=version.source,
            images=request.images,
            steps=request.steps,
            guidance_scale=request.guidance_scale,
            sampler=request.sampler,
            judge=request.judge,
            trunk=request.trunk,
            real_images=str(run_dir / "manifest.jsonl") if cohort else "",
        )
    with naming_a_full_disk("the evaluation's run folder"):
        run_dir.mkdir(parents=True)
        if cohort:
            write_manifest(cohort, Path(spec.real_images))
        write_spec(spec, run_dir / "spec.json")
    put(run_dir)
    return runs.start(
        KIND,
        title=f"Evaluate {version.name}",
        spec={
            "version": version.pk,
            "run_dir": location_of(run_dir),
            "asked": request.model_dump(),
        },
        total=request.images,
        created_by=created_by,
    )


def _require_bundled(request: EvaluationRequest) -> None:
    """Folders of the server are named by those who may register what lies in them."""
    if request.trunk or request.judge not in {"", BUNDLED}:
        raise RemediableError(
            "Only an admin names folders of the server.",
            remedy="Leave the second trunk out and the judge at bundled, or ask an admin.",
        )


def _cohort_of(request: EvaluationRequest) -> Cohort | None:
    if not request.trunk:
        return None
    cohort = find_cohort(request.cohort)
    of_split = {split: cohort.images.filter(patient__split=split).count() for split in Split.values}
    held_out = sum(of_split.values()) - of_split[Split.TRAIN]
    if held_out < FEWEST_HELD_OUT or of_split[Split.TRAIN] < FEWEST_HELD_OUT:
        raise RemediableError(
            f"The cohort “{cohort.name}” has {of_split[Split.TRAIN]} training images and "
            f"{held_out} held out.",
            remedy=f"Choose one with {FEWEST_HELD_OUT} and more of each.",
        )
    return cohort


def evaluations_of(version: ModelVersion) -> QuerySet[Run]:
    """Returns the evaluations of a version, the newest first."""
    return Run.objects.filter(kind=KIND, spec__version=version.pk).order_by("-created_at")
