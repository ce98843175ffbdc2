"""Which gain an experiment can find, and how many seeds or test patients a gain needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.stats import t as student

from feedback_app.experiments.statistics.gains import Spread
from feedback_app.experiments.statistics.predictions import MIN_PATIENTS, MIN_SEEDS

POWER = 0.8
MOST_SEEDS, MOST_PATIENTS = 100, 100_000


@dataclass(frozen=True, kw_only=True)
class Components:
    """Variances of a difference: of one seed, of one patient, and of the two together."""

    of_seed: float
    of_patient: float
    together: float

    @classmethod
    def of(cls, spread: Spread, *, patients: int) -> Self:
        """From what an experiment showed; a part that came out below zero is none."""
        together = max(spread.interaction, 0.0)
        return cls(
            of_seed=max(spread.of_seeds - together, 0.0) * spread.seeds,
            of_patient=max(spread.of_patients - together, 0.0) * patients,
            together=together * spread.seeds * patients,
        )

    @classmethod
    def mean(cls, found: "list[Components]") -> Self:
        return cls(
            of_seed=float(np.mean([one.of_seed for one in found])),
            of_patient=float(np.mean([one.of_patient for one in found])),
            together=float(np.mean([one.together for one in found])),
        )

    def spread(self, seeds: int, patients: int) -> Spread:
        """Returns what such an experiment is expected to show."""
        together = self.together / (seeds * patients)
        of_patients = self.of_patient / patients + together
        return Spread(
            of_patients=of_patients,
            of_seeds=self.of_seed / seeds + together if seeds > 1 else 0.0,
            of_one_seed=of_patients + together * (seeds - 1),
            seeds=seeds,
        )


@dataclass(frozen=True)
class Planner:
    """Works out power by what is known of the variance; tests are one-sided."""

    components: Components

    def detectable(self, *, seeds: int, patients: int, alpha: float) -> float:
        """Returns the gain that is significant in 80 % of such experiments; NaN where there are
        too few.
        """
        if seeds < 1 or patients < 2:
            return float("nan")
        spread = self.components.spread(seeds, patients)
        freedom = spread.freedom(patients)
        reach = student.ppf(1 - alpha, freedom) + student.ppf(POWER, freedom)
        return float(reach) * spread.error

    def seeds_for(self, gain: float, *, patients: int, alpha: float) -> int | None:
        """Returns the fewest seeds; None where no number of them is enough with so few patients."""

        def is_found(seeds: int) -> bool:
            return self.detectable(seeds=seeds, patients=patients, alpha=alpha) <= gain

        return least(is_found, low=MIN_SEEDS, high=MOST_SEEDS)

    def patients_for(self, gain: float, *, seeds: int, alpha: float) -> int | None:
        """Returns the fewest test patients; None where no number of them is enough with so few
        seeds.
        """

        def is_found(patients: int) -> bool:
            return self.detectable(seeds=seeds, patients=patients, alpha=alpha) <= gain

        return least(is_found, low=MIN_PATIENTS, high=MOST_PATIENTS)


def least(holds: Callable[[int], bool], *, low: int, high: int) -> int | None:
    """Returns the least number of the range for which it holds, as for every larger one."""
    if not holds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
