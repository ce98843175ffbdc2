"""How sharp is a picture?

Blur takes away what changes from pixel to pixel, which the Laplacian keeps: its variance is a
usual measure of focus (Pech-Pacheco et al., ICPR 2000). Noise raises it as edges do, so it
says how an image looks, not how good it is.
"""

from typing import Any

import numpy as np


def sharpness(picture: np.ndarray[Any, Any]) -> float:
    """Returns the standard deviation of the Laplacian, in grey levels, of an 8-bit H x W picture.

    Pixels at the border have no Laplacian; a picture of fewer than 3 x 3 pixels has 0.
    """
    grey = picture.astype(np.float32)
    if min(grey.shape) < 3:
        return 0.0
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * grey[1:-1, 1:-1]).std())
