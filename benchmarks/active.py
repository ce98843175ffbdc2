"""Readings that a reward model needs: cases in an active order against a shuffled one.

Candidates of the bundled model, four to a case; simulated readers score them. In rounds, some
cases are read, the reward model learns anew from all readings so far, and the next round is
chosen: at random, or as a pool whose order is active draws (epsilon-greedy by the heads'
disagreement, the value and share as there). After every round the model foretells which of two
candidates of unseen prompts the readers' taste prefers. Both orders begin with the same round.

``active_ratio`` is how many readings the shuffled order needs for one that the active order
needs, at the accuracy that the worse of the two reaches in the end; intervals are over seeds,
each with readers, prompts and orders of its own.

``python -m benchmarks.active --candidates FILE.npz`` keeps the candidates between runs.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.isotonic import IsotonicRegression

from benchmarks.rows import Row
from generation.conditioning.prompts import default_prompts
from generation.diffusion.loading import BUNDLED_FOLDER, load_pipeline
from generation.diffusion.sampling import sample
from generation.measures.appearance import small_grey
from generation.rewards.acquisition import preference_disagreement
from generation.rewards.conditions import embed_prompts
from generation.rewards.reward_model import Heads
from generation.rewards.reward_training import train_heads
from generation.rewards.scored_pairs import GroupSplit, ScoredPairs
from generation.rewards.tastes import readers_taste
from generation.rewards.trunks import load_trunk
from generation.specs import BUNDLED, ModelSource, RewardModelSpec, SampleSpec
from generation.training.devices import device, dtype_for

PROMPTS = 72
IMAGES_A_PROMPT = 12
IMAGES_A_CASE = 4
HELD_OUT_PROMPTS = 20
READERS = 3
SEEDS = 24
ROUNDS = 12
READ_A_ROUND = 8
EXPLORATION = 0.2
RESAMPLES = 2_000
SPEC = RewardModelSpec(preferences="-", trunk="-")

Curves = np.ndarray
"""Accuracies, one row a seed and one column a round."""


@dataclass(frozen=True)
class Candidates:
    """Features N x F and conditions N x C of candidates, prompt by prompt, and their tastes."""

    features: torch.Tensor
    conditions: torch.Tensor
    tastes: np.ndarray

    def of_prompt(self, prompt: int) -> range:
        return range(prompt * IMAGES_A_PROMPT, (prompt + 1) * IMAGES_A_PROMPT)


@dataclass
class Lesson:
    """What was read: pairs and scores by the images' numbers, with their prompts."""

    winner: list[int] = field(default_factory=list)
    loser: list[int] = field(default_factory=list)
    group: list[int] = field(default_factory=list)
    rated: list[int] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    rated_group: list[int] = field(default_factory=list)

    def add(self, images: Sequence[int], scores: Sequence[int], *, prompt: int) -> None:
        self.rated += images
        self.score += map(float, scores)
        self.rated_group += [prompt] * len(images)
        for one, other in combinations(range(len(images)), 2):
            if scores[one] != scores[other]:
                winner, loser = (one, other) if scores[one] > scores[other] else (other, one)
                self.winner.append(images[winner])
                self.loser.append(images[loser])
                self.group.append(prompt)


