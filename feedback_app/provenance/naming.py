"""Names and pages of what rests on readings."""

from typing import Any

from django.urls import reverse

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.models import Export
from feedback_app.finetuning.models import FineTune, Snapshot
from feedback_app.images.models import ModelVersion

KINDS = {
    "snapshot": Snapshot,
    "fine-tune": FineTune,
    "curated-set": CuratedSet,
    "export": Export,
}


def kind_of(row: Any) -> str:
    return next(kind for kind, model in KINDS.items() if isinstance(row, model))


def describe(row: Any) -> str:
    """What a row is called on screen."""
    match row:
        case FineTune():
            return f"{row.model_version or f'Fine-tune of {row.parent.name}'} (from {row.snapshot})"
        case CuratedSet():
            return f"{row.policy.name} {row.sha256[:12]}"
        case Export():
            return f"{row.curated_set.policy.name} of {row.created_at:%-d %b %Y, %H:%M}"
        case _:
            return str(row)


def address(row: Any) -> str:
    match row:
        case Snapshot():
            return reverse("finetuning:snapshot", args=[row.pk])
        case FineTune():
            return reverse("finetuning:finetune", args=[row.pk])
        case CuratedSet():
            return reverse("curation:set", args=[row.pk])
        case Export():
            return reverse("exports:export", args=[row.pk])
        case ModelVersion():
            return reverse("models")
    raise TypeError(f"no page of a {type(row).__name__}")
