"""Readers' marks on the grid of latents: where a loser's error is to count."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from generation.conditioning.regions import shares_of
from generation.specs import Mark


def marked_shares(marks: Sequence[Mark], path: Path, *, grid: tuple[int, int]) -> np.ndarray:
    """Say how much of each cell of the grid lies in any of the marks: h x w, from 0 to 1.

    The grid lies over the image's largest central part of its proportions, as what a model
    learns from an image does.
    """
    rows, columns = grid
    with Image.open(path) as image:
        width, height = image.size
    cell = min(width / columns, height / rows)
    left, top = (width - columns * cell) / 2, (height - rows * cell) / 2
    outlines = [
        [((x * width - left) / cell, (y * height - top) / cell) for x, y in mark.corners]
        for mark in marks
    ]
    return shares_of(outlines, grid)


def weights_of(shares: torch.Tensor, *, region_weight: float) -> torch.Tensor:
    """Return what each cell's error counts for, with a mean of 1 an image; N x h x w both.

    ``region_weight`` of the sum lies where marks are, in proportion to their shares; the rest
    is spread evenly, as is all of it where nothing is marked.
    """
    marked = shares.mean((1, 2), keepdim=True)
    within = torch.where(marked > 0, shares / marked.clamp_min(1e-12), 1.0)
    return 1 - region_weight + region_weight * within
