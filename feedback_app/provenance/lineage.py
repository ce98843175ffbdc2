"""The tree of model versions: what taught each, what its gate said, when it was promoted."""

from dataclasses import dataclass
from typing import Any

from feedback_app.finetuning.gates.promotion import needs_reason
from feedback_app.finetuning.gates.report import Sheet, readings_behind, sheet_from
from feedback_app.finetuning.models import FineTune, Gate
from feedback_app.finetuning.wording import described
from feedback_app.images.models import Batch, BatchRecipe, ModelVersion, Promotion

SHOWN_PROMPTS = 12


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A branch is one version in the tree, ``depth`` steps below its base model."""

    depth: int
    version: ModelVersion
    fine_tune: FineTune | None
    readings: int
    gate: Gate | None
    was_promoted: bool
    needs_reason: bool

    def __str__(self) -> str:
        return self.version.name

    @property
    def pk(self) -> int:
        """The version's key, by which a list ticks it."""
        return self.version.pk


def branches() -> list[Branch]:
    """Returns every version, parents before their children."""
    tunes = {
        row.model_version_id: row
        for row in FineTune.objects.exclude(model_version=None).select_related("snapshot")
    }
    gates: dict[int, Gate] = {}
    for gate in Gate.objects.for_pages():
        gates.setdefault(gate.child_id, gate)
    promoted = set(Promotion.objects.values_list("version", flat=True))
    return [
        Branch(
            depth=depth,
            version=version,
            fine_tune=tunes.get(version.pk),
            readings=readings_behind(tunes[version.pk]) if version.pk in tunes else 0,
            gate=gates.get(version.pk),
            was_promoted=version.pk in promoted and not version.is_promoted,
            needs_reason=needs_reason(version),
        )
        for depth, version in tree()
    ]


def tree() -> list[tuple[int, ModelVersion]]:
    """Returns every version with its depth, parents before their children."""
    children: dict[int | None, list[ModelVersion]] = {}
    for version in ModelVersion.objects.with_counts().select_related("parent").order_by("pk"):
        children.setdefault(version.parent_id, []).append(version)
    listed: list[tuple[int, ModelVersion]] = []
    waiting = [(0, version) for version in reversed(children.get(None, []))]
    while waiting:
        depth, version = waiting.pop()
        listed.append((depth, version))
        waiting += [(depth + 1, child) for child in reversed(children.get(version.pk, []))]
    return listed


@dataclass(frozen=True)
class Difference:
    """One thing that is told of two versions."""

    name: str
    first: Any
    second: Any

    @property
    def is_different(self) -> bool:
        return bool(self.first != self.second)


def differences(first: ModelVersion, second: ModelVersion) -> list[Difference]:
    """Returns what is told of either version, the settings of their fine-tunes last."""
    told = [_told(version) for version in (first, second)]
    names = dict.fromkeys([*told[0], *told[1]])
    return [Difference(name, told[0].get(name, ""), told[1].get(name, "")) for name in names]


def _told(version: ModelVersion) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "Parent": version.parent.name if version.parent else "none: a base model",
        "Weights (SHA-256)": version.sha256[:16],
        "Pixels": version.resolution,
        "Since": f"{version.created_at:%Y-%m-%d %H:%M}",
    }
    row = FineTune.objects.filter(model_version=version).select_related("snapshot").first()
    if row is None:
        return facts
    who = "simulated readers" if row.snapshot.is_simulated else "people"
    facts |= {
        "Method": row.get_method_display(),
        "Snapshot": row.snapshot.name,
        "Readings": f"{readings_behind(row)} by {who}",
    }
    return facts | {f"{label[:1].upper()}{label[1:]}": value for label, value in described(row)}


def same_seed_images(first: ModelVersion, second: ModelVersion) -> list[Sheet]:
    """Returns images that both versions made of one prompt and seed; ``first`` is in the
    parent's place.
    """
    for other, batch in _alike(first, second):
        sheets = [
            Sheet(sheet.finding, sheet.prompt, both)
            for sheet in sheet_from(batch, other)
            if (both := [pair for pair in sheet.pairs if pair.child and pair.parent])
        ]
        if sheets:
            return sheets[:SHOWN_PROMPTS]
    return []


def _alike(first: ModelVersion, second: ModelVersion) -> list[tuple[Batch, Batch]]:
    """Returns batches of the two with the same prompts and seeds, those with most of them first."""
    asked = {
        version.pk: {batch: _asked(batch) for batch in Batch.objects.filter(model_version=version)}
        for version in (first, second)
    }
    pairs = [
        (len(own & others), one, other)
        for one, own in asked[first.pk].items()
        for other, others in asked[second.pk].items()
        if own & others
    ]
    return [(one, other) for _, one, other in sorted(pairs, key=lambda pair: -pair[0])]


def _asked(batch: Batch) -> set[tuple[str, int]]:
    rows = BatchRecipe.objects.filter(batch=batch)
    return set(rows.values_list("recipe__prompt", "recipe__seed"))
