"""What a reward model learns from: pairs and scores, split so that nothing leaks.

Pairs that share a prompt or a patient stay together; a split by pair would test on
images and prompts that were trained on.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generation.errors import RemediableError
from generation.rewards.acquisition import inverse_propensity
from generation.rewards.conditions import embed_prompts
from generation.rewards.trunks import Trunk
from generation.specs import Preference
from generation.training.images import read_grey

IMAGE_SIDE = 256
CALIBRATION_SHARE = 0.2
TEST_SHARE = 0.2
FEWEST_GROUPS = 5
WEIGHT_LIMIT = 5.0
"""The weight of a case drawn by lot alone at the default exploration share of a fifth."""


def group_by(prompts: Sequence[str], patients: Sequence[str]) -> list[int]:
    """Returns a group's number for each pair: pairs that share a prompt or a patient are in one.

    An empty patient is none.
    """
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        parents.setdefault(name, name)
        while parents[name] != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    for prompt, patient in zip(prompts, patients, strict=True):
        here = root(f"prompt:{prompt}")
        if patient:
            parents[root(f"patient:{patient}")] = here
    roots = [root(f"prompt:{prompt}") for prompt in prompts]
    numbers = {name: number for number, name in enumerate(sorted(set(roots)))}
    return [numbers[name] for name in roots]


@dataclass(frozen=True)
class GroupSplit:
    """Numbers of groups."""

    training: frozenset[int]
    calibration: frozenset[int]
    test: frozenset[int]


def split_groups(groups: Sequence[int], *, seed: int) -> GroupSplit:
    names = sorted(set(groups))
    if len(names) < FEWEST_GROUPS:
        raise RemediableError(
            f"the pairs are about {len(names)} prompts that share no patient",
            remedy=f"Read candidates of {FEWEST_GROUPS} prompts or more, then take a snapshot.",
        )
    random.Random(seed).shuffle(names)
    calibration = max(1, round(CALIBRATION_SHARE * len(names)))
    test = max(1, round(TEST_SHARE * len(names)))
    return GroupSplit(
        training=frozenset(names[calibration + test :]),
        calibration=frozenset(names[:calibration]),
        test=frozenset(names[calibration : calibration + test]),
    )


@dataclass(frozen=True)
class ScoredPairs:
    """Encoded pairs and scores.

    ``features`` I x F and ``conditions`` I x C are of images, each once for every prompt;
    ``winner``, ``loser``, ``group`` and ``pair_weight`` have a row for each of P pairs;
    ``rated``, ``score``, ``rated_group`` and ``score_weight`` one for each score given, S.
    Weights are inverse propensities, one on the mean.
    """

    features: torch.Tensor
    conditions: torch.Tensor
    winner: torch.Tensor
    loser: torch.Tensor
    group: torch.Tensor
    pair_weight: torch.Tensor
    rated: torch.Tensor
    score: torch.Tensor
    rated_group: torch.Tensor
    score_weight: torch.Tensor


def encode(
    preferences: Sequence[Preference], trunk: Trunk, *, patients: Sequence[str] | None = None
) -> ScoredPairs:
    """Look at every image once; scores are those that the pairs come from, each once."""
    groups = group_by([pair.prompt for pair in preferences], patients or [""] * len(preferences))
    places_of: dict[tuple[str, str], int] = {}
    scores: dict[tuple[int, float], tuple[int, float]] = {}
    rows, weights = [], [weight_of(pair) for pair in preferences]
    for pair, group, weight in zip(preferences, groups, weights, strict=True):
        row = []
        for image, score in ((pair.winner, pair.winner_score), (pair.loser, pair.loser_score)):
            index = places_of.setdefault((image, pair.prompt), len(places_of))
            scores.setdefault((index, score), (group, weight))
            row.append(index)
        rows.append(row)
    pictures: dict[str, np.ndarray] = {
        path: read_grey(Path(path), side=IMAGE_SIDE) for path, _ in places_of
    }
    names = list(pictures)
    found = trunk.features([pictures[name] for name in names])
    places = {name: place for place, name in enumerate(names)}
    pairs = torch.tensor(rows)
    return ScoredPairs(
        features=found[[places[path] for path, _ in places_of]],
        conditions=embed_prompts([prompt for _, prompt in places_of]),
        winner=pairs[:, 0],
        loser=pairs[:, 1],
        group=torch.tensor(groups),
        pair_weight=_one_on_the_mean(weights),
        rated=torch.tensor([index for index, _ in scores]),
        score=torch.tensor([score for _, score in scores]),
        rated_group=torch.tensor([group for group, _ in scores.values()]),
        score_weight=_one_on_the_mean([weight for _, weight in scores.values()]),
    )


def weight_of(pair: Preference) -> float:
    if pair.propensity is None or pair.uniform_propensity is None:
        return 1.0
    return inverse_propensity(pair.propensity, uniform=pair.uniform_propensity, limit=WEIGHT_LIMIT)


def _one_on_the_mean(weights: Sequence[float]) -> torch.Tensor:
    return torch.tensor(weights) * len(weights) / sum(weights)
