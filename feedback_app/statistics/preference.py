"""Comparisons of two images: which kind of image wins, and does the side matter?"""

from collections.abc import Sequence
from dataclasses import dataclass

import choix
import numpy as np
from scipy.sparse.csgraph import connected_components

from feedback_app.statistics.bootstrap import (
    Cases,
    Estimate,
    Floats,
    Ints,
    estimate,
    nth,
    unknown,
)
from feedback_app.statistics.proportions import sign_test

PRIOR = 0.1
"""``alpha`` of choix: without it, a version that never lost would be infinitely strong."""
NO_DECISION = "no decided comparison yet"


@dataclass(frozen=True)
class Preference:
    """``share`` of decided comparisons that the first of two won; ties are counted apart."""

    share: Estimate
    wins: int
    losses: int
    ties: int
    p_value: float


def preference(outcomes: Floats, cases: Ints) -> Preference:
    """``outcomes``: 1 the first won, -1 the second, 0 neither. p: sign test over cases.

    Readers of one case tend to agree, so the test has one vote a case: the side with more
    wins in it.
    """
    if not np.any(outcomes):
        return Preference(unknown(NO_DECISION), 0, 0, len(outcomes), np.nan)
    sums = Cases.of(cases).sums(np.column_stack([outcomes > 0, outcomes < 0]).astype(float))
    found = estimate(sums, _share_won)
    wins, losses = (int(total) for total in sums.sum(axis=0))
    votes = sums[:, 0] - sums[:, 1]
    decided = len(np.unique(cases[outcomes != 0]))
    return Preference(
        share=nth(found, 0, count=decided),
        wins=wins,
        losses=losses,
        ties=len(outcomes) - wins - losses,
        p_value=sign_test(int(np.sum(votes > 0)), int(np.sum(votes < 0))),
    )


def _share_won(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return (sums[..., 0] / sums.sum(axis=-1))[..., None]


@dataclass(frozen=True)
class Strengths:
    """Bradley-Terry strengths (log odds) within one group of connected items; mean 0."""

    items: tuple[int, ...]
    values: tuple[float, ...]


def bradley_terry(item_count: int, won: Sequence[tuple[int, int]]) -> list[Strengths]:
    """From (winner, loser) pairs, for each group of items linked by comparisons.

    Bradley and Terry, Biometrika 39 (1952) 324-345, by choix; items of different groups
    were never compared, not even through others, so their strengths have no common scale.
    """
    groups = []
    for items in linked_groups(item_count, won):
        number = {item: place for place, item in enumerate(items)}
        inside = [(number[winner], number[loser]) for winner, loser in won if winner in number]
        fitted = choix.ilsr_pairwise(len(items), inside, alpha=PRIOR)
        centred = fitted - fitted.mean()
        groups.append(Strengths(items=tuple(items), values=tuple(centred.tolist())))
    return groups


def linked_groups(item_count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Groups of two items or more, the largest first."""
    met = np.zeros((item_count, item_count))
    for first, second in pairs:
        met[first, second] = 1
    _, group = connected_components(met, directed=False)
    members = [np.flatnonzero(group == number).tolist() for number in np.unique(group)]
    return sorted((items for items in members if len(items) > 1), key=len, reverse=True)
