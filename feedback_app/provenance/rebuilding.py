"""Making anew, without retracted readings, what rests on them.

Snapshots and curated sets are made at once; reward models, fine-tunes, gates and exports are
runs. A fine-tune upon another one waits for that one's run, and so does what a reward model is
needed for: a run that comes after those goes on with whatever has become possible then, so that
a whole chain needs no one to watch it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedSet
from feedback_app.curation.services import apply_policy
from feedback_app.exports.models import Export
from feedback_app.exports.services import start_export, start_preferences
from feedback_app.finetuning.gates.services import start_gate
from feedback_app.finetuning.lineage import snapshot_of
from feedback_app.finetuning.models import FineTune, Gate, RewardModel, Snapshot
from feedback_app.finetuning.services.finetunes import repeat_finetune
from feedback_app.finetuning.services.reward_models import (
    retrain_reward_model,
    training_in_place_of,
)
from feedback_app.finetuning.services.snapshots import retake_snapshot
from feedback_app.images.models import ModelVersion, Scorer
from feedback_app.provenance.impact import (
    Impact,
    Replaceable,
    impact_of_all,
    impact_of_retraction,
    latest_of,
)
from feedback_app.readings.retraction_models import Retraction
from feedback_app.remedies import in_one_line
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.vlms.learning.finetunes import repeat_vlm_finetune
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.gates import start_vlm_gate
from feedback_app.vlms.learning.models import ReportSnapshot, VlmFineTune
from feedback_app.vlms.learning.snapshots import retake_report_snapshot
from feedback_app.vlms.models import VlmVersion
from generation.errors import RemediableError

Made = Replaceable | RewardModel
"""For a reward model, its training is what is made."""


class NotYet(RemediableError):
    """What it is rebuilt from is on its way: ``after`` are the runs that give it."""

    def __init__(self, message: str, *, after: Sequence[Run]) -> None:
        super().__init__(message, remedy="It goes on by itself.")
        self.after = after


@dataclass
class Outcome:
    """``waiting`` and ``refused`` say in words why a row was not rebuilt."""

    made: list[Made] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@transaction.atomic
def ask_for_rebuild(retraction: Retraction, *, asked_by: User | None = None) -> Outcome:
    """Rebuild the whole chain, now and, as its runs finish, later."""
    _require_active(retraction)
    Retraction.objects.filter(pk=retraction.pk).update(
        rebuild_asked_by=asked_by, rebuild_asked_at=timezone.now()
    )
    record(
        f"{retraction.kind}.rebuild_asked",
        actor=asked_by,
        target=retraction.target_name,
        target_id=retraction.pk,
    )
    retraction.refresh_from_db()
    return advance(retraction)


@transaction.atomic
def advance(retraction: Retraction) -> Outcome:
    """Rebuild what can be rebuilt now; when nothing waits any more, the chain is done."""
    locked = Retraction.objects.select_for_update(of=("self",)).get(pk=retraction.pk)
    outcome = Outcome()
    if not locked.is_active or locked.rebuild_asked_at is None:
        return outcome
    for row in impact_of_retraction(locked).rebuildable:
        try:
            with transaction.atomic():
                made = _rebuild(row, asked_by=locked.rebuild_asked_by)
        except NotYet as error:
            outcome.waiting.append(str(error))
            _go_on_after(error.after, locked)
        except RemediableError as error:
            outcome.refused.append(in_one_line(error))
        else:
            outcome.made += [made] if made else []
    if not outcome.waiting:
        locked.rebuild_asked_at = None
        locked.save(update_fields=["rebuild_asked_at"])
    return outcome


def _go_on_after(before: Sequence[Run], retraction: Retraction) -> None:
    """Start the run that goes on with the chain after others; once, however often it is asked."""
    spec = {"retraction": str(retraction.pk), "after": sorted(str(run.pk) for run in before)}
    if Run.objects.unfinished().filter(kind="continue_rebuild", spec=spec).exists():
        return
    runs.start(
        "continue_rebuild",
        title=f"Go on rebuilding without the {retraction}",
        spec=spec,
        after=before,
        created_by=retraction.rebuild_asked_by,
    )


@transaction.atomic
def rebuild(row: Replaceable, *, asked_by: User | None = None) -> Made:
    """Returns what stands in the row's place, or gives it; made now unless it is there."""
    list(Retraction.objects.active().select_for_update(of=("self",)))  # one rebuild at a time
    return _rebuild(row, asked_by=asked_by) or latest_of(row)