@dataclass(frozen=True)
class World:
    """One seed's prompts, cases and readers."""

    candidates: Candidates
    seed: int
    held_out: tuple[int, ...]
    cases: tuple[tuple[int, ...], ...]
    readers: tuple[Any, ...]

    @classmethod
    def drawn(cls, candidates: Candidates, *, seed: int) -> "World":
        from feedback_app.rehearsal.simulation import LENIENCY_SPREAD, NOISE_RANGE, Temperament

        rng = Random(seed)
        prompts = rng.sample(range(PROMPTS), PROMPTS)
        cases = []
        for prompt in prompts[HELD_OUT_PROMPTS:]:
            images = rng.sample(candidates.of_prompt(prompt), IMAGES_A_PROMPT)
            cases += [
                tuple(images[first : first + IMAGES_A_CASE])
                for first in range(0, IMAGES_A_PROMPT, IMAGES_A_CASE)
            ]
        readers = tuple(
            Temperament(leniency=rng.gauss(0, LENIENCY_SPREAD), noise=rng.uniform(*NOISE_RANGE))
            for _ in range(READERS)
        )
        held_out = tuple(prompts[:HELD_OUT_PROMPTS])
        return cls(candidates, seed, held_out, tuple(rng.sample(cases, len(cases))), readers)

    def curve(self, *, is_active: bool) -> list[float]:
        """Held-out accuracy after every round."""
        rng = Random(f"{self.seed}:order")
        free = list(range(len(self.cases)))
        lesson, accuracies = Lesson(), []
        values: np.ndarray | None = None
        for _ in range(ROUNDS):
            for _ in range(READ_A_ROUND):
                case = choose(free, values=values, rng=rng)
                free.remove(case)
                self.read(case, lesson)
            heads = self.taught(lesson)
            accuracies.append(self.accuracy(heads))
            values = self.values(heads) if is_active else None
        return accuracies

    def read(self, case: int, lesson: Lesson) -> None:
        """By one reader, the same one with the same noise in every order."""
        rng = Random(f"{self.seed}:case {case}")
        reader = rng.choice(self.readers)
        images = self.cases[case]
        scores = [reader.score(float(self.candidates.tastes[image]), rng) for image in images]
        lesson.add(images, scores, prompt=images[0] // IMAGES_A_PROMPT)

    def taught(self, lesson: Lesson) -> Heads:
        used = sorted({*lesson.rated})
        place = {image: number for number, image in enumerate(used)}
        scored = ScoredPairs(
            features=self.candidates.features[used],
            conditions=self.candidates.conditions[used],
            winner=torch.tensor([place[image] for image in lesson.winner]),
            loser=torch.tensor([place[image] for image in lesson.loser]),
            group=torch.tensor(lesson.group),
            pair_weight=torch.ones(len(lesson.winner)),
            rated=torch.tensor([place[image] for image in lesson.rated]),
            score=torch.tensor(lesson.score),
            rated_group=torch.tensor(lesson.rated_group),
            score_weight=torch.ones(len(lesson.rated)),
        )
        every = GroupSplit(
            training=frozenset(lesson.group), calibration=frozenset(), test=frozenset()
        )
        return train_heads(scored, every, SPEC, report=lambda step, figures: None)

    @torch.no_grad()
    def utilities(self, heads: Heads, images: Sequence[int]) -> np.ndarray:
        """M x N."""
        chosen = list(images)
        found = heads(self.candidates.features[chosen], self.candidates.conditions[chosen])
        utilities: np.ndarray = found.double().numpy()
        return utilities

    def values(self, heads: Heads) -> np.ndarray:
        every = self.utilities(heads, [image for case in self.cases for image in case])
        of_cases = np.split(every, len(self.cases), axis=1)
        return np.array([preference_disagreement(utilities) for utilities in of_cases])

    def accuracy(self, heads: Heads) -> float:
        """Returns how many pairs of one unseen prompt the heads' mean orders as the taste does."""
        right = []
        for prompt in self.held_out:
            images = self.candidates.of_prompt(prompt)
            foretold = self.utilities(heads, images).mean(0)
            tastes = self.candidates.tastes[images.start : images.stop]
            right += [
                (foretold[one] - foretold[other]) * (tastes[one] - tastes[other]) > 0
                for one, other in combinations(range(len(images)), 2)
            ]
        return float(np.mean(right))


def choose(free: Sequence[int], *, values: np.ndarray | None, rng: Random) -> int:
    """Picks the highest value, or draws; where there are no values, it always draws."""
    by_lot, explores = rng.choice(free), rng.random() < EXPLORATION
    if values is None or explores:
        return by_lot
    return max(free, key=lambda case: values[case])


def readings_for(accuracy: float, curve: np.ndarray) -> float:
    """Returns how many readings it takes, along the rising curve nearest to the measured one."""
    readings = READ_A_ROUND * np.arange(1, len(curve) + 1)
    rising = IsotonicRegression().fit_transform(readings, curve)
    return float(np.interp(accuracy, *_strictly(rising, readings)))


def _strictly(rising: np.ndarray, readings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the curve is flat, its first reading alone."""
    kept = np.concatenate([[True], np.diff(rising) > 0])
    return rising[kept], readings[kept]


def ratio_of(shuffled: Curves, active: Curves) -> float:
    """Readings in the shuffled order for each in the active one, at the same accuracy."""
    means = shuffled.mean(0), active.mean(0)
    reached = min(
        float(IsotonicRegression().fit_transform(np.arange(len(mean)), mean)[-1]) for mean in means
    )
    return readings_for(reached, means[0]) / readings_for(reached, means[1])


def over_seeds(shuffled: Curves, active: Curves) -> tuple[np.ndarray, np.ndarray]:
    """Ratios and mean gains in accuracy of seeds drawn anew, both orders of a seed together."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(shuffled), (RESAMPLES, len(shuffled)))
    ratios = np.array([ratio_of(shuffled[rows], active[rows]) for rows in drawn])
    gains = (active - shuffled)[:, 1:].mean(1)[drawn].mean(1)
    return ratios, gains


def run(*, candidates: Path | None = None) -> list[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback_app.settings")
    import django

    django.setup()
    known = load_candidates(candidates)
    worlds = [World.drawn(known, seed=seed) for seed in range(SEEDS)]
    shuffled = np.array([world.curve(is_active=False) for world in worlds])
    active = np.array([world.curve(is_active=True) for world in worlds])
    return rows_of(shuffled, active)


def rows_of(shuffled: Curves, active: Curves) -> list[Row]:
    ratios, gains = over_seeds(shuffled, active)
    gain = 100 * float((active - shuffled)[:, 1:].mean())
    rows = [
        Row(name="active_ratio", value=ratio_of(shuffled, active), unit="readings"),
        Row(name="active_ratio_low", value=float(np.quantile(ratios, 0.025)), unit="readings"),
        Row(name="active_ratio_high", value=float(np.quantile(ratios, 0.975)), unit="readings"),
        Row(name="active_gain", value=gain, unit="% points"),
        Row(name="active_gain_low", value=100 * float(np.quantile(gains, 0.025)), unit="% points"),
        Row(name="active_gain_high", value=100 * float(np.quantile(gains, 0.975)), unit="% points"),
    ]
    return rows + [
        Row(
            name=f"active_accuracy_{READ_A_ROUND * (number + 1)}",
            value=100 * float(active[:, number].mean()),
            unit="% of pairs",
            baseline=100 * float(shuffled[:, number].mean()),
        )
        for number in range(ROUNDS)
    ]


def load_candidates(path: Path | None) -> Candidates:
    """Made by the bundled model, or as they were made before."""
    prompts = [prompt for prompt in default_prompts() for _ in range(IMAGES_A_PROMPT)]
    if path is not None and path.exists():
        pictures = list(np.load(path)["pictures"])
    else:
        pictures = make(prompts)
        if path is not None:
            np.savez_compressed(path, pictures=np.stack(pictures))
    trunk = load_trunk(str(BUNDLED_FOLDER / "proxy" / "classifier"))
    tastes = [readers_taste(small_grey(Image.fromarray(picture))) for picture in pictures]
    return Candidates(trunk.features(pictures), embed_prompts(prompts), np.array(tastes))


def make(prompts: Sequence[str]) -> list[np.ndarray]:
    here = device()
    pipeline = load_pipeline(ModelSource(base=BUNDLED), device=str(here), dtype=dtype_for(here))
    return sample(pipeline, [SampleSpec(prompt=prompt, seed=n) for n, prompt in enumerate(prompts)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=Path, help="a file that keeps them between runs")
    for row in run(candidates=parser.parse_args().candidates):
        shuffled = f" ({row.baseline:.2f} shuffled)" if row.baseline else ""
        print(f"{row.name:28} {row.value:8.2f} {row.unit}{shuffled}")
