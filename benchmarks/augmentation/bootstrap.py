"""Gains with intervals: paired over test patients and seeds.

A replicate draws test patients with replacement, and seeds; both arms are measured on the
same draw. Dice is a mean over images; macro F1 is computed anew from what was said of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

REPLICATES = 4_000
LEVEL = 0.95


@dataclass(frozen=True)
class Said:
    """Of one arm: S x N by seed and test image; ``values`` are Dice, or what was said (0, 1)."""

    values: np.ndarray
    truth: np.ndarray | None

    def figures(self, weights: np.ndarray) -> np.ndarray:
        """B x S, of weights B x N: how often each image was drawn."""
        if self.truth is None:
            mean: np.ndarray = weights @ self.values.T / weights.sum(1, keepdims=True)
            return mean
        there, said = self.truth.astype(float), self.values.astype(float)
        presence = _f1(weights, there, said)
        return (presence + _f1(weights, 1 - there, 1 - said)) / 2


def _f1(weights: np.ndarray, there: np.ndarray, said: np.ndarray) -> np.ndarray:
    hits = weights @ (there * said).T
    total = weights @ (there[None] + said).T
    return np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)


@dataclass(frozen=True, kw_only=True)
class Gain:
    """``p_two_sided`` is the bootstrap's, ``p_t_one_tailed`` of a paired t-test over seeds."""

    without: float
    value: float
    low: float
    high: float
    p_two_sided: float
    p_t_one_tailed: float
    seeds: int
    images: int
    patients: int


def gain(without: Said, with_: Said, patients: Sequence[str], *, seed: int = 0) -> Gain:
    """Of the second arm over the first, the same seeds and test images in the same order."""
    generator = np.random.default_rng(seed)
    seeds, images = without.values.shape
    weights = patient_weights(patients, generator)
    differences = with_.figures(weights) - without.figures(weights)
    drawn = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=REPLICATES)
    replicates = (differences * drawn).sum(1) / seeds
    whole = np.ones((1, images))
    first, second = without.figures(whole)[0], with_.figures(whole)[0]
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    tail = min((replicates <= 0).mean(), (replicates >= 0).mean())
    return Gain(
        without=float(first.mean()),
        value=float((second - first).mean()),
        low=float(low),
        high=float(high),
        p_two_sided=float(min(1.0, 2 * max(tail, 1 / REPLICATES))),
        p_t_one_tailed=float(stats.ttest_rel(second, first, alternative="greater").pvalue),
        seeds=seeds,
        images=images,
        patients=len(set(patients)),
    )


def patient_weights(patients: Sequence[str], generator: np.random.Generator) -> np.ndarray:
    """How often each image is in a replicate: B x N; images of a patient come together."""
    _, index = np.unique(np.asarray(patients), return_inverse=True)
    count = int(index.max()) + 1
    drawn = generator.multinomial(count, np.full(count, 1 / count), size=REPLICATES)
    weights: np.ndarray = drawn[:, index].astype(float)
    return weights


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment, in the order given."""
    order = np.argsort(p_values)
    adjusted = np.empty(len(p_values))
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return [float(value) for value in adjusted]
