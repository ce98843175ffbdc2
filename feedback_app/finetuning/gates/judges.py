"""Who may judge: somebody that the training did not learn from."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import PIL.Image

from feedback_app.finetuning.comparison import Match
from feedback_app.finetuning.dependents import retracted_reward_models
from feedback_app.finetuning.gates.models import Gate, GateStudy
from feedback_app.finetuning.gates.people import answers_about, peoples_word
from feedback_app.finetuning.lineage import (
    own_fine_tune,
    readings_in,
    snapshot_of,
    snapshots_behind,
)
from feedback_app.finetuning.models import Snapshot
from feedback_app.images.models import ModelVersion, Scorer, ScorerKind
from generation.measures.appearance import Grey, small_grey
from generation.quality.judged import Judged
from generation.rewards.tastes import readers_taste, second_taste

NO_JUDGE = (
    "no reward model is registered that learnt from other readings than these. Have people "
    "compare the two versions blind, or train a reward model on readings that were not taught on."
)
Pictures = Sequence[np.ndarray]


def taught_by_simulated_readers(version: ModelVersion) -> bool:
    own = own_fine_tune(version)
    return own is not None and own.snapshot.is_simulated


def independent_reward_models(gate: Gate) -> list[tuple[Scorer, Snapshot]]:
    """Returns reward models that learnt from none of the readings behind child and parent, newest
    first.

    One that simulated readers taught does not judge what people taught, one that was
    climbed does not judge what came of it, and one of retracted readings judges nothing.
    """
    behind = snapshots_behind(gate.child)
    known = {reading for snapshot in behind for reading in readings_in(snapshot)}
    allowed = []
    rewards = Scorer.objects.filter(kind=ScorerKind.REWARD_MODEL).exclude(
        pk__in=retracted_reward_models().values("pk")
    )
    for scorer in rewards.order_by("-created_at"):
        snapshot = snapshot_of(scorer)
        if snapshot is None or known & readings_in(snapshot):
            continue
        if not snapshot.is_simulated or all(one.is_simulated for one in behind):
            allowed.append((scorer, snapshot))
    return allowed


def judged_by_people(gate: Gate, matches: Sequence[Match]) -> Judged | None:
    """People who compared the same images blind, if every pair was; the last word."""
    links = GateStudy.objects.filter(gate__child=gate.child, gate__parent=gate.parent)
    for link in links.select_related("gate__child_batch").order_by("-pk"):
        word = peoples_word(link.gate)
        if word is None or word.result is None or word.is_simulated:
            continue
        votes: dict[UUID, int] = defaultdict(int)
        met = set()
        for case_images, winner in answers_about(word.study):
            met |= case_images
            if winner is not None:
                votes[winner] += 1
        if all({pair.child.pk, pair.parent.pk} <= met for pair in matches):
            return Judged(
                name="The blind comparison by people",
                about=f"The study “{word.study.name}”, {word.read} comparisons read.",
                child=[votes[pair.child.pk] for pair in matches],
                parent=[votes[pair.parent.pk] for pair in matches],
                source={"study": str(word.study.pk)},
            )
    return None


def judged_by_second_taste(gate: Gate, *, child: Pictures, parent: Pictures) -> Judged | None:
    """Only where simulated readers taught the child."""
    if not taught_by_simulated_readers(gate.child):
        return None
    return _by_taste(
        second_taste,
        name="The second taste",
        about="What simulated readers do not look at: a spectrum and grey values as real images "
        "have. It stands for no radiologist.",
        child=child,
        parent=parent,
    )


def judged_by_what_taught(gate: Gate, *, child: Pictures, parent: Pictures) -> Judged | None:
    """Returns what was trained on, on the gate's images; known of simulated readers only."""
    if not taught_by_simulated_readers(gate.child):
        return None
    return _by_taste(
        readers_taste,
        name="The simulated readers’ own taste",
        about="It gave the readings that the child was taught with.",
        child=child,
        parent=parent,
    )


def what_training_says(gate: Gate) -> dict[str, Any] | None:
    """Says how the training of a child that people taught ended by its own measure.

    The share of pairs or verdicts that it gets right, or the rise of the reward of DRaFT;
    without an interval, since it is of the very readings that it learnt.
    """
    own = own_fine_tune(gate.child)
    if own is None or own.snapshot.is_simulated:
        return None
    accuracy, rewards = own.run.result.get("accuracy"), own.curve.get("reward")
    if rewards:
        name, value, neutral = "The reward that it climbed", rewards[-1] - rewards[0], 0.0
    elif accuracy is not None:
        name, value, neutral = "The training’s own accuracy", accuracy, 0.5
    else:
        return None
    about = "On the readings that it learnt."
    return {
        "name": name,
        "about": about,
        "value": value,
        "low": value,
        "high": value,
        "neutral": neutral,
    }


def _by_taste(
    taste: Callable[[Grey], float], *, name: str, about: str, child: Pictures, parent: Pictures
) -> Judged:
    def tasted(pictures: Pictures) -> list[float]:
        return [taste(small_grey(PIL.Image.fromarray(picture))) for picture in pictures]

    return Judged(name=name, about=about, child=tasted(child), parent=tasted(parent))
