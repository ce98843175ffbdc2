"""How a frontal chest X-ray looks, by formulas that need no network. Torch-free.

All of it is measured on a 128 x 128 version, whose lungs are taken to be where most have them.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

SIDE = 128
RING_EDGES = (1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 36, 48, 64)
"""The rings of the spectrum, coarse to fine, in cycles a picture."""

Grey = NDArray[np.float64]
"""A grey image with values from 0 (black) to 1 (white)."""


def small_grey(picture: Image.Image) -> Grey:
    """Returns the picture in 8-bit grey at 128 x 128: shape 128 x 128, from 0 to 1."""
    small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(small, dtype=np.float64) / 255


@cache
def lung_fields() -> NDArray[np.bool_]:
    """Two ellipses where frontal images have their lungs: boolean, 128 x 128."""
    y, x = np.mgrid[:SIDE, :SIDE]
    viewers_left = ((x - 43) / 11) ** 2 + ((y - 52) / 26) ** 2 <= 1
    viewers_right = ((x - 86) / 10) ** 2 + ((y - 50) / 26) ** 2 <= 1
    return np.asarray(viewers_left | viewers_right)


def contrast(image: Grey) -> float:
    """Say how much darker the lung fields are than the mediastinum between them, -1 to 1."""
    return mediastinum(image) - float(image[lung_fields()].mean())


def mediastinum(image: Grey) -> float:
    """Give the mean grey of what lies between the lungs."""
    return float(image[30:80, 59:71].mean())


def symmetry(image: Grey) -> float:
    """Correlate the blurred image with its mirror image, -1 to 1."""
    blurred = gaussian_filter(image, 4)[16:112, 16:112]
    return float(np.corrcoef(blurred.ravel(), blurred[:, ::-1].ravel())[0, 1])


def lung_detail(image: Grey) -> float:
    """Give the root mean square of the detail finer than about three pixels in the lung fields."""
    detail = image - gaussian_filter(image, 1.5)
    return float(np.sqrt(np.square(detail[lung_fields()]).mean()))


def log_power(image: Grey) -> NDArray[np.float64]:
    """Log10 of the mean power in rings of the spectrum, coarse to fine; shape 12."""
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE))
    power = np.abs(np.fft.fftshift(np.fft.fft2((image - image.mean()) * window))) ** 2
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    ring = np.digitize(np.hypot(x, y).ravel(), RING_EDGES)
    count = np.bincount(ring, minlength=len(RING_EDGES) + 1)
    total = np.bincount(ring, weights=power.ravel(), minlength=len(RING_EDGES) + 1)
    return np.log10(total[1:-1] / count[1:-1] + 1e-12)
