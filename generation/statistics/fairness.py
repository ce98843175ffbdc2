"""How a yes-or-no judgement fares by sex, race, age, view and their pairs.

After CheXagent's study of cardiomegaly (arXiv 2401.12208: F1 by sex, race and age band), with
what a table of F1 alone leaves open: intervals, calibration, the gaps between groups, and whether
a gap is more than chance. F1 and calibration also differ where groups are ill to different
degrees; whether a judge treats the ill, or the well, of two groups differently does not depend on
that, so gaps are tested on the latter alone (equalised odds, Hardt et al. 2016).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from generation.statistics.intervals import Interval, cluster_bootstrap

OLD_YEARS = 65
"""The paper's age bands: up to this, and older."""
LEAST = 20
"""Images that a group must have to be compared; with one of them ill and one well at least."""
PERMUTATIONS = 2_000
LEVEL = 0.005
"""After Holm's correction for all attributes and gaps; a report that cries wolf is not read."""
AT_ONCE = 4_000_000
"""Places of exchanged images in memory."""
UNKNOWN = ""
PAIR = " and "


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Judgements of n images: ``truth`` bool, ``scores`` from 0 to 1, ``patients`` names."""

    truth: np.ndarray
    scores: np.ndarray
    patients: np.ndarray
    threshold: float = 0.5

    @property
    def said(self) -> np.ndarray:
        """n of bool: what the scores say."""
        return np.asarray(self.scores >= self.threshold)


@dataclass(frozen=True, kw_only=True)
class GroupFigures:
    """``calibration`` is the mean score less the share that is ill: above 0, too many are said
    to be.
    """

    group: str
    images: int
    patients: int
    ill: int
    f1: Interval
    auroc: Interval
    calibration: Interval
    sensitivity: Interval
    false_alarms: Interval


@dataclass(frozen=True, kw_only=True)
class AttributeFigures:
    """One attribute's groups; gaps are the largest difference between any two of them.

    ``equalised_odds`` is the larger of the gaps in sensitivity and in false alarms,
    ``score_gap`` that of the mean scores of the ill, or of the well. Each p is corrected for all
    that is tested; ``is_biased`` where one of them is below the level. ``too_small`` names
    groups that are not compared, with their images.
    """

    attribute: str
    groups: tuple[GroupFigures, ...]
    too_small: Mapping[str, int]
    unknown: int
    f1_gap: Interval
    auroc_gap: Interval
    equalised_odds: float
    equalised_odds_p: float
    score_gap: float
    score_gap_p: float

    @property
    def is_biased(self) -> bool:
        return min(self.equalised_odds_p, self.score_gap_p) < LEVEL


def age_group(age_years: int | None) -> str:
    if age_years is None:
        return UNKNOWN
    return f"over {OLD_YEARS}" if age_years > OLD_YEARS else f"up to {OLD_YEARS}"


def with_pairs(attributes: Mapping[str, Sequence[str] | np.ndarray]) -> dict[str, np.ndarray]:
    """Returns each attribute, and each two of them together; unknown where one is."""
    known = {name: np.asarray(values, dtype=object) for name, values in attributes.items()}
    paired = {
        f"{one}{PAIR}{other}": np.array(
            [f"{a}, {b}" if a and b else UNKNOWN
             for a, b in zip(known[one], known[other], strict=True)],
            dtype=object,
        )
        for one, other in combinations(known, 2)
    }  # fmt: skip
    return known | paired


def report(
    judged: Judged, attributes: Mapping[str, np.ndarray], *, seed: int = 0
) -> list[AttributeFigures]:
    """Returns figures by attribute; one whose groups are too small to compare has no gaps and no
    p.
    """
    found = [_Compared(judged, name, values) for name, values in attributes.items()]
    return [
        one.figures(*of_one, seed=seed)
        for one, of_one in zip(found, _chances(found, seed=seed), strict=True)
    ]


def find_biased(
    judged: Judged, attributes: Mapping[str, np.ndarray], *, seed: int = 0
) -> list[str]:
    """Returns the attributes whose groups differ by more than chance; a report without its
    intervals.
    """
    found = [_Compared(judged, name, values) for name, values in attributes.items()]
    return [
        one.name
        for one, of_one in zip(found, _chances(found, seed=seed), strict=True)
        if min(of_one) < LEVEL
    ]


def _chances(found: Sequence["_Compared"], *, seed: int) -> list[tuple[float, float]]:
    """Returns the corrected chances of each attribute's two gaps, by as many exchanges as that
    needs.
    """
    permutations = max(PERMUTATIONS, round(4 * len(found) / LEVEL))
    raw = [p for one in found for p in one.chances(permutations, seed=seed)]
    corrected = holm(raw)
    return list(zip(corrected[::2], corrected[1::2], strict=True))


def holm(chances: Sequence[float]) -> list[float]:
    """Holm's correction (1979); a chance that is NaN was no test and stays NaN."""
    tested = [place for place, chance in enumerate(chances) if not math.isnan(chance)]
    ordered = sorted(tested, key=lambda place: chances[place])
    corrected, largest = list(chances), 0.0
    for rank, place in enumerate(ordered):
        largest = max(largest, min(1.0, (len(tested) - rank) * chances[place]))
        corrected[place] = largest
    return corrected


