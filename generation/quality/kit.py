"""The evaluation kit: figures of a model's candidates, each with an interval where it has one.

Candidates of one prompt are alike, so intervals leave whole prompts out in turn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from generation.measures.nearest_training_image import NearestTrainingImage
from generation.quality.diversity import mean_ms_ssim
from generation.quality.fid import fid
from generation.quality.kid import kid
from generation.quality.prdc import NEAREST_K, prdc
from generation.statistics.intervals import NORMAL_95, Interval, jackknife, share

MOST_COPIES = 0.05
ACROSS = 32
"""So many candidates of different prompts are compared with each other."""
PRDC_NAMES = ("precision", "recall", "density", "coverage")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A line of a report; bounds are None where a figure has no interval."""

    name: str
    label: str
    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""

    @classmethod
    def within(cls, name: str, label: str, found: Interval, *, note: str = "") -> "Figure":
        low, high = (None if np.isnan(bound) else bound for bound in (found.low, found.high))
        return cls(name=name, label=label, value=found.value, low=low, high=high, note=note)

    def __str__(self) -> str:
        bounds = "" if self.low is None else f" ({self.low:.3f} to {self.high:.3f})"
        return f"{self.label:34} {self.value:.3f}{bounds}{self.note and f'  {self.note}'}"


def as_share(found: Interval) -> Interval:
    """Cut bounds where a share ends; the jackknife's lie evenly about it and may go beyond."""
    return Interval(found.value, max(0.0, found.low), min(1.0, found.high))


def distribution(
    made: torch.Tensor, real: torch.Tensor, *, prompts: Sequence[str], whose: str, slug: str
) -> list[Figure]:
    """Compare features of candidates, N x D, with those of real images, M x D.

    ``whose`` says in words whose features they are, ``slug`` is part of the figures' names.
    """
    distance = kid(made, real)
    half = NORMAL_95 * distance.standard_error
    nearest_k = min(NEAREST_K, len(real) - 1, len(made) - 1)

    def over_prompts(statistic: Callable[[torch.Tensor], float]) -> Interval:
        return jackknife(lambda rows: statistic(made[torch.from_numpy(rows)]), groups=prompts)

    return [
        Figure(
            name=f"kid_{slug}",
            label=f"KID, {whose}",
            value=distance.value,
            low=distance.value - half,
            high=distance.value + half,
        ),
        Figure.within(
            f"fid_{slug}",
            f"FID, {whose}",
            over_prompts(lambda some: fid(some, real)),
            note=f"of {len(made)} and {len(real)} images, {made.shape[1]} features",
        ),
        *(
            Figure.within(
                f"{name}_{slug}",
                f"{name.capitalize()}, {whose}",
                found if name == "density" else as_share(found),
                note=f"k = {nearest_k}",
            )
            for name, found in (
                (name, over_prompts(partial(_of_prdc, real=real, name=name, nearest_k=nearest_k)))
                for name in PRDC_NAMES
            )
        ),
    ]


def _of_prdc(some: torch.Tensor, *, real: torch.Tensor, name: str, nearest_k: int) -> float:
    found: float = getattr(prdc(some, real, nearest_k=min(nearest_k, len(some) - 1)), name)
    return found


def real_distances(
    one: torch.Tensor, other: torch.Tensor, *, whose: str, slug: str
) -> list[Figure]:
    """Say how far real images lie from other real ones, N x D and M x D: as near as can be had."""
    distance = kid(one, other)
    half = NORMAL_95 * distance.standard_error
    low, high = distance.value - half, distance.value + half
    return [
        Figure(name=f"kid_{slug}", label=f"KID, {whose}", value=distance.value, low=low, high=high),
        Figure(
            name=f"fid_{slug}",
            label=f"FID, {whose}",
            value=fid(one, other),
            note=f"of {len(one)} and {len(other)} images",
        ),
    ]


def memorisation(nearest: NearestTrainingImage, pictures: Sequence[np.ndarray]) -> list[Figure]:
    """Say how near candidates come to training images, beside what counts as a copy."""
    similarity, indexes = nearest.similarity(pictures)
    copies = int((similarity > nearest.threshold).sum())
    return [
        Figure.within(
            "copies",
            "Copies",
            share(copies, len(pictures)),
            note=f"at most {MOST_COPIES:.0%}",
        ),
        Figure(
            name="similarity",
            label="Similarity, median",
            value=float(similarity.median()),
            note=f"a copy above {nearest.threshold:.3f}",
        ),
        Figure(
            name="nearest_distinct",
            label="Nearest training images, distinct",
            value=float(len(indexes.unique())),
        ),
    ]


def diversity(pictures: Sequence[np.ndarray], *, seeds: int) -> list[Figure]:
    """MS-SSIM within and between prompts; candidates of one prompt stand together."""
    groups = [pictures[start : start + seeds] for start in range(0, len(pictures), seeds)]
    return [
        Figure(name="ms_ssim", label="MS-SSIM, one prompt", value=mean_ms_ssim(groups)),
        Figure(
            name="ms_ssim_across",
            label="MS-SSIM, all prompts",
            value=mean_ms_ssim([pictures[::seeds][:ACROSS]]),
        ),
    ]
