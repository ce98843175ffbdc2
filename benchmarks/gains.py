"""Do both statistics of an experiment call a gain what is one, and nothing else?

Simulated experiments in which seeds, test patients and what the two have together vary by
known amounts, so that the true standard error is known. Without a gain at most 5 % may be
significant; with one of the size that a test of known error finds in 80 % of experiments,
nearly as many have to be found. The paper's t-test over seeds sees no patients: what it calls
significant beyond 5 % is what it does not know.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import norm

from benchmarks.rows import Row
from feedback_app.experiments.statistics.gains import Gain, Resampled, gain
from feedback_app.experiments.statistics.paper import seed_test
from feedback_app.statistics.bootstrap import Floats, times_drawn

EXPERIMENTS = 1_000
RESAMPLES = 400
ALPHA, POWER = 0.05, 0.8
DESIGNS = ((3, 80), (5, 48), (10, 48), (10, 400), (20, 48))
"""Seeds and test patients."""


@dataclass(frozen=True)
class Spreads:
    """Standard deviations of a difference: over seeds, over patients, and of both together."""

    of_seeds: float
    of_patients: float
    together: float

    def error(self, seeds: int, patients: int) -> float:
        """Returns the true standard error of the mean difference."""
        variance = self.of_seeds**2 / seeds + self.of_patients**2 / patients
        return float(np.sqrt(variance + self.together**2 / (seeds * patients)))

    def drawn(self, seeds: int, patients: int, rng: np.random.Generator) -> Floats:
        """Returns the differences of one experiment, S x P."""
        of_seeds = rng.normal(0, self.of_seeds, (seeds, 1))
        of_patients = rng.normal(0, self.of_patients, (1, patients))
        return of_seeds + of_patients + rng.normal(0, self.together, (seeds, patients))


SPREADS = (Spreads(0.05, 0.15, 0.5), Spreads(0.02, 0.2, 0.2), Spreads(0.1, 0.05, 0.1))


@dataclass(frozen=True)
class Found:
    """What both modes said of one experiment, without a gain and with one."""

    null: Gain
    p_seeds: float
    shifted: Gain
    p_seeds_shifted: float
    true_error: float


def experiments(count: int) -> Iterator[Found]:
    for (seeds, patients), spreads in product(DESIGNS, SPREADS):
        error = spreads.error(seeds, patients)
        shift = float(norm.ppf(1 - ALPHA) + norm.ppf(POWER)) * error
        for number in range(count):
            rng = np.random.default_rng([number, seeds, patients])
            differences = spreads.drawn(seeds, patients, rng)
            weights = times_drawn(rng, patients, resamples=RESAMPLES) / patients
            values, replicates = differences.mean(axis=1), differences @ weights.T
            found = [told(values + by, replicates + by, patients) for by in (0.0, shift)]
            yield Found(*found[0], *found[1], error)


def told(values: Floats, replicates: Floats, patients: int) -> tuple[Gain, float]:
    nothing = Resampled(np.zeros_like(values), np.zeros_like(replicates))
    of_both = gain(Resampled(values, replicates), nothing, patients=patients)
    return of_both, seed_test(values, nothing.values).p_value


def run(count: int = EXPERIMENTS) -> list[Row]:
    found = list(experiments(count))
    errors = np.mean([one.null.standard_error**2 / one.true_error**2 for one in found])
    shares = {
        "gains_false_alarms": [one.null.p_value < ALPHA for one in found],
        "gains_false_alarms_over_seeds": [one.p_seeds < ALPHA for one in found],
        "gains_coverage": [one.null.low <= 0 <= one.null.high for one in found],
        "gains_power": [one.shifted.p_value < ALPHA for one in found],
        "gains_power_over_seeds": [one.p_seeds_shifted < ALPHA for one in found],
    }
    wanted = {"gains_coverage": 95.0, "gains_power": 80.0, "gains_power_over_seeds": 80.0}
    rows = [
        Row(
            name=name,
            value=100 * float(np.mean(held)),
            unit="% of experiments",
            baseline=wanted.get(name, 5.0),
        )
        for name, held in shares.items()
    ]
    return [*rows, Row(name="gains_error_ratio", value=float(np.sqrt(errors)), unit="of the truth")]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=EXPERIMENTS)
    for row in run(parser.parse_args().experiments):
        print(f"{row.name:32} {row.value:6.2f} {row.unit}")
