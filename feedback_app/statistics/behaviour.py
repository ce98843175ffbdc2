"""How a reader reads: drift over time, straight-lining, pace."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import linregress
from statsmodels.nonparametric.smoothers_lowess import lowess

from feedback_app.statistics.bootstrap import Floats, Ints

DRIFT_READINGS_MIN = 20
DRIFT_P = 0.01
DRIFT_POINTS = 0.5
"""What is called drift: so sure, and so many points from the first to the last reading."""


@dataclass(frozen=True)
class Drift:
    """``change`` is in points from the first to the last reading of the fitted line."""

    change: float
    p_value: float
    count: int

    @property
    def is_notable(self) -> bool:
        return self.p_value < DRIFT_P and abs(self.change) > DRIFT_POINTS


@dataclass(frozen=True)
class Path:
    """A path holds a reader's deviations from the others along their readings, and their smooth
    course.
    """

    order: Floats
    deviation: Floats
    smooth: Floats
    drift: Drift | None

    @property
    def change(self) -> float:
        return self.drift.change if self.drift else 0.0


def deviations(scores: Floats, leniency: Floats) -> Floats:
    """Returns each score minus the others' median, all freed of leniency: (units, readers), else
    NaN.

    The reader's own score is left out of the consensus, which it would pull towards itself;
    the median keeps one reader who drifts from making all others seem to drift the other way.
    """
    fair = scores - np.where(np.isnan(leniency), 0, leniency)
    found = np.full_like(fair, np.nan)
    for reader in range(fair.shape[1]):
        others = np.delete(fair, reader, axis=1)
        shared = ~np.isnan(fair[:, reader]) & ~np.isnan(others).all(axis=1)
        if shared.any():
            found[shared, reader] = fair[shared, reader] - np.nanmedian(others[shared], axis=1)
    return found


def drift(order: Floats, deviation: Floats) -> Drift | None:
    """Least-squares slope of deviation over reading order; None for too few readings."""
    if len(order) < DRIFT_READINGS_MIN or np.ptp(order) == 0:
        return None
    line = linregress(order, deviation)
    p_value = float(line.pvalue) if np.isfinite(line.pvalue) else 1.0
    return Drift(float(line.slope * np.ptp(order)), p_value, len(order))


def paths(scores: Floats, orders: Floats, leniency: Floats) -> tuple[Path | None, ...]:
    """Returns each reader's course, drifters freed of their drift before the others are judged.

    ``orders``: (units, readers), where in their series a reader met a unit. Whoever drifts
    most bends the others' consensus, so that they seem to drift the other way: their fitted
    line is taken out first, then the next one's. Of two readers nobody can say which one
    it is, so both courses stay as they are.
    """
    readers, fair = scores.shape[1], scores.copy()
    found: dict[int, Path | None] = {}
    while len(found) < readers:
        deviation = deviations(fair, leniency)
        left = {
            reader: _path(orders[:, reader], deviation[:, reader])
            for reader in range(readers)
            if reader not in found
        }
        notable = {
            n: path for n, path in left.items() if path and path.drift and path.drift.is_notable
        }
        if readers < 3 or not notable:
            found |= left
            break
        most = max(notable, key=lambda reader: abs(notable[reader].change))
        found[most] = notable[most]
        order = orders[:, most]
        fair[:, most] -= (
            notable[most].change * (order - np.nanmean(order)) / np.ptp(notable[most].order)
        )
    return tuple(found[reader] for reader in range(readers))


def _path(orders: Floats, deviation: Floats) -> Path | None:
    """Images of one reading count as their mean: they were judged at one moment."""
    known = ~np.isnan(deviation)
    if not known.any():
        return None
    order, row = np.unique(orders[known], return_inverse=True)
    mean = np.bincount(row, weights=deviation[known]) / np.bincount(row)
    line = drift(order, mean)
    return Path(order, mean, smoothed(order, mean) if line else np.zeros(0), line)


def smoothed(order: Floats, deviation: Floats, *, share: float = 0.5) -> Floats:
    """Smooths by LOWESS (Cleveland, JASA 74 (1979) 829-836) over ``share`` of the readings, by
    statsmodels.
    """
    between = 0.01 * float(np.ptp(order))  # interpolated across, or thousands take seconds
    smooth = lowess(deviation, order, frac=share, delta=between, return_sorted=False)
    return np.asarray(smooth, dtype=np.float64)


def commonest_share(values: Ints) -> float:
    """Returns the share of the most frequent value; NaN where there is none."""
    if not values.size:
        return float("nan")
    _, counts = np.unique(values, return_counts=True)
    return float(counts.max() / counts.sum())


def flat_share(values: Ints, readings: Ints) -> float:
    """Share of readings, of two scores or more, that gave every image the same score."""
    flat = []
    for reading in np.unique(readings):
        own = values[readings == reading]
        if len(own) > 1:
            flat.append(np.ptp(own) == 0)
    return float(np.mean(flat)) if flat else float("nan")


@dataclass(frozen=True)
class Pace:
    """Readings whose time is known give seconds a case by quantile, and cases per active hour."""

    count: int
    quantiles_s: tuple[float, float, float, float, float]
    per_hour: float

    @property
    def median_s(self) -> float:
        return self.quantiles_s[2]


def pace(seconds: Floats) -> Pace | None:
    """Returns the quantiles 10, 25, 50, 75 and 90 %; times of 0 were not measured."""
    known = seconds[seconds > 0]
    if not known.size:
        return None
    ten, quarter, half, three_quarters, ninety = np.quantile(known, [0.1, 0.25, 0.5, 0.75, 0.9])
    return Pace(
        count=len(known),
        quantiles_s=(float(ten), float(quarter), float(half), float(three_quarters), float(ninety)),
        per_hour=float(3_600 * len(known) / known.sum()),
    )
