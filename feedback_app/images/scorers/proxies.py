"""Proxies: models of the downstream tasks, trained on real images only, that measure candidates."""

from collections.abc import Mapping
from typing import Any

from feedback_app.accounts.models import User
from feedback_app.images.cohorts.models import Cohort, Mask, Split
from feedback_app.images.scorers.models import Scorer, ScorerKind
from feedback_app.images.scorers.services import register_scorer, require_free_name
from feedback_app.images.versions.folders import path_of
from feedback_app.images.versions.trainings import start_training
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.specs import ClassifierSpec, SegmenterSpec

ProxySpec = SegmenterSpec | ClassifierSpec
SPECS: dict[ScorerKind, type[SegmenterSpec] | type[ClassifierSpec]] = {
    ScorerKind.SEGMENTER: SegmenterSpec,
    ScorerKind.CLASSIFIER: ClassifierSpec,
}


def start_proxy(
    cohort: Cohort,
    *,
    kind: ScorerKind,
    name: str,
    settings: Mapping[str, Any],
    created_by: User | None = None,
) -> Run:
    """Write the run folder and queue the training of a proxy to be called ``name``.

    ``settings`` are fields of the kind's spec; what is not there keeps its default.
    """
    require_free_name(name)

    def spec_of(manifest: str) -> ProxySpec:
        spec = SPECS[kind](manifest=manifest, **settings)
        _require_material(cohort, spec)
        return spec

    return start_training(
        "train_proxy",
        title=f"Train the {kind.label.lower()} {name} on {cohort.name}",
        name=name,
        cohort=cohort,
        spec_of=spec_of,
        total=lambda spec: spec.max_steps,
        masks=Mask.objects.drawn_by_people(),  # pseudo-masks teach no proxy
        kept={"kind": kind.value},
        created_by=created_by,
    )


def _require_material(cohort: Cohort, spec: ProxySpec) -> None:
    """Both splits that a training needs must have what it learns from."""
    for split in (Split.TRAIN, Split.VALIDATION):
        images = cohort.images.filter(patient__split=split)
        if isinstance(spec, SegmenterSpec):
            images = images.filter(masks__kind=spec.kind, masks__confidence=None)
            what = f"a mask of the kind {spec.kind!r} that people drew"
        else:
            images = images.exclude(source_labels={})
            what = "labels"
        if not images.exists():
            raise RemediableError(
                f"The cohort “{cohort.name}” has no image with {what} in its {split} split.",
                remedy="Choose a cohort that has, or import more of its patients.",
            )


def register_proxy(run: Run, *, target: str, figures: Mapping[str, Any]) -> Scorer:
    """Register what a finished training has left in its run folder; twice changes nothing."""
    return register_scorer(
        run.spec["name"],
        path_of(run.spec["run_dir"]) / "model",
        kind=ScorerKind(run.spec["kind"]),
        target=target,
        cohort=Cohort.objects.get(name=run.spec["cohort"]),
        figures=figures,
        created_by=run.created_by,
    )


def start_pseudo_masks(
    cohort: Cohort,
    *,
    scorer: Scorer,
    least_confidence: float,
    created_by: User | None = None,
) -> Run:
    """Queue the drawing of masks on the cohort's images that have none of the segmenter's kind."""
    if scorer.kind != ScorerKind.SEGMENTER:
        raise RemediableError(
            f"“{scorer.name}” is no segmenter.", remedy="Name one that train_proxy has made."
        )
    if not 0 <= least_confidence <= 1:
        raise RemediableError(
            f"A confidence of {least_confidence} is not between 0 and 1.",
            remedy="Choose one from 0 to 1; 0.7 is usual.",
        )
    return runs.start(
        "pseudo_masks",
        title=f"Draw {scorer.target} on {cohort.name} by {scorer.name}",
        spec={
            "cohort": cohort.name,
            "scorer": scorer.pk,
            "least_confidence": least_confidence,
        },
        created_by=created_by,
    )
