"""Reward models: from a snapshot to a scorer that foretells readers' scores."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import RewardModel, Snapshot
from feedback_app.finetuning.services.masked import lines_of
from feedback_app.finetuning.services.run_folders import write_readings
from feedback_app.images.models import Scorer, ScorerKind
from feedback_app.images.scorers.services import register_scorer, require_free_name
from feedback_app.images.versions.folders import loadable, location_of
from feedback_app.requests import at
from feedback_app.runs import services as runs
from feedback_app.runs.models import State
from generation.errors import RemediableError
from generation.specs import RewardModelSpec, naming_the_setting, write_spec

SETTINGS = (
    "members",
    "hidden",
    "steps",
    "learning_rate",
    "weight_decay",
    "ordinal_weight",
    "propensity_weighting",
    "seed",
)
"""What may be set of a ``RewardModelSpec``."""


@transaction.atomic
def start_reward_model(
    snapshot: Snapshot,
    *,
    name: str,
    trunk: str = "",
    settings: Mapping[str, Any] | None = None,
    replaces: RewardModel | None = None,
    created_by: User | None = None,
) -> RewardModel:
    """Queue the training of a reward model to be called ``name``.

    ``trunk`` is a classifier's folder or ``package.module:callable``; left empty, it is
    the classifier that measures candidates now. ``replaces`` is the one in whose place it
    is trained, without retracted readings.
    """
    with at("name"):
        require_free_name(name)
    trunk_scorer = classifier_at(trunk) if trunk else active_classifier()
    trunk = trunk_scorer.location if trunk_scorer else trunk
    with at("settings"), naming_the_setting():
        spec = RewardModelSpec(preferences="-", trunk=trunk, **(settings or {}))
    complete = {key: value for key, value in asdict(spec).items() if key in SETTINGS}
    run = runs.start(
        "train_reward_model",
        title=f"Train the reward model {name} on {snapshot.name}",
        spec={"name": name, "snapshot": str(snapshot.pk)},
        total=spec.steps,
        created_by=created_by,
    )
    return RewardModel.objects.create(
        name=name,
        run=run,
        snapshot=snapshot,
        trunk=spec.trunk,
        trunk_scorer=trunk_scorer,
        settings=complete,
        replaces=replaces,
    )


def training_in_place_of(scorer: Scorer) -> RewardModel | None:
    """Returns the newest training of a reward model in this one's place, whatever became of it."""
    return (
        RewardModel.objects.filter(replaces__scorer=scorer).select_related("run", "scorer").first()
    )


def replacement_of(scorer: Scorer) -> Scorer | None:
    """Returns the reward model that stands in this one's place, once it is trained."""
    training = training_in_place_of(scorer)
    return training.scorer if training else None


def retrain_reward_model(
    scorer: Scorer, *, snapshot: Snapshot, created_by: User | None = None
) -> RewardModel:
    """Queue the same training from another snapshot, in the reward model's place."""
    training = RewardModel.objects.get(scorer=scorer)
    return start_reward_model(
        snapshot,
        name=_free_name(scorer.name),
        trunk=training.trunk,
        settings=training.settings,
        replaces=training,
        created_by=created_by,
    )


def _free_name(name: str) -> str:
    """``NAME, rebuilt``, ``NAME, rebuilt 2`` and so on."""
    taken = set(Scorer.objects.values_list("name", flat=True))
    going_on = RewardModel.objects.filter(run__state__in=[State.QUEUED, State.RUNNING])
    taken |= set(going_on.values_list("name", flat=True))
    numbered = (f"{name[:85]}, rebuilt{f' {n}' if n > 1 else ''}" for n in count(1))
    return next(each for each in numbered if each not in taken)


def classifier_at(location: str) -> Scorer | None:
    """Returns the classifier in this folder, if it is a registered one."""
    return Scorer.objects.filter(location=location_of(location), kind=ScorerKind.CLASSIFIER).first()


def active_classifier() -> Scorer:
    found = Scorer.objects.active().filter(kind=ScorerKind.CLASSIFIER).first()
    if found is None:
        raise RemediableError(
            "There is no classifier whose features a reward model could use.",
            remedy="Train one with manage.py train_proxy COHORT --classifier, or name a trunk.",
        )
    return found


def write_reward_run_folder(training: RewardModel, run_dir: Path) -> None:
    """Write all that the process needs; twice is no harm."""
    preferences = write_readings(lines_of(training.snapshot), run_dir)
    spec = RewardModelSpec(
        preferences=str(preferences), trunk=loadable(training.trunk), **training.settings
    )
    write_spec(spec, run_dir / "spec.json")


def register_reward_model(
    training: RewardModel, made: Path, *, figures: Mapping[str, Any]
) -> Scorer:
    """Register what a finished training has left; twice changes nothing."""
    scorer = register_scorer(
        training.name,
        made,
        kind=ScorerKind.REWARD_MODEL,
        taught_by_simulated_readers=training.snapshot.is_simulated,
        figures=figures,
        created_by=training.run.created_by,
    )
    RewardModel.objects.filter(pk=training.pk).update(scorer=scorer)
    return scorer
