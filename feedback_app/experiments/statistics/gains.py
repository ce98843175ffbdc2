"""How much one arm gains on another: paired bootstrap over test patients and seeds.

Both arms of a pair are measured on the same patients, and at each seed on the same real
images; a resample draws patients and seeds once for both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from feedback_app.experiments.statistics.metrics import Metric
from feedback_app.experiments.statistics.predictions import (
    MIN_PATIENTS,
    MIN_SEEDS,
    Bools,
    Floats,
    Outcome,
    TestImages,
)
from feedback_app.statistics.bootstrap import times_drawn

RESAMPLES = 2_000
SEED = 20_241_127
CELLS_A_CHUNK = 4_000_000
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Gain:
    """A mean difference over seeds, positive where the arm is better.

    ``p_value`` is one-sided, against no gain; ``cohens_d`` is of paired differences,
    ``hedges_g`` of the two arms' figures over seeds. NaN is what cannot be told.
    """

    value: float
    low: float
    high: float
    p_value: float
    standard_error: float
    cohens_d: float
    hedges_g: float
    seeds: int
    patients: int

    @property
    def is_enough(self) -> bool:
        """Whether there are seeds and patients enough to conclude anything."""
        return self.seeds >= MIN_SEEDS and self.patients >= MIN_PATIENTS

    @property
    def is_known(self) -> bool:
        return not np.isnan(self.value)


@dataclass(frozen=True)
class Resampled:
    """One arm at one size and ratio: its figure at each of S seeds, and in B resamples: S x B."""

    values: Floats
    replicates: Floats


def draws(images: TestImages, *, resamples: int = RESAMPLES) -> Iterator[tuple[slice, Floats]]:
    """Weights of images when whole patients are drawn with replacement, part by part."""
    rng = np.random.default_rng(SEED)
    patients = images.patient_count
    at_once = max(1, CELLS_A_CHUNK // max(1, len(images.image_ids)))
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        drawn = times_drawn(rng, patients, resamples=count)
        yield slice(start, start + count), drawn[:, images.patients].astype(np.float64)


def resample(
    metric: Metric,
    outcomes: Sequence[Outcome],
    images: TestImages,
    *,
    members: Bools | None = None,
    resamples: int = RESAMPLES,
) -> Resampled:
    """The figures of these outcomes, all under the same draws; of a group's members alone."""
    replicates = np.empty((len(outcomes), resamples))
    for part, weights in draws(images, resamples=resamples):
        chosen = weights if members is None else weights * members
        for row, outcome in enumerate(outcomes):
            replicates[row, part] = metric.under(outcome, chosen)
    values = np.array([metric.value(outcome, members) for outcome in outcomes])
    return Resampled(values, replicates)


def gain(arm: Resampled, reference: Resampled, *, sign: int = 1, patients: int) -> Gain:
    """Measures how much an arm gains on a reference at the same seeds, in the same order.

    The interval is the estimate and Student's t times the standard error of the joint
    resamples. Of S seeds S - 1 are drawn, which makes the seeds' part of it unbiased (Rao
    and Wu, JASA 83 (1988) 231-241). Degrees of freedom are Satterthwaite's, from the seeds'
    part and the patients'.
    """
    differences = sign * (arm.values - reference.values)
    seeds = len(differences)
    value = float(differences.mean()) if seeds else np.nan
    error, freedom = _error(
        differences, sign * (arm.replicates - reference.replicates), patients=patients
    )
    low, high, p_value = _interval(value, error=error, freedom=freedom)
    return Gain(
        value=value,
        low=low,
        high=high,
        p_value=p_value,
        standard_error=error,
        cohens_d=cohens_d(differences),
        hedges_g=sign * hedges_g(arm.values, reference.values),
        seeds=seeds,
        patients=patients,
    )


def _error(differences: Floats, replicates: Floats, *, patients: int) -> tuple[float, float]:
    """The standard error of the mean difference, and its degrees of freedom."""
    seeds = len(differences)
    if seeds == 0 or patients < 2:
        return np.nan, np.nan
    of_seeds = float(differences.var(ddof=1)) / seeds if seeds > 1 else 0.0
    joint = _jointly(replicates)
    joint = joint[np.isfinite(joint)]
    if len(joint) < 2:
        return np.nan, np.nan
    variance = float(joint.var(ddof=1))
    of_patients = max(variance - of_seeds, 0.0)
    if variance == 0:
        return 0.0, np.nan
    of_seeds = variance - of_patients
    spread = of_patients**2 / (patients - 1)
    if seeds > 1:
        spread += of_seeds**2 / (seeds - 1)
    return float(np.sqrt(variance)), variance**2 / spread


def _jointly(replicates: Floats) -> Floats:
    """The mean over seeds that are drawn too, one fewer than there are; B."""
    seeds, count = replicates.shape
    if seeds == 1:
        return replicates[0]
    rng = np.random.default_rng(SEED + 1)
    drawn = rng.multinomial(seeds - 1, np.full(seeds, 1 / seeds), size=count).T
    weights = np.where(np.isfinite(replicates), drawn, 0)
    total = weights.sum(axis=0)
    sums = (weights * np.nan_to_num(replicates)).sum(axis=0)
    return np.divide(sums, total, out=np.full(count, np.nan), where=total > 0)


def _interval(value: float, *, error: float, freedom: float) -> tuple[float, float, float]:
    """Its ends, and the one-sided p of no gain; no spread at all is no gain only at 0."""
    if np.isnan(error) or np.isnan(value):
        return np.nan, np.nan, np.nan
    if error == 0:
        return value, value, 1.0 if value <= 0 else np.nan
    reach = float(student.ppf((1 + LEVEL) / 2, freedom)) * error
    return value - reach, value + reach, float(student.sf(value / error, freedom))


def cohens_d(differences: Floats) -> float:
    """Divides the mean of paired differences by their standard deviation; NaN without spread."""
    if len(differences) < 2:
        return np.nan
    deviation = differences.std(ddof=1)
    return float(differences.mean() / deviation) if deviation > 0 else np.nan


def hedges_g(first: Floats, second: Floats) -> float:
    """The difference of means over the pooled deviation, without its small-sample bias.

    Hedges, J. Educ. Stat. 6 (1981) 107-128, with J = 1 - 3 / (4 (n1 + n2 - 2) - 1).
    """
    freedom = len(first) + len(second) - 2
    if min(len(first), len(second)) < 2:
        return np.nan
    squares = ((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum()
    pooled = np.sqrt(squares / freedom)
    if not pooled > 0:
        return np.nan
    return float((first.mean() - second.mean()) / pooled * (1 - 3 / (4 * freedom - 1)))
