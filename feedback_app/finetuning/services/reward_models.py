"""Reward models: from a snapshot to a scorer that foretells readers' scores."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

from feedback_app.accounts.models import User
from feedback_app.finetuning.lineage import TRAINING, training_of, trainings
from feedback_app.finetuning.models import Snapshot
from feedback_app.finetuning.services.masked import lines_of
from feedback_app.finetuning.services.run_folders import write_readings
from feedback_app.images.models import Scorer, ScorerKind
from feedback_app.images.scorers.services import register_scorer, require_free_name
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
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


def start_reward_model(
    snapshot: Snapshot,
    *,
    name: str,
    trunk: str = "",
    settings: Mapping[str, Any] | None = None,
    replaces: Scorer | None = None,
    created_by: User | None = None,
) -> Run:
    """Queue the training of a reward model to be called ``name``.

    ``trunk`` is a classifier's folder or ``package.module:callable``; left empty, it is
    the classifier that measures candidates now. ``replaces`` is the one in whose place it
    is trained, without retracted readings.
    """
    require_free_name(name)
    trunk = trunk or active_classifier().location
    with naming_the_setting():
        spec = RewardModelSpec(preferences="-", trunk=trunk, **(settings or {}))
    complete = {key: value for key, value in asdict(spec).items() if key in SETTINGS}
    return runs.start(
        TRAINING,
        title=f"Train the reward model {name} on {snapshot.name}",
        spec={
            "snapshot": str(snapshot.pk),
            "name": name,
            "trunk": spec.trunk,
            "settings": complete,
            **({"replaces": replaces.pk} if replaces else {}),
        },
        total=spec.steps,
        created_by=created_by,
    )


def training_in_place_of(scorer: Scorer) -> Run | None:
    """The newest training of a reward model in this one's place, whatever became of it."""
    return trainings().filter(spec__replaces=scorer.pk).order_by("-created_at").first()


def replacement_of(scorer: Scorer) -> Scorer | None:
    """The reward model that stands in this one's place, once it is trained."""
    training = training_in_place_of(scorer)
    return Scorer.objects.filter(name=training.spec["name"]).first() if training else None


def retrain_reward_model(
    scorer: Scorer, *, snapshot: Snapshot, created_by: User | None = None
) -> Run:
    """Queue the same training from another snapshot, in the reward model's place."""
    training = training_of(scorer)
    assert training is not None
    return start_reward_model(
        snapshot,
        name=_free_name(scorer.name),
        trunk=training.spec["trunk"],
        settings=training.spec["settings"],
        replaces=scorer,
        created_by=created_by,
    )


def _free_name(name: str) -> str:
    """``NAME, rebuilt``, ``NAME, rebuilt 2`` and so on."""
    taken = set(Scorer.objects.values_list("name", flat=True))
    taken |= set(trainings().unfinished().values_list("spec__name", flat=True))
    numbered = (f"{name[:85]}, rebuilt{f' {n}' if n > 1 else ''}" for n in count(1))
    return next(each for each in numbered if each not in taken)


def active_classifier() -> Scorer:
    found = Scorer.objects.active().filter(kind=ScorerKind.CLASSIFIER).first()
    if found is None:
        raise RemediableError(
            "There is no classifier whose features a reward model could use.",
            remedy="Train one with manage.py train_proxy COHORT --classifier, or name a trunk.",
        )
    return found


def write_reward_run_folder(run: Run, run_dir: Path) -> None:
    """Write all that the process needs; twice is no harm."""
    snapshot = Snapshot.objects.select_related("blob").get(pk=run.spec["snapshot"])
    preferences = write_readings(lines_of(snapshot), run_dir)
    spec = RewardModelSpec(
        preferences=str(preferences), trunk=run.spec["trunk"], **run.spec["settings"]
    )
    write_spec(spec, run_dir / "spec.json")


def register_reward_model(run: Run, made: Path, *, figures: Mapping[str, Any]) -> Scorer:
    """Register what a finished training has left; twice changes nothing."""
    snapshot = Snapshot.objects.get(pk=run.spec["snapshot"])
    return register_scorer(
        run.spec["name"],
        made,
        kind=ScorerKind.REWARD_MODEL,
        taught_by_simulated_readers=snapshot.is_simulated,
        figures=figures,
        created_by=run.created_by,
    )
