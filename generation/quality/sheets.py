"""Contact sheets: many small pictures on one."""

import math
from collections.abc import Sequence

import numpy as np


def contact_sheet(pictures: Sequence[np.ndarray], *, columns: int = 8) -> np.ndarray:
    """Lay 8-bit grey pictures of one size out in rows, black where none is left."""
    height, width = pictures[0].shape
    rows = math.ceil(len(pictures) / columns)
    sheet = np.zeros((rows * height, columns * width), dtype=np.uint8)
    for index, picture in enumerate(pictures):
        top, left = index // columns * height, index % columns * width
        sheet[top : top + height, left : left + width] = picture
    return sheet
