"""What rests on the readings of a reader or a study: directly, or by way of other things."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.models import Export
from feedback_app.finetuning.dependents import (
    reward_models_resting_on,
    snapshots_resting_on,
    verdicts_resting_on,
)
from feedback_app.finetuning.models import FineTune, Gate, Snapshot
from feedback_app.finetuning.services.reward_models import replacement_of
from feedback_app.images.models import ModelVersion, Scorer
from feedback_app.readings.models import Reading
from feedback_app.readings.retraction_models import Retraction, Sources
from feedback_app.runs.models import State
from feedback_app.vlms.learning.dependents import vlm_impact_of
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.models import ReportSnapshot, VlmFineTune
from feedback_app.vlms.models import VlmVersion

Replaceable = (
    Snapshot | Scorer | FineTune | Gate | CuratedSet | Export
    | ReportSnapshot | VlmFineTune | VlmGate
)  # fmt: skip


@dataclass(frozen=True)
class Impact:
    """Rows in the order in which they were made.

    ``versions`` are the model versions that the fine-tunes gave, and all that was taught
    upon them; ``gates`` those whose judge rests on the readings. Those of VLMs are the same of
    choices and edits of reports.
    """

    readings: int = 0
    snapshots: tuple[Snapshot, ...] = ()
    reward_models: tuple[Scorer, ...] = ()
    fine_tunes: tuple[FineTune, ...] = ()
    versions: tuple[ModelVersion, ...] = ()
    gates: tuple[Gate, ...] = ()
    curated_sets: tuple[CuratedSet, ...] = ()
    exports: tuple[Export, ...] = ()
    report_snapshots: tuple[ReportSnapshot, ...] = ()
    vlm_fine_tunes: tuple[VlmFineTune, ...] = ()
    vlm_gates: tuple[VlmGate, ...] = ()
    vlm_versions: tuple[VlmVersion, ...] = ()
    keys: frozenset[tuple[type, Any]] = field(default=frozenset())

    def __contains__(self, row: object) -> bool:
        return (type(row), getattr(row, "pk", None)) in self.keys

    @property
    def rebuildable(self) -> tuple[Replaceable, ...]:
        """Each after what it is rebuilt from."""
        return (
            *self.snapshots,
            *self.reward_models,
            *self.fine_tunes,
            *self.gates,
            *self.curated_sets,
            *self.exports,
            *self.report_snapshots,
            *self.vlm_fine_tunes,
            *self.vlm_gates,
        )

    @property
    def count(self) -> int:
        return len(self.rebuildable)


def impact_of(sources: Sources) -> Impact:
    """Returns what rests on readings of these readers and studies."""
    snapshots = list(snapshots_resting_on(sources).order_by("created_at"))
    rewards = list(reward_models_resting_on(sources).order_by("created_at"))
    fine_tunes, versions = _taught_from(
        {snapshot.pk for snapshot in snapshots}, climbed={scorer.pk for scorer in rewards}
    )
    verdicts = verdicts_resting_on(sources)
    gates = list(
        Gate.objects.filter(verdict__in=verdicts)
        .select_related("child", "parent", "run")
        .order_by("created_at")
    )
    sets = list(
        CuratedSet.objects.resting_on(sources).select_related("policy").order_by("created_at")
    )
    exports = list(
        Export.objects.filter(Q(curated_set__in=sets) | Q(snapshot__in=snapshots))
        .exclude(blob=None, run__state__in=[State.FAILED, State.CANCELLED])
        .select_related("curated_set__policy", "snapshot", "run")
        .order_by("created_at")
    )
    of_vlms = vlm_impact_of(sources)
    rows: Iterable[Any] = (
        *snapshots, *rewards, *fine_tunes, *versions, *gates, *sets, *exports,
        *of_vlms.snapshots, *of_vlms.fine_tunes, *of_vlms.gates, *of_vlms.versions,
    )  # fmt: skip
    return Impact(
        readings=count_readings(sources),
        snapshots=tuple(snapshots),
        reward_models=tuple(rewards),
        fine_tunes=tuple(fine_tunes),
        versions=tuple(versions),
        gates=tuple(gates),
        curated_sets=tuple(sets),
        exports=tuple(exports),
        report_snapshots=of_vlms.snapshots,
        vlm_fine_tunes=of_vlms.fine_tunes,
        vlm_gates=of_vlms.gates,
        vlm_versions=of_vlms.versions,
        keys=frozenset((type(row), row.pk) for row in rows),
    )


def count_readings(sources: Sources) -> int:
    current = Reading.objects.current()
    return current.filter(sources.among(reader="reader", study="slot__study")).count()


def _taught_from(
    snapshots: set[UUID], *, climbed: set[int]
) -> tuple[list[FineTune], list[ModelVersion]]:
    """Fine-tunes from these snapshots, or that climbed these rewards, or upon what those gave.

    Without those that failed.
    """

    def is_first(one: FineTune) -> bool:
        return one.snapshot_id in snapshots or one.reward_model_id in climbed

    every = (
        FineTune.objects.exclude(model_version=None, run__state__in=[State.FAILED, State.CANCELLED])
        .select_related("snapshot", "parent", "model_version", "run")
        .order_by("created_at")
    )
    versions = {version.pk: version for version in ModelVersion.objects.order_by("pk")}
    given = {one.model_version_id: one for one in every if one.model_version_id}
    tainted: set[int] = set()
    for pk, version in versions.items():  # a parent is registered before its children
        fine_tune = given.get(pk)
        if (fine_tune and is_first(fine_tune)) or version.parent_id in tainted:
            tainted.add(pk)
    fine_tunes = [one for one in every if is_first(one) or one.parent_id in tainted]
    return fine_tunes, [versions[pk] for pk in versions if pk in tainted]


def impact_of_retraction(retraction: Retraction) -> Impact:
    return impact_of(retraction.sources)


def impact_of_all() -> Impact:
    """Returns what rests on anything that is retracted now."""
    sources = Retraction.objects.active().sources()
    return Impact() if sources.are_none else impact_of(sources)


def latest_of(row: Replaceable) -> Replaceable:
    """Returns what stands in a row's place now: its newest replacement, or that one's."""
    while replacement := _replacement_of(row):
        row = replacement
    return row


def _replacement_of(row: Replaceable) -> Replaceable | None:
    match row:
        case Scorer():
            return replacement_of(row)
        case Gate() | VlmGate():
            later = row.later.exclude(run__state__in=[State.FAILED, State.CANCELLED])
            return later.order_by("-created_at").first()
        case _:
            return row.replacements.order_by("-created_at").first()