def _rebuild(row: Replaceable, *, asked_by: User | None) -> Made | None:
    """Returns None where it is rebuilt already, or need not be."""
    tainted = impact_of_all()
    if row not in tainted or (latest_of(row) != row and latest_of(row) not in tainted):
        return None
    return _make(latest_of(row), tainted=tainted, asked_by=asked_by)


def _make(row: Replaceable, *, tainted: Impact, asked_by: User | None) -> Made | None:
    match row:
        case Snapshot():
            return retake_snapshot(row, created_by=asked_by)
        case Scorer():
            return _rebuild_reward_model(row, tainted=tainted, asked_by=asked_by)
        case Gate():
            return _ask_again(row, tainted=tainted, asked_by=asked_by)
        case FineTune():
            return _rebuild_finetune(row, tainted=tainted, asked_by=asked_by)
        case CuratedSet():
            return apply_policy(row.policy, asked_by, replaces=row)
        case Export():
            made: Made | None = _rebuild_export(row, tainted=tainted, asked_by=asked_by)
        case _:
            made = _make_of_reports(row, tainted=tainted, asked_by=asked_by)
    return made


def _make_of_reports(
    row: ReportSnapshot | VlmFineTune | VlmGate, *, tainted: Impact, asked_by: User | None
) -> Made:
    """What VLM versions learn of readers, and what judges them."""
    match row:
        case ReportSnapshot():
            return retake_report_snapshot(row, created_by=asked_by)
        case VlmFineTune():
            return _teach_again(row, tainted=tainted, asked_by=asked_by)
        case VlmGate():
            return _judge_again(row, tainted=tainted, asked_by=asked_by)


def _rebuild_reward_model(
    row: Scorer, *, tainted: Impact, asked_by: User | None
) -> RewardModel | None:
    """Returns None while it is being trained."""
    under_way = training_in_place_of(row)
    if under_way is not None and not under_way.run.is_finished:
        return None
    if under_way is not None:
        raise RemediableError(
            f"The training of {under_way.name} did not succeed.",
            remedy="Retry its run, then rebuild again.",
        )
    old = snapshot_of(row)
    snapshot = latest_of(old) if old else None
    if not isinstance(snapshot, Snapshot) or snapshot in tainted:
        raise RemediableError(
            f"The reward model {row.name} needs its snapshot rebuilt.", remedy="Rebuild that first."
        )
    return retrain_reward_model(row, snapshot=snapshot, created_by=asked_by)


def _ask_again(row: Gate, *, tainted: Impact, asked_by: User | None) -> Gate:
    """Once no reward model is being trained that could judge."""
    if row.child in tainted:
        raise RemediableError(
            f"{row.child.name} itself rests on retracted readings, so its gate is not asked again.",
            remedy="The version that is taught in its place has a gate of its own.",
        )
    trainings = [training_in_place_of(scorer) for scorer in tainted.reward_models]
    if under_way := [one.run for one in trainings if one and not one.run.is_finished]:
        raise NotYet(
            f"The gate of {row.child.name} waits for the reward models that are trained anew.",
            after=under_way,
        )
    asked = {name: value for name, value in row.spec.items() if name not in {"rule", "masked"}}
    return start_gate(row.child, prompts=asked.pop("prompts"), settings=asked, created_by=asked_by)


def _rebuild_finetune(row: FineTune, *, tainted: Impact, asked_by: User | None) -> FineTune:
    snapshot = latest_of(row.snapshot)
    assert isinstance(snapshot, Snapshot)
    if snapshot in tainted:
        raise RemediableError(
            f"The fine-tune of {row.parent.name} needs the snapshot “{snapshot}” rebuilt.",
            remedy="Rebuild that first.",
        )
    return repeat_finetune(
        row,
        snapshot=snapshot,
        parent=_clean_parent(row.parent, tainted=tainted),
        created_by=asked_by,
    )


