"""Two documented, computable tastes: what simulated readers like, and what they never saw.

Both look at pixels alone, on a 128 x 128 version, and map what they measure onto 0 to 5
by how real frontal chest X-rays measure. Neither stands for a radiologist's judgement;
they exist so that a rehearsal has a known truth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from generation.measures.appearance import (
    SIDE,
    Grey,
    contrast,
    log_power,
    lung_detail,
    lung_fields,
    mediastinum,
    symmetry,
)

SCORE_MAX = 5.0


@dataclass(frozen=True)
class Yardstick:
    """It holds median and robust spread (1.48 times the median absolute
    deviation) in real images.
    """

    median: float
    spread: float

    def place(self, value: float) -> float:
        """Say where a value lies among real ones: 0.5 at the median, never beyond 0 or 1."""
        return float(expit(1.7 * (value - self.median) / self.spread))

    def closeness(self, value: float) -> float:
        """Returns 1 for a distance up to real images' median, a half 3 spreads beyond it."""
        excess = max(0.0, value - self.median) / self.spread
        return 1 / (1 + excess / 3)


# Measured on the 557 images (375 patients) of the NIH cohort's training split, at 128 x 128.
CONTRAST = Yardstick(0.205, 0.120)
SYMMETRY = Yardstick(0.763, 0.206)
LUNG_DETAIL = Yardstick(0.0231, 0.0081)
SPECTRUM_DISTANCE = Yardstick(0.853, 0.361)
TONE_DISTANCE = Yardstick(0.872, 0.334)
# Mean and standard deviation of the log10 power in each ring of the spectrum, ...
LOG_POWER_MEAN = (4.61, 4.14, 3.92, 2.86, 2.03, 1.64, 1.44, 1.08, 0.58, 0.16, -0.21, -0.67)
LOG_POWER_SPREAD = (0.33, 0.31, 0.36, 0.37, 0.42, 0.37, 0.35, 0.32, 0.32, 0.30, 0.28, 0.27)
# ... and of each decile of the grey values.
DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
TONE_MEAN = (0.218, 0.362, 0.451, 0.521, 0.581, 0.636, 0.689, 0.746, 0.806)
TONE_SPREAD = (0.156, 0.148, 0.138, 0.128, 0.120, 0.111, 0.101, 0.089, 0.077)


def readers_taste(image: Grey) -> float:
    """Score by what simulated readers like, 0 to 5: dark lungs, symmetry, sharp vessels, ribs."""
    places = (
        CONTRAST.place(contrast(image)),
        SYMMETRY.place(symmetry(image)),
        LUNG_DETAIL.place(lung_detail(image)),
    )
    return SCORE_MAX * sum(places) / len(places)


MARK_SIDE = 40
MOST_MARKS = 2
Box = tuple[float, float, float, float]
"""Left, top, right and bottom as fractions of the image's sides."""


def where_it_hurts(image: Grey) -> list[Box]:
    """Mark where the readers' taste is hurt most: squares of 5/16 of the side, worst first."""
    hurt = _hurt(image)
    boxes = []
    for _ in range(MOST_MARKS):
        sums = np.pad(hurt.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        of_box = (
            sums[MARK_SIDE:, MARK_SIDE:]
            - sums[MARK_SIDE:, :-MARK_SIDE]
            - sums[:-MARK_SIDE, MARK_SIDE:]
            + sums[:-MARK_SIDE, :-MARK_SIDE]
        )
        top, left = (int(place) for place in np.unravel_index(of_box.argmax(), of_box.shape))
        hurt[top : top + MARK_SIDE, left : left + MARK_SIDE] = 0
        boxes.append((left / SIDE, top / SIDE, (left + MARK_SIDE) / SIDE, (top + MARK_SIDE) / SIDE))
    return boxes


def _hurt(image: Grey) -> Grey:
    """Spread what each part of the taste falls short of over the pixels that are to blame.

    Lungs that are too bright, what differs from its mirror image, lungs without detail.
    """
    lungs = lung_fields()
    bright = np.where(lungs, image - (mediastinum(image) - CONTRAST.median), 0)
    blurred = gaussian_filter(image, 4)
    uneven = np.zeros_like(image)
    uneven[16:112, 16:112] = np.abs(blurred - blurred[:, ::-1])[16:112, 16:112]
    fine = gaussian_filter(np.square(image - gaussian_filter(image, 1.5)), 4)
    smooth = np.where(lungs, LUNG_DETAIL.median - np.sqrt(fine), 0)
    return (
        (1 - CONTRAST.place(contrast(image))) * _share(bright)
        + (1 - SYMMETRY.place(symmetry(image))) * _share(uneven)
        + (1 - LUNG_DETAIL.place(lung_detail(image))) * _share(smooth)
    )


def _share(blame: Grey) -> Grey:
    blame = blame.clip(min=0)
    return blame / max(float(blame.sum()), 1e-12)


def spectrum_distance(image: Grey) -> float:
    """Root mean square distance of the spectrum from real ones, in standard deviations."""
    return _distance(log_power(image), LOG_POWER_MEAN, LOG_POWER_SPREAD)


def tone_distance(image: Grey) -> float:
    """Measure the distance of the deciles of the grey values from real ones."""
    return _distance(np.quantile(image, DECILES), TONE_MEAN, TONE_SPREAD)


def second_taste(image: Grey) -> float:
    """Score by what readers did not look at, 0 to 5: spectrum and grey values as in real images.

    It knows nothing of left and right, of lungs, or of where in the image anything is.
    """
    closeness = (
        SPECTRUM_DISTANCE.closeness(spectrum_distance(image)),
        TONE_DISTANCE.closeness(tone_distance(image)),
    )
    return SCORE_MAX * sum(closeness) / len(closeness)


def _distance(
    values: NDArray[np.float64], means: tuple[float, ...], spreads: tuple[float, ...]
) -> float:
    return float(np.sqrt(np.mean(((values - np.array(means)) / np.array(spreads)) ** 2)))
