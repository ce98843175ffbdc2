"""How much one arm gains on another, for other test patients and other seeds.

Both arms of a pair are measured on the same patients, and at each seed on the same real
images; a resample draws patients once for both arms and all seeds.
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
MIN_DEFINED = 2
"""Resamples in which the figure is defined, or its spread is not known."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The variance of a mean difference over other patients and other seeds, in its parts.

    Patients react to seeds, and that interaction is in both of what is seen: ``of_patients``
    is the variance of the mean over seeds when patients are drawn again, ``of_seeds`` that of
    the seeds' differences over their number, and ``of_one_seed`` the mean variance of a single
    seed's difference when patients are drawn again. The sum of the first two counts the
    interaction twice, once by (of_one_seed - of_patients) / (S - 1): Owen, Ann. Appl. Stat. 1
    (2007) 386-411, on two crossed factors. It is not less than the patients' part.
    """

    of_patients: float
    of_seeds: float
    of_one_seed: float
    seeds: int

    @classmethod
    def of(cls, differences: Floats, replicates: Floats) -> "Spread":
        """From S differences and their S x B resamples; NaN where these are not defined."""
        seeds, defined = len(differences), np.isfinite(replicates).all(axis=0)
        drawn = replicates[:, defined]
        if seeds == 0 or drawn.shape[1] < MIN_DEFINED:
            return cls(of_patients=np.nan, of_seeds=np.nan, of_one_seed=np.nan, seeds=seeds)
        return cls(
            of_patients=float(drawn.mean(axis=0).var(ddof=1)),
            of_seeds=float(differences.var(ddof=1)) / seeds if seeds > 1 else 0.0,
            of_one_seed=float(drawn.var(axis=1, ddof=1).mean()),
            seeds=seeds,
        )

    @property
    def interaction(self) -> float:
        """The part that patients and seeds have only together."""
        return (self.of_one_seed - self.of_patients) / (self.seeds - 1) if self.seeds > 1 else 0.0

    @property
    def variance(self) -> float:
        return max(self.of_patients, self.of_patients + self.of_seeds - self.interaction)

    @property
    def error(self) -> float:
        return float(np.sqrt(self.variance))

    def freedom(self, patients: int) -> float:
        """Infinite where there is no spread to be estimated; NaN for a single patient."""
        if patients < 2:
            return np.nan
        parts = self.of_patients**2 / (patients - 1)
        parts += self.of_seeds**2 / (self.seeds - 1) if self.seeds > 1 else 0.0
        return self.variance**2 / parts if parts else np.inf


@dataclass(frozen=True, kw_only=True)
class Gain:
    """A mean difference over seeds, positive where the arm is better.

    ``p_value`` is one-sided, against no gain; ``cohens_d`` is of paired differences,
    ``hedges_g`` of the two arms' figures over seeds. NaN is what cannot be told. ``spread``
    has the parts of the error.
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
    spread: Spread | None = None

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
    """Returns the figures of these outcomes, all under the same draws; of a group's members
    alone.
    """
    replicates = np.empty((len(outcomes), resamples))
    for part, weights in draws(images, resamples=resamples):
        chosen = weights if members is None else weights * members
        for row, outcome in enumerate(outcomes):
            replicates[row, part] = metric.under(outcome, chosen)
    values = np.array([metric.value(outcome, members) for outcome in outcomes])
    return Resampled(values, replicates)


def gain(arm: Resampled, reference: Resampled, *, sign: int = 1, patients: int) -> Gain:
    """Measures how much an arm gains on a reference at the same seeds, in the same order.

    The interval is the estimate and Student's t times the standard error. Degrees of freedom
    are Satterthwaite's, from the patients' part of it and the seeds'.
    """
    differences = sign * (arm.values - reference.values)
    value = float(differences.mean()) if len(differences) else np.nan
    spread = Spread.of(differences, sign * (arm.replicates - reference.replicates))
    error, freedom = spread.error, spread.freedom(patients)
    low, high, p_value = _interval(value, error=error, freedom=freedom)
    return Gain(
        value=value,
        low=low,
        high=high,
        p_value=p_value,
        standard_error=error,
        cohens_d=cohens_d(differences),
        hedges_g=sign * hedges_g(arm.values, reference.values),
        seeds=len(differences),
        patients=patients,
        spread=None if np.isnan(error) else spread,
    )


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
    """Returns the difference of means over the pooled deviation, without its small-sample bias.

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