class _Compared:
    """One attribute's groups that are large enough, and how they differ."""

    def __init__(self, judged: Judged, name: str, values: np.ndarray) -> None:
        self.name, self.judged = name, judged
        labels = np.asarray(values, dtype=object)
        names = sorted({label for label in labels if label})
        self.too_small = {
            group: int((labels == group).sum())
            for group in names
            if not _is_large(judged.truth[labels == group])
        }
        self.names = [group for group in names if group not in self.too_small]
        self.unknown = int((labels == UNKNOWN).sum())
        self.rows = np.flatnonzero(np.isin(labels, self.names)) if self.names else np.array([], int)
        self.codes = np.array([self.names.index(labels[row]) for row in self.rows], dtype=int)

    def chances(self, permutations: int, *, seed: int) -> tuple[float, float]:
        """Returns how often exchanged groups differ as much, in equalised odds and in scores.

        A patient's images of one group are exchanged as a whole, among patients who are ill, or
        well, alike.
        """
        if len(self.names) < 2:
            return math.nan, math.nan
        observed = self.gaps(self.codes[None])
        as_large = np.ones(2)
        at_once = max(1, AT_ONCE // len(self.rows))
        generator = np.random.default_rng(seed)
        for start in range(0, permutations, at_once):
            count = min(at_once, permutations - start)
            as_large += (self.gaps(self._exchanged(generator, count)) >= observed - 1e-6).sum(0)
        odds, scores = as_large / (permutations + 1)
        return float(odds), float(scores)

    def gaps(self, codes: np.ndarray) -> np.ndarray:
        """Returns P x 2 of P x n codes: equalised odds and score gap, of the ill or of the well."""
        truth, said = self.judged.truth[self.rows], self.judged.said[self.rows]
        scores = self.judged.scores[self.rows]
        sides = np.stack([truth, ~truth], axis=1).astype(np.float32)
        values = np.concatenate([sides, sides * said[:, None], sides * scores[:, None]], axis=1)
        sums = np.stack(
            [(codes == code).astype(np.float32) @ values for code in range(len(self.names))]
        )
        counts = np.concatenate([sums[..., :2], sums[..., :2]], axis=-1)
        means = np.divide(sums[..., 2:], counts, out=np.full_like(counts, np.nan), where=counts > 0)
        spread = np.nanmax(means, axis=0) - np.nanmin(means, axis=0)
        return np.stack([spread[:, :2].max(axis=1), spread[:, 2:].max(axis=1)], axis=1)

    def figures(self, odds_p: float, score_p: float, *, seed: int) -> AttributeFigures:
        odds, scores = self.gaps(self.codes[None])[0] if len(self.names) > 1 else (math.nan,) * 2
        return AttributeFigures(
            attribute=self.name,
            groups=tuple(
                _of_group(self.judged, self.rows[self.codes == code], group, seed=seed)
                for code, group in enumerate(self.names)
            ),
            too_small=self.too_small,
            unknown=self.unknown,
            f1_gap=self._gap(_f1, seed=seed),
            auroc_gap=self._gap(_auroc, seed=seed),
            equalised_odds=float(odds),
            equalised_odds_p=odds_p,
            score_gap=float(scores),
            score_gap_p=score_p,
        )

    def _gap(self, figure: Callable[[Judged, np.ndarray], float], *, seed: int) -> Interval:
        """Returns the largest less the smallest; biased upwards where groups are small."""
        if len(self.names) < 2:
            return Interval(math.nan, math.nan, math.nan)

        def largest(chosen: np.ndarray) -> float:
            values = [
                figure(self.judged, self.rows[chosen[self.codes[chosen] == code]])
                for code in range(len(self.names))
            ]
            return float(np.ptp(values)) if np.isfinite(values).all() else math.nan

        return cluster_bootstrap(largest, clusters=self.judged.patients[self.rows], seed=seed)

    def _exchanged(self, generator: np.random.Generator, count: int) -> np.ndarray:
        """Returns so many x n codes."""
        patients, truth = self.judged.patients[self.rows], self.judged.truth[self.rows]
        keys = np.array([f"{code} {name}" for code, name in zip(self.codes, patients, strict=True)])
        _, first, unit = np.unique(keys, return_index=True, return_inverse=True)
        is_ill = np.zeros(len(first), dtype=bool)
        np.logical_or.at(is_ill, unit, truth)
        codes = np.tile(self.codes[first], (count, 1))
        for side in (True, False):
            codes[:, is_ill == side] = generator.permuted(codes[:, is_ill == side], axis=1)
        return np.asarray(codes[:, unit])


def _is_large(truth: np.ndarray) -> bool:
    return len(truth) >= LEAST and 0 < int(truth.sum()) < len(truth)


def _of_group(judged: Judged, rows: np.ndarray, group: str, *, seed: int) -> GroupFigures:
    def interval(figure: Callable[[Judged, np.ndarray], float]) -> Interval:
        return cluster_bootstrap(
            lambda chosen: figure(judged, rows[chosen]),
            clusters=judged.patients[rows],
            seed=seed,
        )

    return GroupFigures(
        group=group,
        images=len(rows),
        patients=len(set(judged.patients[rows].tolist())),
        ill=int(judged.truth[rows].sum()),
        f1=interval(_f1),
        auroc=interval(_auroc),
        calibration=interval(_calibration),
        sensitivity=interval(_sensitivity),
        false_alarms=interval(_false_alarms),
    )


def _f1(judged: Judged, rows: np.ndarray) -> float:
    said, truth = judged.said[rows], judged.truth[rows]
    decided = int(said.sum()) + int(truth.sum())
    return 2 * int((said & truth).sum()) / decided if decided else math.nan


def _auroc(judged: Judged, rows: np.ndarray) -> float:
    """As sklearn has it, many times as fast: how often a score of the ill is above one of the
    well, half of equal ones counting.
    """
    truth, scores = judged.truth[rows], judged.scores[rows]
    ill, well = scores[truth], np.sort(scores[~truth])
    if not (len(ill) and len(well)):
        return math.nan
    below = np.searchsorted(well, ill, side="left") + np.searchsorted(well, ill, side="right")
    return float(below.mean() / 2 / len(well))


def _calibration(judged: Judged, rows: np.ndarray) -> float:
    return float(judged.scores[rows].mean() - judged.truth[rows].mean())


def _sensitivity(judged: Judged, rows: np.ndarray) -> float:
    return _share(judged.said[rows][judged.truth[rows]])


def _false_alarms(judged: Judged, rows: np.ndarray) -> float:
    return _share(judged.said[rows][~judged.truth[rows]])


def _share(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
