"""What rests on the readings of a reader or a study: directly, or by way of other things."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.models import Export
from feedback_app.finetuning.models import FineTune, Snapshot
from feedback_app.finetuning.services.snapshots import snapshots_resting_on
from feedback_app.images.models import ModelVersion
from feedback_app.readings.models import Reading, Retraction
from feedback_app.runs.models import State

Replaceable = Snapshot | FineTune | CuratedSet | Export


@dataclass(frozen=True)
class Impact:
    """Rows in the order in which they were made.

    ``versions`` are the model versions that the fine-tunes gave, and all that was taught
    upon them.
    """

    readings: int = 0
    snapshots: tuple[Snapshot, ...] = ()
    fine_tunes: tuple[FineTune, ...] = ()
    versions: tuple[ModelVersion, ...] = ()
    curated_sets: tuple[CuratedSet, ...] = ()
    exports: tuple[Export, ...] = ()
    keys: frozenset[tuple[type, Any]] = field(default=frozenset())

    def __contains__(self, row: object) -> bool:
        return (type(row), getattr(row, "pk", None)) in self.keys

    @property
    def rebuildable(self) -> tuple[Replaceable, ...]:
        """Each after what it is rebuilt from."""
        return (*self.snapshots, *self.fine_tunes, *self.curated_sets, *self.exports)

    @property
    def count(self) -> int:
        return len(self.rebuildable)


def impact_of(*, readers: Collection[int] = (), studies: Collection[UUID] = ()) -> Impact:
    """What rests on readings of these readers and studies."""
    snapshots = list(snapshots_resting_on(readers=readers, studies=studies).order_by("created_at"))
    fine_tunes, versions = _taught_from({snapshot.pk for snapshot in snapshots})
    sets = list(
        CuratedSet.objects.resting_on(readers=readers, studies=studies)
        .select_related("policy")
        .order_by("created_at")
    )
    exports = list(
        Export.objects.filter(curated_set__in=[one.pk for one in sets])
        .exclude(blob=None, run__state__in=[State.FAILED, State.CANCELLED])
        .select_related("curated_set__policy", "run")
        .order_by("created_at")
    )
    rows: Iterable[Any] = (*snapshots, *fine_tunes, *versions, *sets, *exports)
    return Impact(
        readings=count_readings(readers=readers, studies=studies),
        snapshots=tuple(snapshots),
        fine_tunes=tuple(fine_tunes),
        versions=tuple(versions),
        curated_sets=tuple(sets),
        exports=tuple(exports),
        keys=frozenset((type(row), row.pk) for row in rows),
    )


def count_readings(*, readers: Collection[int], studies: Collection[UUID]) -> int:
    current = Reading.objects.current()
    return current.filter(reader__in=readers).union(current.filter(slot__study__in=studies)).count()


def _taught_from(snapshots: set[UUID]) -> tuple[list[FineTune], list[ModelVersion]]:
    """Fine-tunes from these snapshots or upon what those gave, without those that failed."""
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
        if (fine_tune and fine_tune.snapshot_id in snapshots) or version.parent_id in tainted:
            tainted.add(pk)
    fine_tunes = [one for one in every if one.snapshot_id in snapshots or one.parent_id in tainted]
    return fine_tunes, [versions[pk] for pk in versions if pk in tainted]


def impact_of_retraction(retraction: Retraction) -> Impact:
    return impact_of(
        readers=[retraction.reader_id] if retraction.reader_id else [],
        studies=[retraction.study_id] if retraction.study_id else [],
    )


def impact_of_all() -> Impact:
    """What rests on anything that is retracted now."""
    active = Retraction.objects.active()
    readers, studies = list(active.readers()), list(active.studies())
    return impact_of(readers=readers, studies=studies) if readers or studies else Impact()


def latest_of(row: Replaceable) -> Replaceable:
    """What stands in a row's place now: its newest replacement, or that one's."""
    while replacement := row.replacements.order_by("-created_at").first():
        row = replacement
    return row
