"""Whether candidates show what their prompts name, by a judge that their maker did not teach."""

from collections.abc import Mapping, Sequence

import numpy as np

from generation.conditioning.facts import facts_of, phrases_of
from generation.quality.kit import Figure, as_share
from generation.statistics.intervals import jackknife
from generation.statistics.ranking import auroc_of_groups
from generation.vlm.judge import Judge

ATTRIBUTES = {
    "finding": "pneumonia",
    "view": "view PA",
    "sex": "sex male",
    "age": "age 65 and over",
}
"""The phrase by which each attribute is told from its absence."""
TOGETHER = ("finding", "view", "sex")
CALLED_FROM = 0.5
FEWEST = 5
CHANCE = 0.5


def attribute_agreement(
    judge: Judge, prompts: Sequence[str], found: Sequence[Mapping[str, float]]
) -> list[Figure]:
    """Give the figures of each attribute, and of all of them together.

    ``found`` are the judge's probabilities for the candidate of each prompt. AUC is between
    candidates that were asked for the phrase and those that were not; *reached* is the share
    at least as plain as all but a twentieth of real images with what was asked for.
    """
    asked = [facts_of(prompt) for prompt in prompts]
    figures: list[Figure] = []
    for attribute, phrase in ATTRIBUTES.items():
        wanted = np.array([phrase in phrases_of(attribute, one) for one in asked])
        if phrase in judge.facts.phrases and min(wanted.sum(), (~wanted).sum()) >= FEWEST:
            scores = np.array([one[phrase] for one in found])
            area = auroc_of_groups(scores[wanted], scores[~wanted])
            real = judge.facts.auroc[phrase]
            shown = "" if area.low > CHANCE else "; not shown to follow it"
            note = f"real images {real:.3f}{shown}"
            figures.append(Figure.within(f"auc_{attribute}", f"AUC, {phrase}", area, note=note))
        seen = [
            judge.attribute(attribute, facts, one) for facts, one in zip(asked, found, strict=True)
        ]
        known = np.array([one is not None for one in seen])
        if known.sum() >= FEWEST:
            reached = np.array([one is not None and one.is_reached for one in seen])
            figures.append(
                _share(reached, known, prompts, name=f"reached_{attribute}",
                       label=f"Reached, {attribute}", note="0.950 of real images")
            )  # fmt: skip
    called = np.array(
        [
            all(one.get(phrase, 0.0) >= CALLED_FROM
                for attribute in TOGETHER for phrase in phrases_of(attribute, facts))
            for facts, one in zip(asked, found, strict=True)
        ]
    )  # fmt: skip
    told = np.array(
        [
            all(phrase in judge.facts.phrases
                for attribute in TOGETHER for phrase in phrases_of(attribute, facts))
            for facts in asked
        ]
    )  # fmt: skip
    if told.sum() >= FEWEST:
        figures.append(
            _share(called, told, prompts, name="together", label="View, sex and finding right",
                   note=f"of {int(told.sum())} candidates, each called at {CALLED_FROM}")
        )  # fmt: skip
    return figures


def _share(
    hits: np.ndarray, known: np.ndarray, prompts: Sequence[str], *, name: str, label: str, note: str
) -> Figure:
    """Give a share of what is known, with an interval over prompts."""
    rows = np.flatnonzero(known)
    names = [prompts[row] for row in rows.tolist()]
    if len(set(names)) < 2:
        return Figure(name=name, label=label, value=float(hits[rows].mean()), note=note)
    interval = jackknife(lambda some: float(hits[rows[some]].mean()), groups=names)
    return Figure.within(name, label, as_share(interval), note=note)
