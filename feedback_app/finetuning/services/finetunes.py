"""Fine-tunes: from a snapshot and a parent to a model version under it."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

from django.db import transaction
from pydantic import ValidationError

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import FineTune, Schedule, Snapshot
from feedback_app.images.models import ModelVersion
from feedback_app.images.services.versions import register
from feedback_app.runs import services as runs
from generation.errors import RemediableError
from generation.specs import FineTuneSpec

SETTINGS = (
    "steps",
    "batch_size",
    "learning_rate",
    "beta",
    "rank",
    "denoising_weight",
    "seed",
)
"""What may be set of a ``FineTuneSpec``; the rest follows from snapshot and parent."""


def complete_settings(
    settings: Mapping[str, Any], *, method: str, parent: ModelVersion
) -> dict[str, Any]:
    """The given settings checked, the others at their defaults."""
    unknown = sorted(set(settings) - set(SETTINGS))
    if unknown:
        raise RemediableError(
            f"{', '.join(unknown)} cannot be set for a fine-tune.",
            remedy=f"Choose among {', '.join(SETTINGS)}.",
        )
    try:
        spec = FineTuneSpec(
            model=parent.source,
            preferences="",
            method=method,  # type: ignore[arg-type]
            **settings,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise RemediableError(
            f"{'.'.join(map(str, first['loc']))} = {first['input']!r}: {first['msg']}.",
            remedy="Choose another value.",
        ) from error
    return {name: value for name, value in asdict(spec).items() if name in SETTINGS}


@transaction.atomic
def start_finetune(
    *,
    snapshot: Snapshot,
    parent: ModelVersion,
    method: str,
    settings: Mapping[str, Any] | None = None,
    schedule: Schedule | None = None,
    replaces: FineTune | None = None,
    created_by: User | None = None,
) -> FineTune:
    """Queue a fine-tune of ``parent`` on the snapshot's pairs."""
    complete = complete_settings(settings or {}, method=method, parent=parent)
    fine_tune_id = uuid.uuid4()
    run = runs.start(
        "finetune",
        title=f"Fine-tune {parent.name} on {snapshot.name}"[:200],
        spec={"fine_tune": str(fine_tune_id)},
        total=complete["steps"],
        created_by=created_by,
    )
    return FineTune.objects.create(
        id=fine_tune_id,
        snapshot=snapshot,
        parent=parent,
        method=method,
        settings=complete,
        run=run,
        schedule=schedule,
        replaces=replaces,
    )


def repeat_finetune(
    fine_tune: FineTune,
    *,
    snapshot: Snapshot,
    parent: ModelVersion,
    created_by: User | None = None,
) -> FineTune:
    """Queue the same fine-tune from another snapshot or parent, in its place."""
    return start_finetune(
        snapshot=snapshot,
        parent=parent,
        method=fine_tune.method,
        settings=fine_tune.settings,
        replaces=fine_tune,
        created_by=created_by,
    )


@transaction.atomic
def finish_finetune(fine_tune: FineTune, *, adapter: Path) -> ModelVersion:
    """Register the adapter under its parent; a fine-tune has one, however often it finishes."""
    locked = FineTune.objects.select_for_update(of=["self"]).get(pk=fine_tune.pk)
    if locked.model_version is None:
        locked.model_version = register(
            _free_name(locked.parent),
            str(adapter),
            parent=locked.parent,
            method=locked.method,
            taught_by_simulated_readers=locked.snapshot.is_simulated,
            created_by=locked.run.created_by,
        )
        locked.save(update_fields=["model_version"])
    return locked.model_version


def _free_name(parent: ModelVersion) -> str:
    """``base`` has children ``base-1``, ``base-2`` ...; those have ``base-1-1`` ..."""
    taken = set(ModelVersion.objects.values_list("name", flat=True))
    return next(name for n in count(1) if (name := f"{parent.name[:90]}-{n}") not in taken)
