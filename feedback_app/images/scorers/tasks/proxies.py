"""Training proxies in a child process, and drawing pseudo-masks by one."""

import numpy as np
from django.db import transaction

from feedback_app.images.blobs.pixels import encode_png, pixels_of
from feedback_app.images.blobs.services import store
from feedback_app.images.cohorts.models import CohortImage, Mask
from feedback_app.images.scorers.models import Scorer, ScorerKind
from feedback_app.images.scorers.proxies import register_proxy
from feedback_app.images.scorers.services import start_measuring
from feedback_app.images.scorers.tasks.networks import load_scorer
from feedback_app.images.versions.folders import path_of
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress
from generation.specs import SegmenterSpec, read_spec

MODULES = {
    ScorerKind.SEGMENTER: "generation.commands.train_segmenter",
    ScorerKind.CLASSIFIER: "generation.commands.train_classifier",
}
AT_ONCE = 8


@handles("train_proxy")
def train_proxy(progress: Progress) -> dict[str, object]:
    """Train, register, and have candidates measured that were made before."""
    spec = progress.run.spec
    kind, run_dir = ScorerKind(spec["kind"]), path_of(spec["run_dir"])
    known = Scorer.objects.filter(name=spec["name"]).first()
    if known is not None:
        return {"scorer": known.name, **known.figures}
    result = run_child(progress, module=MODULES[kind], run_dir=run_dir)
    target = ""
    if kind == ScorerKind.SEGMENTER:
        target = read_spec(SegmenterSpec, run_dir / "spec.json").kind
    with transaction.atomic():
        scorer = register_proxy(progress.run, target=target, figures=result)
        start_measuring(progress.run.created_by)
    return {"scorer": scorer.name, **result}


@handles("pseudo_masks")
def draw_pseudo_masks(progress: Progress) -> dict[str, object]:
    """Add masks to the cohort's images that have none of the kind; done twice, nothing is new."""
    from generation.downstream.pseudo_masks import pseudo_masks

    spec = progress.run.spec
    scorer = Scorer.objects.get(pk=spec["scorer"])
    images = (
        CohortImage.objects.filter(cohort__name=spec["cohort"])
        .exclude(masks__kind=scorer.target)
        .select_related("image__blob")
        .order_by("source_id")
    )
    waiting = list(images)
    added = doubtful = 0
    for first in range(0, len(waiting), AT_ONCE):
        chosen = waiting[first : first + AT_ONCE]
        found = pseudo_masks(load_scorer(scorer), [pixels_of(row.image) for row in chosen])
        usable = [
            _mask(row, each.mask, kind=scorer.target, confidence=each.confidence)
            for row, each in zip(chosen, found, strict=True)
            if each.is_plausible and each.confidence >= spec["least_confidence"]
        ]
        Mask.objects.bulk_create(usable, ignore_conflicts=True)
        added += len(usable)
        doubtful += len(chosen) - len(usable)
        progress.update(
            first + len(chosen), total=len(waiting), note=f"{added} drawn, {doubtful} doubtful"
        )
    return {"drawn": added, "doubtful": doubtful}


def _mask(
    row: CohortImage,
    mask: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]",
    *,
    kind: str,
    confidence: float,
) -> Mask:
    content = encode_png(np.where(mask, np.uint8(255), np.uint8(0)))
    blob = store(content, media_type="image/png")
    return Mask(cohort_image=row, kind=kind, blob=blob, confidence=confidence)
