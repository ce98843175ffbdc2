"""Readers' marks on the grid of latents: where a loser's error is to count."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from generation.specs import Mark

FINER = 8
"""Marks are drawn so many times finer than the grid, for shares of its cells."""


def shares_of(marks: Sequence[Mark], path: Path, *, grid: tuple[int, int]) -> np.ndarray:
    """Say how much of each cell of the grid lies in any of the marks: h x w, from 0 to 1.

    The grid lies over the image's largest central part of its proportions, as what a model
    learns from an image does.
    """
    rows, columns = grid
    with Image.open(path) as image:
        width, height = image.size
    scale = min(width / columns, height / rows)
    left, top = (width - columns * scale) / 2, (height - rows * scale) / 2
    drawn = Image.new("1", (columns * FINER, rows * FINER))
    pen = ImageDraw.Draw(drawn)
    for mark in marks:
        corners = [
            ((x * width - left) / scale * FINER - 0.5, (y * height - top) / scale * FINER - 0.5)
            for x, y in mark.corners
        ]
        pen.polygon(corners, fill=1)
    fine = np.asarray(drawn, dtype=np.float32)
    return fine.reshape(rows, FINER, columns, FINER).mean((1, 3))


def weights_of(shares: torch.Tensor, *, region_weight: float) -> torch.Tensor:
    """Return what each cell's error counts for, with a mean of 1 an image; N x h x w both.

    ``region_weight`` of the sum lies where marks are, in proportion to their shares; the rest
    is spread evenly, as is all of it where nothing is marked.
    """
    marked = shares.mean((1, 2), keepdim=True)
    within = torch.where(marked > 0, shares / marked.clamp_min(1e-12), 1.0)
    return 1 - region_weight + region_weight * within
