"""Names and pages of what rests on readings."""

from typing import Any

from django.urls import reverse

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.models import Export
from feedback_app.finetuning.models import FineTune, Gate, RewardModel, Snapshot
from feedback_app.images.models import ModelVersion, Scorer
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.models import ReportSnapshot, VlmFineTune

KINDS = {
    "snapshot": Snapshot,
    "reward-model": Scorer,
    "fine-tune": FineTune,
    "gate": Gate,
    "curated-set": CuratedSet,
    "export": Export,
    "report-snapshot": ReportSnapshot,
    "vlm-fine-tune": VlmFineTune,
    "vlm-gate": VlmGate,
}


def kind_of(row: Any) -> str:
    """Returns the word for a row; a training counts as the reward model that it gives."""
    if isinstance(row, RewardModel):
        return "reward-model"
    return next(kind for kind, model in KINDS.items() if isinstance(row, model))


def describe(row: Any) -> str:
    """Returns what a row is called on screen."""
    match row:
        case FineTune():
            return f"{row.model_version or f'Fine-tune of {row.parent.name}'} (from {row.snapshot})"
        case VlmFineTune():
            return f"{row.name} (from {row.snapshot})"
        case Gate():
            return f"Gate of {row.child.name}"
        case CuratedSet():
            return f"{row.policy.name} {row.sha256[:12]}"
        case Export():
            return f"{row.source_name} of {row.created_at:%-d %b %Y, %H:%M}"
        case _:
            return str(row)


PAGES: dict[type, str] = {
    Snapshot: "finetuning:snapshot",
    FineTune: "finetuning:finetune",
    Gate: "finetuning:gate",
    CuratedSet: "curation:set",
    Export: "exports:export",
    ReportSnapshot: "vlms:report-snapshot",
    VlmGate: "vlms:gate",
}


def address(row: Any) -> str:
    match row:
        case ModelVersion():
            return reverse("models")
        case Scorer():
            return f"{reverse('models')}#scorers"
        case VlmFineTune():
            page = ("vlms:version", row.version_id) if row.version_id else ("runs:run", row.run_id)
            return reverse(page[0], args=[page[1]])
    if type(row) not in PAGES:
        raise TypeError(f"no page of a {type(row).__name__}")
    return reverse(PAGES[type(row)], args=[row.pk])
