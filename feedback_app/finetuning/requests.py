"""The request for a fine-tune, and what applies it: for page and command alike."""

from typing import Any

from django.core.exceptions import ValidationError
from pydantic import Field

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import FineTune, Snapshot
from feedback_app.finetuning.services.finetunes import start_finetune
from feedback_app.images.cohorts.services import find_cohort
from feedback_app.images.versions.services import find_version
from feedback_app.requests import Request, at
from generation.errors import RemediableError
from generation.specs import Method


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
    """The fine-tune that somebody asks for, queued."""
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
