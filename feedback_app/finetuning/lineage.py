"""What a model version was taught with, itself and through its ancestors."""

import json
from uuid import UUID

from feedback_app.finetuning.models import FineTune, Snapshot
from feedback_app.images.models import ModelVersion, Scorer


def own_fine_tune(version: ModelVersion) -> FineTune | None:
    """Returns the fine-tune that gave this version itself."""
    rows = FineTune.objects.filter(model_version=version).select_related(
        "snapshot", "run", "reward_model"
    )
    return rows.first()


def lineage_of(version: ModelVersion) -> list[FineTune]:
    """Returns the fine-tunes that taught a version and its ancestors, the first one first."""
    rows = FineTune.objects.filter(model_version__in=version.ancestry).select_related(
        "snapshot__blob", "schedule", "run", "reward_model"
    )
    by_version = {row.model_version_id: row for row in rows}
    return [by_version[one.pk] for one in version.ancestry if one.pk in by_version]


def snapshots_behind(version: ModelVersion) -> set[Snapshot]:
    """Returns those that taught a version and its ancestors, or a reward model that one climbed."""
    tunes = lineage_of(version)
    climbed = (row.reward_model for row in tunes if row.reward_model)
    of_rewards = {snapshot for scorer in climbed if (snapshot := snapshot_of(scorer))}
    return {row.snapshot for row in tunes} | of_rewards


def snapshot_of(scorer: Scorer) -> Snapshot | None:
    """Returns the snapshot that taught a reward model; None where it was not trained here."""
    return Snapshot.objects.filter(reward_models__scorer=scorer).first()


def taught_prompts(version: ModelVersion) -> frozenset[str]:
    """Returns every prompt of a snapshot that is behind this version."""
    behind = snapshots_behind(version)
    return frozenset(prompt for snapshot in behind for prompt in prompts_of(snapshot))


def prompts_of(snapshot: Snapshot) -> set[str]:
    """Images that follow a mask alone have none."""
    lines = (json.loads(line) for line in snapshot.blob.read().splitlines())
    return {line["prompt"] for line in lines if "prompt" in line}


def taught_readings(version: ModelVersion) -> set[UUID]:
    """Returns every reading of a snapshot that taught this version or an ancestor."""
    snapshots = {row.snapshot for row in lineage_of(version)}
    return {reading for snapshot in snapshots for reading in readings_in(snapshot)}


def readings_in(snapshot: Snapshot) -> set[UUID]:
    """Readings that a snapshot has a pair or a rating of."""
    of_pairs = snapshot.pairs.order_by().values_list("reading", flat=True)
    return set(of_pairs.union(snapshot.rated_images.order_by().values_list("reading", flat=True)))
