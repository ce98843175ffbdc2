"""A judge of candidates: the probability that each thing a prompt names can be seen.

It looks with a VLM's frozen eye, and has a linear head a phrase. It is taught and validated on
real images after one pass through the generator's autoencoder: a judge taught on plain real
images missed a finding that was there. An attribute is *reached* where its probability is that
of at least all but a twentieth of the held-out real images that have it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import nn

from generation.conditioning.facts import (
    NO_OTHER,
    PromptFacts,
    absence,
    attribute_of,
    phrases_of,
)
from generation.conditioning.findings import NORMAL
from generation.statistics.ranking import auroc
from generation.training.saving import read_network, save_network
from generation.vlm.benchmark.probe import STRENGTH, fit
from generation.vlm.model.eye import Eye
from generation.vlm.model.seen import as_pixels, look_at
from generation.vlm.model.vlms import OwnVlm, load_vlm
from generation.vlm.sides import SideFigures, side_probabilities

NAME = "judge"
REFERENCE = 0.05
"""The share of held-out real images with an attribute that may lie below its threshold."""
AT_ONCE = 32
FEWEST = 20

Statements = Mapping[str, Mapping[str, bool]]


@dataclass(frozen=True, kw_only=True)
class JudgeFacts:
    """The VLM whose eye looks, and phrases in the order of the heads.

    By phrase, the area under the ROC curve on held-out round trips, and the probability that
    real images with it reach; of sides and of the absence of other findings too, which have no
    head among the phrases.
    """

    eye: str
    phrases: tuple[str, ...]
    auroc: dict[str, float]
    thresholds: dict[str, float]
    held_out: int


@dataclass(frozen=True, kw_only=True)
class Visibility:
    """How likely a phrase is true of a picture, and whether real ones of it reach no more."""

    phrase: str
    probability: float
    threshold: float
    is_reached: bool


class Heads(nn.Linear):
    """A row a phrase; ``side`` looks at the halves of a picture, where it was taught."""

    side: nn.Linear | None

    def __init__(self, width: int, phrases: int) -> None:
        super().__init__(width, phrases)
        self.register_module("side", None)


class Judge:
    """An eye and heads; of the last pictures it knows what it saw, since all heads ask for it."""

    def __init__(self, eye: Eye, heads: Heads, facts: JudgeFacts) -> None:
        self.eye, self.heads, self.facts = eye.eval(), heads, facts
        self._seen: dict[bytes, torch.Tensor] = {}

    @torch.no_grad()
    def probabilities(self, pictures: Sequence[np.ndarray[Any, Any]]) -> list[dict[str, float]]:
        """Returns how likely each phrase is true of pictures of 8 bits, any size."""
        keys = [hashlib.sha256(picture.tobytes()).digest() for picture in pictures]
        if any(key not in self._seen for key in keys):
            self._seen = dict(zip(keys, look_at(self.eye, pictures).float(), strict=True))
        cells = torch.stack([self._seen[key] for key in keys])
        rows = self.heads(cells[:, 0]).sigmoid().tolist()
        found = [dict(zip(self.facts.phrases, row, strict=True)) for row in rows]
        if self.heads.side is not None:
            sides = side_probabilities(self.heads.side, cells)
            found = [one | two for one, two in zip(found, sides, strict=True)]
        return found

    def attribute(
        self, name: str, wanted: PromptFacts, found: Mapping[str, float]
    ) -> Visibility | None:
        """Say how likely one attribute of a prompt can be seen; None where it is not known.

        Of several findings the least visible counts; of none, that there is none.
        """
        if name == "absence":
            found = {**found, **absence(wanted, found)}
        known = [phrase for phrase in phrases_of(name, wanted)
                 if phrase in found and phrase in self.facts.thresholds]  # fmt: skip
        if not known:
            return None
        phrase = min(known, key=found.__getitem__)
        threshold = self.facts.thresholds[phrase]
        return Visibility(
            phrase=phrase,
            probability=round(found[phrase], 6),
            threshold=round(threshold, 6),
            is_reached=found[phrase] >= threshold,
        )

    def save(self, folder: Path) -> None:
        """Heads and facts; the eye is that of the VLM."""
        save_network(self.heads, self.facts, folder, name=NAME)

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, weights = read_network(JudgeFacts, folder, name=NAME, what=NAME)
        eye = load_vlm(facts.eye).model.model.vision_tower
        phrases, width = weights["weight"].shape
        heads = Heads(width, phrases)
        if "side.weight" in weights:
            heads.side = nn.Linear(width, 1)
        heads.load_state_dict(weights)
        return cls(eye, heads, facts)


def validate_absence(
    judge: "Judge", cells: np.ndarray, said: Sequence[Mapping[str, bool]]
) -> tuple[float, float] | None:
    """Returns the area and the threshold of the absence of others, on held-out round trips, N x F.

    Each finding of an image is asked for alone, as a prompt would: the area is between images
    that show no other finding and those that do. What shows nothing at all is left out: that is
    judged as a finding, and would flatter this.
    """
    with torch.no_grad():
        rows = judge.heads(torch.from_numpy(cells.astype(np.float32))).sigmoid().tolist()
    values, alone = [], []
    for row, known in zip(rows, said, strict=True):
        found = dict(zip(judge.facts.phrases, row, strict=True))
        present = [name for name in found if known.get(name) and name != NORMAL
                   and attribute_of(name) == "finding"]  # fmt: skip
        for name in present:
            value = absence(PromptFacts(findings=(name,)), found).get(NO_OTHER)
            if value is not None:
                values.append(value)
                alone.append(len(present) == 1)
    scores, truth = np.array(values), np.array(alone, dtype=bool)
    area = auroc(truth, scores) if values else None
    return None if area is None else (area, float(np.quantile(scores[truth], REFERENCE)))


def with_more(
    judge: Judge,
    *,
    others: tuple[float, float] | None,
    side: tuple[nn.Linear, SideFigures] | None,
) -> Judge:
    """Returns the judge with what was validated of the absence of others and of sides.

    A side's figure is the lower one of held-out patients and of the source it was not taught on.
    """
    areas, thresholds = dict(judge.facts.auroc), dict(judge.facts.thresholds)
    if others is not None:
        areas[NO_OTHER], thresholds[NO_OTHER] = others
    if side is not None:
        judge.heads.side, figures = side
        area = min(figures.area, figures.elsewhere or 1.0)
        areas |= dict.fromkeys(figures.thresholds, area)
        thresholds |= figures.thresholds
    return Judge(judge.eye, judge.heads, replace(judge.facts, auroc=areas, thresholds=thresholds))


def round_trip(
    autoencoder: AutoencoderKL, pictures: Sequence[np.ndarray[Any, Any]], *, side: int
) -> list[np.ndarray[Any, Any]]:
    """Pictures, side x side, as the generator's autoencoder gives them back."""
    passed: list[np.ndarray[Any, Any]] = []
    for start in range(0, len(pictures), AT_ONCE):
        part = pictures[start : start + AT_ONCE]
        with torch.no_grad():
            values = as_pixels(part, side=side)[:, :1]
            again = autoencoder.decode(autoencoder.encode(values).latent_dist.mode()).sample
        grey = ((again[:, 0].clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        passed += list(grey.numpy())
    return passed


def teach(
    vlm: OwnVlm, name: str, cells: np.ndarray, said: Sequence[Mapping[str, bool]], held: np.ndarray
) -> Judge:
    """Returns a head for each phrase of which enough is known; ``held`` images only validate.

    ``name`` is the VLM's; ``cells`` are what its eye saw of whole round trips, N x F.
    """
    phrases, rows, biases, areas, thresholds = [], [], [], {}, {}
    for phrase in sorted({name for known in said for name in known}):
        known = np.array([phrase in one for one in said])
        truth = np.array([one.get(phrase, False) for one in said])
        taught, asked = known & ~held, known & held
        if min(truth[taught].sum(), (~truth[taught]).sum()) < FEWEST:
            continue
        weight, bias = fit(cells[taught], truth[taught], strength=STRENGTH)
        scores = 1 / (1 + np.exp(-(cells[asked] @ weight + bias)))
        area = auroc(truth[asked], scores)
        if area is None:
            continue
        phrases.append(phrase)
        rows.append(weight)
        biases.append(bias)
        areas[phrase] = area
        thresholds[phrase] = float(np.quantile(scores[truth[asked]], REFERENCE))
    heads = Heads(cells.shape[1], len(phrases))
    with torch.no_grad():
        heads.weight.copy_(torch.from_numpy(np.stack(rows)))
        heads.bias.copy_(torch.tensor(biases))
    facts = JudgeFacts(
        eye=name,
        phrases=tuple(phrases),
        auroc=areas,
        thresholds=thresholds,
        held_out=int(held.sum()),
    )
    return Judge(vlm.eye, heads.requires_grad_(False), facts)
