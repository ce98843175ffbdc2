"""How different the pictures of one prompt are from each other."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from pytorch_msssim import ms_ssim

from generation.errors import RemediableError

WINDOW = 7
SMALLEST_SIDE = (WINDOW - 1) * 2**4 + 1
"""Five scales of a 7-pixel window fit into this many pixels."""


def mean_ms_ssim(groups: Sequence[Sequence[np.ndarray]]) -> float:
    """Mean MS-SSIM (Wang et al., 2003) over the pairs in each group, then over groups.

    A group holds 8-bit grey pictures of one prompt, H x W. Lower is more diverse;
    1 means that all seeds gave the same picture.
    """
    return float(np.mean([_within(group) for group in groups]))


def _within(group: Sequence[np.ndarray]) -> float:
    if len(group) < 2:
        raise ValueError("a group needs two pictures or more")
    smallest = min(min(picture.shape) for picture in group)
    if smallest < SMALLEST_SIDE:
        raise RemediableError(
            f"MS-SSIM cannot be had of pictures of {smallest} pixels",
            remedy=f"Use pictures of {SMALLEST_SIDE} pixels or more a side.",
        )
    pictures = torch.from_numpy(np.stack(group))[:, None].float()
    pairs = list(combinations(range(len(group)), 2))
    first, second = (pictures[list(indexes)] for indexes in zip(*pairs, strict=True))
    return ms_ssim(first, second, data_range=255, win_size=WINDOW).item()
