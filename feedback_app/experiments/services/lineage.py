"""What stands behind an arm's synthetic images, and which real images it has seen.

Behind a source stand the generator (its model version and all ancestors), and for a curated
set the proxies and reward models that its policy went by; behind a fine-tune the real images
that readers compared, and what a reward model that it climbed had seen.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from django.db.models import Q, QuerySet

from feedback_app.experiments.models import ExperimentSource
from feedback_app.finetuning.lineage import own_fine_tune, snapshot_of
from feedback_app.finetuning.models import FineTune, Snapshot
from feedback_app.images.models import (
    CohortImage,
    ModelVersion,
    Scorer,
    ScorerKind,
    Split,
)
from feedback_app.images.versions.folders import BUNDLED_FOLDER
from feedback_app.runs.models import Run, State
from generation.specs import BUNDLED

TRAINING_RUNS = {
    "pretrain": "pretrain",
    "controlnet": "train_controlnet",
    "continued": "continue_training",
}
"""By a version's method the kind of run that trained it on a cohort."""
LEARNT_FROM = (Split.TRAIN, Split.VALIDATION)
"""Splits that a training sees: the second says when to stop."""
BUNDLED_OUTSIDE = "43 images of published COVID-19 cases (V7 Labs)"
"""What the bundled segmenter, and the ControlNet through its masks, learnt from besides NIH."""


@dataclass(frozen=True, kw_only=True)
class Behind:
    """It is one trained thing; ``seen`` are real images of this installation, None where not
    recorded.

    ``outside`` tells of real images that it saw and that are in no cohort here.
    """

    role: str
    name: str
    seen: "QuerySet[CohortImage] | None"
    outside: str = ""

    @property
    def is_recorded(self) -> bool:
        return self.seen is not None


def behind(source: ExperimentSource) -> list[Behind]:
    """Returns everything trained behind a source's images, each once."""
    found = [*_generators(source), *_measured_by(source)]
    return list({(one.role, one.name): one for one in found}.values())


def _generators(source: ExperimentSource) -> Iterator[Behind]:
    versions = ModelVersion.objects.filter(recipes__candidate__in=source.candidates())
    for version in versions.distinct().order_by("pk"):
        yield from _behind_ancestry(version)


def _behind_ancestry(version: ModelVersion) -> Iterator[Behind]:
    """A base model that was trained further has the ancestry of what it came from, too."""
    for ancestor in version.ancestry:
        training = _training_of(ancestor)
        upon = training.spec.get("upon") if training else None
        if upon is not None:
            yield from _behind_ancestry(ModelVersion.objects.get(pk=upon))
        yield from _behind_version(ancestor)


def _behind_version(version: ModelVersion) -> Iterator[Behind]:
    if version.location == BUNDLED:
        yield Behind(role="generator", name=version.name, seen=_bundled(), outside=BUNDLED_OUTSIDE)
    elif fine_tune := own_fine_tune(version):
        yield from _behind_fine_tune(version, fine_tune)
    else:
        yield Behind(role="generator", name=version.name, seen=_seen_in_training(version))


def _behind_fine_tune(version: ModelVersion, fine_tune: FineTune) -> Iterator[Behind]:
    seen = _read(fine_tune.snapshot)
    if fine_tune.real_cohort_id:
        seen = seen | CohortImage.objects.filter(
            cohort=fine_tune.real_cohort_id, patient__split=Split.TRAIN
        )
    yield Behind(role="generator", name=version.name, seen=seen)
    if fine_tune.reward_model:
        yield from _behind_scorer(fine_tune.reward_model)


def _seen_in_training(version: ModelVersion) -> "QuerySet[CohortImage] | None":
    """Returns the splits of the cohort that a run of ours trained it on."""
    training = _training_of(version)
    if training is None:
        return None
    return CohortImage.objects.filter(
        cohort__name=training.spec["cohort"], patient__split__in=LEARNT_FROM
    )


def _training_of(version: ModelVersion) -> Run | None:
    kind = TRAINING_RUNS.get(version.method)
    if kind is None:
        return None
    done = Run.objects.filter(kind=kind, spec__name=version.name, state=State.SUCCEEDED)
    return done.order_by("-created_at").first()


def _measured_by(source: ExperimentSource) -> Iterator[Behind]:
    """Yields the scorers by which a curated set's items got in."""
    curated = source.curated
    if curated is None:
        return
    measures = curated.items.values_list("measures", flat=True)
    versions = sorted({found["version"] for of_item in measures for found in of_item.values()})
    known = {scorer.version: scorer for scorer in Scorer.objects.select_related("cohort")}
    for version in versions:
        if version in known:
            yield from _behind_scorer(known[version])
        else:
            yield Behind(role="proxy", name=version, seen=None)


def _behind_scorer(scorer: Scorer) -> Iterator[Behind]:
    if scorer.kind != ScorerKind.REWARD_MODEL:
        yield _behind_proxy(scorer)
        return
    snapshot = snapshot_of(scorer)
    yield Behind(role="reward model", name=scorer.name, seen=_read(snapshot) if snapshot else None)
    if trunk := _trunk_of(scorer):
        yield _behind_proxy(trunk)


def _behind_proxy(scorer: Scorer) -> Behind:
    if scorer.cohort:
        seen = CohortImage.objects.filter(cohort=scorer.cohort, patient__split__in=LEARNT_FROM)
        return Behind(role="proxy", name=scorer.name, seen=seen)
    if scorer.name.startswith(f"{BUNDLED}-"):
        if scorer.kind == ScorerKind.CLASSIFIER:
            return Behind(role="proxy", name=scorer.name, seen=_bundled())
        nothing = CohortImage.objects.none()
        return Behind(role="proxy", name=scorer.name, seen=nothing, outside=BUNDLED_OUTSIDE)
    return Behind(role="proxy", name=scorer.name, seen=None)


def _trunk_of(scorer: Scorer) -> Scorer | None:
    """Returns the classifier by whose features a reward model sees."""
    return Scorer.objects.filter(reward_models_upon_it__scorer=scorer).first()


def _read(snapshot: Snapshot) -> "QuerySet[CohortImage]":
    """Real images that a snapshot has a pair or a rating of."""
    of_snapshot = Q(image__won_pairs__snapshot=snapshot)
    of_snapshot |= Q(image__lost_pairs__snapshot=snapshot)
    of_snapshot |= Q(image__ratings__snapshot=snapshot)
    return CohortImage.objects.filter(pk__in=CohortImage.objects.filter(of_snapshot).values("pk"))


def _bundled() -> "QuerySet[CohortImage]":
    """NIH images that the bundled model was trained on, wherever they were imported to."""
    return CohortImage.objects.filter(source_id__in=_bundled_ids())


@cache
def _bundled_ids() -> frozenset[str]:
    reference = json.loads((BUNDLED_FOLDER / "quality" / "reference.json").read_text())
    return frozenset(reference["train_image_ids"])


def unrecorded(found: Iterable[Behind]) -> list[Behind]:
    return [one for one in found if not one.is_recorded]
