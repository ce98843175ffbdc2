"""Can readers tell synthetic images from real ones? Five-step confidence against the truth.

Confidence 0 is "definitely real", 4 "definitely synthetic", 2 undecided, which counts as
half an answer of either kind.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from feedback_app.statistics.bootstrap import (
    Cases,
    Estimate,
    Floats,
    Ints,
    estimate,
    nth,
    unknown,
)
from feedback_app.statistics.proportions import Equivalence, chance_equivalence, share

STEPS = 5
CALLED_SYNTHETIC = np.array([0, 0, 0.5, 1, 1])
MARGIN = 0.10
ONE_KIND = "images of both kinds are needed"


@dataclass(frozen=True)
class Detection:
    """``curve`` holds (false alarm rate, hit rate) from (0, 0) to (1, 1)."""

    accuracy: Estimate
    d_prime: Estimate
    auc: Estimate
    equivalence: Equivalence | None
    curve: tuple[tuple[float, float], ...]


def detection(
    confidence: Floats, is_synthetic: np.ndarray, cases: Ints, *, margin: float = MARGIN
) -> Detection:
    """Figures of one reader, or of several together: a case is then resampled with them all."""
    sums = Cases.of(cases).sums(_by_step(confidence, is_synthetic))
    counts = sums.sum(axis=0)
    real, synthetic = counts[:STEPS], counts[STEPS:]
    count = len(np.unique(cases))
    if not real.sum() or not synthetic.sum():
        none = unknown(ONE_KIND, count=count)
        return Detection(none, none, none, None, ())
    found = estimate(sums, _figures)
    one_reading_a_case = count == len(confidence)
    return Detection(
        accuracy=share(float(accuracy_of(counts)) * count, count)
        if one_reading_a_case
        else nth(found, 0, count=count),
        d_prime=nth(found, 1, count=count),
        auc=nth(found, 2, count=count),
        equivalence=chance_equivalence(
            float(CALLED_SYNTHETIC @ synthetic),
            int(synthetic.sum()),
            float(CALLED_SYNTHETIC @ real),
            int(real.sum()),
            margin=margin,
        )
        if one_reading_a_case
        else _equivalence_of_all(sums, margin=margin),
        curve=curve_of(real, synthetic),
    )


def _by_step(confidence: Floats, is_synthetic: np.ndarray) -> Floats:
    """Counts of each step on real, then on synthetic images: (units, 10)."""
    steps = (confidence[:, None] == np.arange(STEPS)).astype(float)
    return np.concatenate([steps * ~is_synthetic[:, None], steps * is_synthetic[:, None]], axis=1)


def _figures(sums: Floats) -> Floats:
    return np.stack([accuracy_of(sums), d_prime_of(sums), auc_of(sums)], axis=-1)


def accuracy_of(sums: Floats) -> Floats:
    """Share of images whose kind was told, from counts (..., 10)."""
    real, synthetic = sums[..., :STEPS], sums[..., STEPS:]
    right = synthetic @ CALLED_SYNTHETIC + real @ (1 - CALLED_SYNTHETIC)
    return right / sums.sum(axis=-1)


def d_prime_of(sums: Floats) -> Floats:
    """Returns z(hit rate) - z(false alarm rate), log-linear (Hautus, BRMIC 27 (1995) 46-51)."""
    real, synthetic = sums[..., :STEPS], sums[..., STEPS:]
    hits = (synthetic @ CALLED_SYNTHETIC + 0.5) / (synthetic.sum(axis=-1) + 1)
    alarms = (real @ CALLED_SYNTHETIC + 0.5) / (real.sum(axis=-1) + 1)
    return np.asarray(ndtri(hits) - ndtri(alarms))


def auc_of(sums: Floats) -> Floats:
    """P(a synthetic image is rated higher than a real one), ties counting half."""
    real, synthetic = sums[..., :STEPS], sums[..., STEPS:]
    lower = np.cumsum(real, axis=-1) - real / 2
    pairs = real.sum(axis=-1) * synthetic.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, (lower * synthetic).sum(axis=-1) / pairs, np.nan)


def curve_of(real: Floats, synthetic: Floats) -> tuple[tuple[float, float], ...]:
    """Returns the ROC: what is called synthetic as the bar is lowered from "definitely" on."""
    alarms = np.concatenate([[0.0], np.cumsum(real[::-1]) / real.sum()])
    hits = np.concatenate([[0.0], np.cumsum(synthetic[::-1]) / synthetic.sum()])
    return tuple(zip(alarms.tolist(), hits.tolist(), strict=True))


def _equivalence_of_all(sums: Floats, *, margin: float) -> Equivalence | None:
    """Returns two one-sided tests of balanced accuracy with the standard error over cases.

    Readings of one case are not independent, so the error is that of the jackknife.
    """
    total = sums.sum(axis=0)
    left_out = balanced_accuracy_of(total - sums)
    count = len(sums)
    error = float(np.sqrt((count - 1) / count * np.nansum((left_out - np.nanmean(left_out)) ** 2)))
    if not np.isfinite(error) or error == 0:
        return None
    gap = abs(float(balanced_accuracy_of(total)) - 0.5)
    return Equivalence(p_value=float(ndtr((gap - margin) / error)), margin=margin)


def balanced_accuracy_of(sums: Floats) -> Floats:
    real, synthetic = sums[..., :STEPS], sums[..., STEPS:]
    with np.errstate(invalid="ignore", divide="ignore"):
        hits = synthetic @ CALLED_SYNTHETIC / synthetic.sum(axis=-1)
        alarms = real @ CALLED_SYNTHETIC / real.sum(axis=-1)
    return np.asarray((1 + hits - alarms) / 2)
