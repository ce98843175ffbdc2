"""What is asked for so that VLM versions learn of readers: for page, command and API alike."""

from typing import Annotated, Any

from pydantic import Field

from feedback_app.accounts.models import User
from feedback_app.requests import Request, at
from feedback_app.vlms.asking import find_with_benchmark
from feedback_app.vlms.learning.finetunes import MARGIN, start_vlm_finetune
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.gates import start_vlm_gate
from feedback_app.vlms.learning.models import ReportSnapshot, VlmFineTune
from feedback_app.vlms.learning.snapshots import (
    find_report_snapshot,
    opened_studies,
    take_report_snapshot,
)
from feedback_app.vlms.services import find_vlm
from generation.specs import VlmMethod


def _margin() -> Any:
    return Field(
        default=MARGIN, ge=0, le=1, description="By how much a task may be worse at its gate"
    )


class ReportSnapshotRequest(Request):
    """Choices and edits of people or of simulated readers; of all studies where none is named."""

    name: str = Field(min_length=1, max_length=100)
    studies: tuple[Annotated[str, Field(max_length=100)], ...] = Field(
        default=(), description="Names of studies; none takes all"
    )
    is_simulated: bool = Field(
        default=False,
        title="Of simulated readers",
        description="Never of both: what simulated readers taught is marked as such for good",
    )


def ask_for_report_snapshot(
    asked: ReportSnapshotRequest, *, created_by: User | None = None
) -> ReportSnapshot:
    with at("studies"):
        studies = opened_studies(asked.studies)
    return take_report_snapshot(
        asked.name, studies=studies, simulated=asked.is_simulated, created_by=created_by
    )


class VlmFineTuneRequest(Request):
    """What a VLM version is taught by readers, and how.

    ``settings`` are fields of ``VlmPreferenceSpec``, which has their limits.
    """

    name: str = Field(min_length=1, max_length=100, description="Of the version that comes of it")
    snapshot: str = Field(
        min_length=1, max_length=100, description="Id or name; of several of a name the newest"
    )
    parent: str = Field(min_length=1, max_length=100, description="The VLM version to be taught")
    method: VlmMethod = Field(
        default="dpo", description="dpo: from pairs; kto: from drafts accepted and changed"
    )
    settings: dict[str, Any] = Field(default_factory=dict)
    gate_on: str = Field(
        default="",
        max_length=100,
        title="Then ask its gate on",
        description="The instruction set on whose benchmark child and parent are compared once it "
        "is taught; none asks no gate",
    )
    margin: float = _margin()


def ask_for_vlm_finetune(
    asked: VlmFineTuneRequest, *, created_by: User | None = None
) -> VlmFineTune:
    with at("snapshot"):
        snapshot = find_report_snapshot(asked.snapshot)
    with at("parent"):
        parent = find_vlm(asked.parent)
    with at("gate_on"):
        gate_on = find_with_benchmark(asked.gate_on) if asked.gate_on else None
    return start_vlm_finetune(
        asked.name,
        snapshot=snapshot,
        parent=parent,
        method=asked.method,
        settings=asked.settings,
        gate_on=gate_on,
        margin=asked.margin,
        created_by=created_by,
    )


class VlmGateRequest(Request):
    """A version that was taught, to be compared with its parent."""

    version: str = Field(min_length=1, max_length=100, title="VLM version")
    instruction_set: str = Field(
        min_length=1, max_length=100, title="Benchmark of", description="An instruction set"
    )
    snapshot: str = Field(
        default="",
        max_length=100,
        description="Whose held-out readers judge (default: the snapshot that taught it)",
    )
    margin: float = _margin()


def ask_for_vlm_gate(asked: VlmGateRequest, *, created_by: User | None = None) -> VlmGate:
    with at("version"):
        child = find_vlm(asked.version)
    with at("instruction_set"):
        instructions = find_with_benchmark(asked.instruction_set)
    with at("snapshot"):
        snapshot = find_report_snapshot(asked.snapshot) if asked.snapshot else None
    return start_vlm_gate(
        child,
        instruction_set=instructions,
        snapshot=snapshot,
        margin=asked.margin,
        created_by=created_by,
    )


class VlmPromotionRequest(Request):
    """A reason is needed where no gate says promote."""

    version: str = Field(min_length=1, max_length=100, title="VLM version")
    reason: str = Field(default="", max_length=2_000)
