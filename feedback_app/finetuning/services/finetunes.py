"""Fine-tunes: from a snapshot and a parent to a model version under it."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

from django.db import transaction

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.finetuning.dependents import retracted_reward_models
from feedback_app.finetuning.methods import FACTS, Method, settings_of
from feedback_app.finetuning.models import FineTune, Schedule, Snapshot
from feedback_app.finetuning.services.marked import require_marks
from feedback_app.finetuning.services.masked import (
    default_parts,
    require_parts,
    require_unmasked,
)
from feedback_app.images.models import Cohort, ModelVersion, Scorer, ScorerKind, Split
from feedback_app.images.versions.services import register
from feedback_app.runs import services as runs
from feedback_app.runs.progress import storable
from generation.errors import RemediableError
from generation.specs import FineTuneSpec, naming_the_setting


def complete_settings(
    settings: Mapping[str, Any], *, snapshot: Snapshot, method: str, parent: ModelVersion
) -> dict[str, Any]:
    """Returns the given settings checked, the method's others at their defaults."""
    known = settings_of(method)
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise RemediableError(
            f"{', '.join(unknown)} cannot be set for a fine-tune by {method}.",
            remedy=f"Choose among {', '.join(known)}.",
        )
    with naming_the_setting():
        spec = FineTuneSpec(
            model=parent.source,
            preferences="",
            method=method,  # type: ignore[arg-type]
            **{"adapted": default_parts(snapshot, parent), **settings},
        )
    require_parts(spec.adapted, snapshot, parent)
    require_marks(spec.region_weight, snapshot)
    return {name: value for name, value in asdict(spec).items() if name in known}


def require_lessons(
    snapshot: Snapshot, *, method: str, parent: ModelVersion, real_cohort: Cohort | None
) -> None:
    """Refuse what the method cannot learn from, before anything is queued."""
    name = Method(method).label
    if Method(method).learns_from_pairs and not snapshot.pairs.exists():
        raise RemediableError(
            f"The snapshot “{snapshot}” holds no pair, and {name} learns from pairs.",
            remedy="Choose a method that learns from ratings, or read cases of several images.",
        )
    if not Method(method).learns_from_pairs and not snapshot.rated_images.exists():
        raise RemediableError(
            f"The snapshot “{snapshot}” holds no rating, and {name} learns from ratings.",
            remedy="Take a new snapshot; older ones hold pairs only.",
        )
    require_unmasked(snapshot, parent, method=method)
    if real_cohort is None:
        return
    if not FACTS[Method(method)].learns_from_real:
        raise RemediableError(
            f"{name} does not practise on real images.", remedy="Choose no cohort."
        )
    if not real_cohort.images.filter(patient__split=Split.TRAIN).exists():
        raise RemediableError(
            f"The cohort “{real_cohort}” has no image in its training split.",
            remedy="Choose another cohort, or none.",
        )


def reward_model_for(snapshot: Snapshot, *, method: str) -> Scorer | None:
    """Returns what DRaFT climbs: the active reward model, if such readers taught it as the
    snapshot's.

    None that rests on retracted readings.
    """
    if method != Method.DRAFT:
        return None
    rewards = Scorer.objects.active().filter(kind=ScorerKind.REWARD_MODEL)
    standing = rewards.exclude(pk__in=retracted_reward_models().values("pk"))
    return standing.filter(taught_by_simulated_readers=snapshot.is_simulated).first()


@transaction.atomic
def start_finetune(
    *,
    snapshot: Snapshot,
    parent: ModelVersion,
    method: str,
    settings: Mapping[str, Any] | None = None,
    real_cohort: Cohort | None = None,
    schedule: Schedule | None = None,
    asks_gate: bool = True,
    replaces: FineTune | None = None,
    takes_reward_model: bool = True,
    created_by: User | None = None,
) -> FineTune:
    """Queue a fine-tune of ``parent`` on the snapshot, and on a cohort's training images.

    ``asks_gate``: a run after this one starts the child's gate. DRaFT climbs the
    reward model that measures candidates now, if readers of the snapshot's kind taught it
    and ``takes_reward_model`` says so, and else what is fitted to the snapshot.
    """
    require_lessons(snapshot, method=method, parent=parent, real_cohort=real_cohort)
    complete = complete_settings(settings or {}, snapshot=snapshot, method=method, parent=parent)
    fine_tune_id = uuid.uuid4()
    run = runs.start(
        "finetune",
        title=f"Fine-tune {parent.name} on {snapshot.name}"[:200],
        spec={"fine_tune": str(fine_tune_id)},
        total=complete["steps"],
        created_by=created_by,
    )
    if asks_gate:
        runs.start(
            "ask_gate",
            title=f"Ask the gate of what {run.title[0].lower()}{run.title[1:]} gives",
            spec={"fine_tune": str(fine_tune_id)},
            after=[run],
            created_by=created_by,
        )
    record(
        "fine_tune.started",
        actor=created_by,
        target=run.title,
        target_id=fine_tune_id,
        details={"method": method, "snapshot": snapshot.name, "parent": parent.name},
    )
    return FineTune.objects.create(
        id=fine_tune_id,
        snapshot=snapshot,
        parent=parent,
        method=method,
        settings=complete,
        real_cohort=real_cohort,
        reward_model=reward_model_for(snapshot, method=method) if takes_reward_model else None,
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
        real_cohort=fine_tune.real_cohort,
        replaces=fine_tune,
        created_by=created_by,
    )


@transaction.atomic
def finish_finetune(
    fine_tune: FineTune, *, adapter: Path, curve: Mapping[str, Any] | None = None
) -> ModelVersion:
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
        locked.curve = storable(curve or {})
        locked.save(update_fields=["model_version", "curve"])
    return locked.model_version


def _free_name(parent: ModelVersion) -> str:
    """``base`` has children ``base-1``, ``base-2`` ...; those have ``base-1-1`` ..."""
    taken = set(ModelVersion.objects.values_list("name", flat=True))
    return next(name for n in count(1) if (name := f"{parent.name[:90]}-{n}") not in taken)
