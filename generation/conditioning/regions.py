"""Regions of an image, as shares of pixels or of a coarser grid. Torch-free."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

FINER = 8
"""Regions are drawn so many times finer than the grid, for shares of its cells."""

Outline = Sequence[tuple[float, float]]
"""Corners in order, (x, y) in units of the grid's cells from its top left corner."""


def shares_of(outlines: Sequence[Outline], grid: tuple[int, int]) -> np.ndarray:
    """Say how much of each cell of the grid lies in any of the regions: h x w, from 0 to 1."""
    rows, columns = grid
    drawn = Image.new("1", (columns * FINER, rows * FINER))
    pen = ImageDraw.Draw(drawn)
    for outline in outlines:
        pen.polygon([(x * FINER - 0.5, y * FINER - 0.5) for x, y in outline], fill=1)
    fine = np.asarray(drawn, dtype=np.float32)
    return fine.reshape(rows, FINER, columns, FINER).mean((1, 3))


def scaled(outlines: Sequence[Outline], factor: float) -> list[list[tuple[float, float]]]:
    """Give the same regions in cells of another size."""
    return [[(x * factor, y * factor) for x, y in outline] for outline in outlines]