def _clean_parent(parent: ModelVersion, *, tainted: Impact) -> ModelVersion:
    """Returns the version itself, or what was taught in its place."""
    if parent not in tainted:
        return parent
    taught = FineTune.objects.filter(model_version=parent).first()
    version = _taught_in_place_of(parent, taught, tainted=tainted)
    assert isinstance(version, ModelVersion)
    return version


def _clean_vlm(parent: VlmVersion, *, tainted: Impact) -> VlmVersion:
    """Returns the version itself, or what was taught in its place."""
    if parent not in tainted:
        return parent
    taught = VlmFineTune.objects.filter(version=parent).first()
    version = _taught_in_place_of(parent, taught, tainted=tainted)
    assert isinstance(version, VlmVersion)
    return version


def _taught_in_place_of(
    parent: ModelVersion | VlmVersion, taught: FineTune | VlmFineTune | None, *, tainted: Impact
) -> ModelVersion | VlmVersion:
    """Returns what the newest training gave that stands for ``taught``, which gave ``parent``."""
    newest = latest_of(taught) if taught else None
    if not isinstance(newest, FineTune | VlmFineTune) or newest in tainted:
        raise RemediableError(f"{parent.name} is not rebuilt.", remedy="Rebuild that first.")
    version = newest.model_version if isinstance(newest, FineTune) else newest.version
    if version:
        return version
    if newest.run.state in {State.FAILED, State.CANCELLED}:
        raise RemediableError(
            f"The training in the place of {parent.name} did not succeed.",
            remedy="Retry its run, then rebuild again.",
        )
    raise NotYet(
        f"What is taught upon {parent.name} waits for what is taught in its place.",
        after=[newest.run],
    )


def _teach_again(row: VlmFineTune, *, tainted: Impact, asked_by: User | None) -> VlmFineTune:
    return repeat_vlm_finetune(
        row,
        snapshot=_clean_reports(row.snapshot, tainted=tainted),
        parent=_clean_vlm(row.parent, tainted=tainted),
        created_by=asked_by,
    )


def _judge_again(row: VlmGate, *, tainted: Impact, asked_by: User | None) -> VlmGate:
    if row.child in tainted:
        raise RemediableError(
            f"{row.child.name} itself rests on retracted readings, so its gate is not asked again.",
            remedy="Ask the gate of the version that is taught in its place.",
        )
    return start_vlm_gate(
        row.child,
        instruction_set=row.instruction_set,
        snapshot=_clean_reports(row.snapshot, tainted=tainted),
        margin=row.margin,
        created_by=asked_by,
    )


def _clean_reports(snapshot: ReportSnapshot, *, tainted: Impact) -> ReportSnapshot:
    latest = latest_of(snapshot)
    if not isinstance(latest, ReportSnapshot) or latest in tainted:
        raise RemediableError(
            f"The snapshot “{snapshot}” is not rebuilt.", remedy="Rebuild that first."
        )
    return latest


def _rebuild_export(row: Export, *, tainted: Impact, asked_by: User | None) -> Export:
    if asked_by is not None and not asked_by.is_admin:
        raise RemediableError(
            f"The export of {row.source_name} can be rebuilt by admins only.",
            remedy="Ask one.",
        )
    source = latest_of(row.source)
    assert isinstance(source, CuratedSet | Snapshot)
    if source in tainted:
        what = "snapshot" if row.snapshot_id else "curated set"
        raise RemediableError(
            f"The export of {row.source_name} needs its {what} rebuilt.",
            remedy="Rebuild that first.",
        )
    if isinstance(source, Snapshot):
        return start_preferences(source, replaces=row, created_by=asked_by)
    return start_export(
        source,
        file_format=row.format,
        with_readings=row.with_readings,
        replaces=row,
        created_by=asked_by,
    )


def _require_active(retraction: Retraction) -> None:
    if not retraction.is_active:
        raise RemediableError("This retraction is undone.", remedy="Nothing is to be rebuilt.")
