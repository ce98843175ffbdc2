"""Do the agreement page's 95 % intervals hold the truth 95 % of the time?

Simulated studies of 6 readers x 200 cases, whose leniency and noise are known, rated on
two criteria with a fifth of the cases repeated. The truth is what the same readers show
on a very large study: agreement is a property of these readers over all such cases.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import krippendorff
import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa

from benchmarks.rows import Row
from feedback_app.statistics.agreement import agreement, retest
from feedback_app.statistics.bootstrap import Estimate, Floats
from feedback_app.statistics.leniency import leniencies

STUDIES = 50
READERS = 6
CASES = 200
CASES_OF_THE_TRUTH = 25_000
REPEATED = 0.2
CRITERIA = 2
LEVELS = 6
WANTED = (0.90, 0.99)
DESIGNS = {"": 1.0, "_unbalanced": 0.5}
"""By suffix of the figure's name: the share of readers who read a case."""


@dataclass(frozen=True)
class Readers:
    """``leniency`` is added to what an image is worth; ``noise`` is a standard deviation."""

    leniency: Floats
    noise: Floats

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Readers":
        return cls(rng.normal(0, 0.4, READERS), rng.uniform(0.3, 1.0, READERS))

    def score(self, worth: Floats, rng: np.random.Generator) -> Floats:
        felt = worth[:, None] + self.leniency + rng.normal(size=(len(worth), READERS)) * self.noise
        return np.clip(np.rint(felt), 0, LEVELS - 1)

    def read_twice(self, cases: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Scores of (cases, readers), and those of a second, independent reading."""
        worth = rng.normal(2.5, 1.2, cases)
        return self.score(worth, rng), self.score(worth, rng)


def truth_of(readers: Readers, rng: np.random.Generator) -> dict[str, list[float]]:
    scores, again = readers.read_twice(CASES_OF_THE_TRUTH, rng)
    single, mean = _intraclass(scores)
    return {
        "alpha": [krippendorff.alpha(scores.T, level_of_measurement="ordinal")],
        "mean_kappa": [float(np.mean([_kappa(scores[:, i], scores[:, j]) for i, j in _pairs()]))],
        "icc_single": [single],
        "icc_mean": [mean],
        "leniency": list(scores.mean(axis=0) - scores.mean()),
        "retest_kappa": [_kappa(scores.ravel(), again.ravel())],
        "retest_difference": [float(np.abs(scores - again).mean())],
    }


def _pairs() -> Iterator[tuple[int, int]]:
    return combinations(range(READERS), 2)


def _kappa(first: Floats, second: Floats) -> float:
    pairs = LEVELS * first.astype(int) + second.astype(int)
    table = np.bincount(pairs, minlength=LEVELS**2).reshape(LEVELS, LEVELS)
    return float(cohens_kappa(table, wt="quadratic", return_results=False))


def _intraclass(scores: Floats) -> tuple[float, float]:
    """Returns the ICC of one reader and of the mean of all, as in a very large study."""
    of_readers = scores.mean(axis=0).var(ddof=1)
    of_rest = (scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True)).var()
    of_rest *= READERS / (READERS - 1)
    of_cases = scores.mean(axis=1).var() - of_rest / READERS
    single = of_cases / (of_cases + of_readers + of_rest)
    return single, of_cases / (of_cases + (of_readers + of_rest) / READERS)


def figures_of(
    readers: Readers, rng: np.random.Generator, *, read: float
) -> dict[str, list[Estimate]]:
    """As the page has them, of a study in which a case has a share ``read`` of the readers."""
    scores, again = readers.read_twice(CASES, rng)
    wanted = np.arange(READERS) < round(read * READERS)
    is_read = rng.permuted(np.tile(wanted, (CASES, 1)), axis=1)
    is_repeated = is_read & (rng.random(scores.shape) < REPEATED)
    seen, cases = np.where(is_read, scores, np.nan), np.arange(CASES)
    between = agreement(seen, cases, levels=LEVELS)
    within = retest(scores[is_repeated], again[is_repeated], np.nonzero(is_repeated)[0])
    found = {
        "alpha": [between.alpha],
        "mean_kappa": [between.mean_kappa],
        "icc_single": [between.icc_single],
        "icc_mean": [between.icc_mean],
        "leniency": list(leniencies(seen, cases)),
        "retest_kappa": [within.kappa],
        "retest_difference": [within.mean_difference],
    }
    balanced_only = () if read == 1 else ("icc_single", "icc_mean")
    return {name: estimates for name, estimates in found.items() if name not in balanced_only}


def holds(studies: int, *, seed: int = 0) -> Iterator[tuple[str, bool]]:
    """For every interval of every study: its figure's name, and whether it holds the truth."""
    for number in range(studies * CRITERIA):
        rng = np.random.default_rng([seed, number])
        readers = Readers.drawn(rng)
        truth = truth_of(readers, rng)
        for suffix, read in DESIGNS.items():
            for name, estimates in figures_of(readers, rng, read=read).items():
                for estimate, true in zip(estimates, truth[name], strict=True):
                    yield name + suffix, estimate.low <= true <= estimate.high


def coverage(studies: int = STUDIES, *, seed: int = 0) -> dict[str, float]:
    """Returns, by figure, the share of its intervals that hold the truth."""
    found: defaultdict[str, list[bool]] = defaultdict(list)
    for name, is_held in holds(studies, seed=seed):
        found[name].append(is_held)
    return {name: float(np.mean(held)) for name, held in found.items()}


def run(studies: int = STUDIES, *, seed: int = 0) -> list[Row]:
    return [
        Row(name=f"coverage_{name}", value=100 * share, unit="% of 95 % intervals", baseline=95.0)
        for name, share in coverage(studies, seed=seed).items()
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for row in run(given.studies, seed=given.seed):
        print(f"{row.name:40} {row.value:6.1f} {row.unit}")
