"""What is asked of learning, and what applies it: for page, program and command alike."""

from datetime import time
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from pydantic import Field

from feedback_app.accounts.models import User
from feedback_app.finetuning.gates.models import Gate
from feedback_app.finetuning.gates.people import compare_by_people
from feedback_app.finetuning.gates.services import start_gate
from feedback_app.finetuning.models import FineTune, RewardModel, Snapshot
from feedback_app.finetuning.services.finetunes import start_finetune
from feedback_app.finetuning.services.reward_models import SETTINGS as REWARD_SETTINGS
from feedback_app.finetuning.services.reward_models import classifier_at, start_reward_model
from feedback_app.finetuning.services.snapshots import begin_snapshot
from feedback_app.images.cohorts.services import find_cohort
from feedback_app.images.models import Scorer, ScorerKind
from feedback_app.images.versions.folders import folder_named
from feedback_app.images.versions.services import find_version
from feedback_app.images.versions.trainings import require_known
from feedback_app.requests import Request, at
from feedback_app.runs.models import Run
from feedback_app.studies.models import Study, StudyState
from feedback_app.studies.services import find_readers
from generation.errors import RemediableError
from generation.specs import PROMPT_MAX_CHARACTERS, Method


class FineTuneRequest(Request):
    """What a model version learns from, and how.

    ``settings`` are fields of ``FineTuneSpec``, which has their limits; which of them a
    method has, and what they are where they are left out, is found when it is applied.
    """

    snapshot: str = Field(
        min_length=1, max_length=100, description="Id or name; of several of a name the newest"
    )
    parent: str = Field(
        default="", max_length=100, description="Name (default: the promoted version)"
    )
    method: Method
    real_cohort: str = Field(
        default="", max_length=64, description="Whose training images are practised on"
    )
    settings: dict[str, Any] = Field(default_factory=dict)


def ask_for_finetune(request: FineTuneRequest, *, created_by: User | None = None) -> FineTune:
    """Returns the fine-tune that somebody asks for, queued."""
    with at("snapshot"):
        snapshot = find_snapshot(request.snapshot)
    with at("parent"):
        parent = find_version(request.parent)
    with at("real_cohort"):
        cohort = find_cohort(request.real_cohort) if request.real_cohort else None
    return start_finetune(
        snapshot=snapshot,
        parent=parent,
        method=request.method,
        settings=request.settings,
        real_cohort=cohort,
        created_by=created_by,
    )


def find_snapshot(name_or_id: str) -> Snapshot:
    """By id, or the newest of this name."""
    try:
        found = Snapshot.objects.filter(pk=name_or_id).first()
    except ValidationError:
        found = Snapshot.objects.filter(name=name_or_id).first()
    if found is None:
        raise RemediableError(
            f"There is no snapshot {name_or_id!r}.", remedy="The page Learning lists them."
        )
    return found


class SnapshotRequest(Request):
    """Readings of people or of simulated readers, never both; all of them without studies."""

    name: str = Field(min_length=1, max_length=100)
    studies: tuple[Annotated[str, Field(max_length=100)], ...] = ()
    is_simulated: bool = False


def ask_for_snapshot(request: SnapshotRequest, *, created_by: User | None = None) -> Snapshot | Run:
    """Returns the snapshot, or the run that takes it where it is large."""
    studies = list(Study.objects.exclude(state=StudyState.DRAFT).filter(name__in=request.studies))
    missing = sorted(set(request.studies) - {study.name for study in studies})
    with at("studies"):
        if missing:
            raise RemediableError(
                f"There is no study {', '.join(missing)} that was opened.",
                remedy="Name studies as their page does; a draft has no readings.",
            )
    return begin_snapshot(
        name=request.name, studies=studies, simulated=request.is_simulated, created_by=created_by
    )


class GateRequest(Request):
    """A child to be compared with its parent; ``settings`` are those of a gate's spec."""

    version: str = Field(min_length=1, max_length=100)
    prompts: tuple[Annotated[str, Field(min_length=1, max_length=PROMPT_MAX_CHARACTERS)], ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)


def ask_for_gate(request: GateRequest, *, created_by: User | None = None) -> Gate:
    with at("version"):
        child = find_version(request.version)
    return start_gate(
        child, prompts=request.prompts or None, settings=request.settings, created_by=created_by
    )


class GateStudyRequest(Request):
    """Who compares a gate's pairs without knowing which image is whose."""

    readers: tuple[Annotated[str, Field(min_length=1, max_length=150)], ...] = Field(min_length=1)


def ask_for_gate_study(request: GateStudyRequest, gate: Gate, *, actor: User | None) -> Study:
    if gate.found is None:
        raise RemediableError("The gate has not said anything yet.", remedy="Wait for its run.")
    return compare_by_people(gate, readers=find_readers(request.readers), actor=actor)


class RewardModelRequest(Request):
    """What foretells readers' scores; ``settings`` are those of its spec, which has their limits.

    A program names a trunk that is registered, an admin's any folder on the server; code is
    named at the command alone.
    """

    snapshot: str = Field(
        min_length=1, max_length=100, description="Id or name; of several of a name the newest"
    )
    name: str = Field(default="", max_length=100, description="Default: SNAPSHOT-reward")
    trunk: str = Field(
        default="",
        max_length=500,
        description="Whose features it sees: a registered classifier's name or folder, or "
        "package.module:callable (default: the active classifier)",
    )
    settings: dict[str, Any] = Field(default_factory=dict)


def ask_for_reward_model(
    request: RewardModelRequest, *, created_by: User | None = None
) -> RewardModel:
    """Returns the training that somebody asks for, queued; without a person it is the machine's
    owner.
    """
    require_known(request.settings, REWARD_SETTINGS)
    with at("snapshot"):
        snapshot = find_snapshot(request.snapshot)
    with at("trunk"):
        trunk = _trunk_named(request.trunk, by=created_by)
    return start_reward_model(
        snapshot,
        name=request.name or f"{snapshot.name[:90]}-reward",
        trunk=trunk,
        settings=request.settings,
        created_by=created_by,
    )


def _trunk_named(named: str, *, by: User | None) -> str:
    known = Scorer.objects.filter(name=named, kind=ScorerKind.CLASSIFIER).first()
    if known is not None:
        return known.location
    may_name_folder = by is not None and by.is_admin and folder_named(named) is not None
    if named and by is not None and not may_name_folder and classifier_at(named) is None:
        raise RemediableError(
            f"There is no classifier {named!r}.",
            remedy="Name one of /api/scorers/; an admin may name its folder on the server.",
        )
    return named


class PromotionRequest(Request):
    """A reason is needed where no gate says promote."""

    version: str = Field(min_length=1, max_length=100)
    reason: str = Field(default="", max_length=2_000)


class ScheduleRequest(Request):
    """When to look whether there is enough that is new to learn from, and what to do then."""

    name: str = Field(min_length=1, max_length=100)
    at: time
    min_new_pairs: int = Field(default=50, ge=1, le=2**31 - 1)
    method: Method = "dpo_margin"
    uses_simulated_readers: bool = False
    promotes_by_itself: bool = False
    is_enabled: bool = True
