"""What proxies say of a candidate: does it show what was asked for?

Prakash et al., arXiv 2411.18602, filter candidates by a proxy model without saying which;
here it is the downstream task's own model, trained on real images only.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch

from generation.downstream.framing import frame_mask
from generation.statistics.overlap import dice


def label_agreement(probabilities: Mapping[str, float], wanted: Collection[str]) -> float | None:
    """Returns the mean probability of the findings that a prompt names.

    For a prompt that names none, that there is none of those that the classifier knows,
    which is at most what is left of the likeliest: 1 - max. None where the classifier
    knows none of the findings named.
    """
    if not wanted:
        return 1 - max(probabilities.values())
    known = [probabilities[finding] for finding in sorted(wanted) if finding in probabilities]
    return sum(known) / len(known) if known else None


def mask_agreement(drawn: torch.Tensor, wanted: Sequence[np.ndarray]) -> list[float]:
    """Dice of what a segmenter drew (bool, N x R x R) with masks of any size (bool, N)."""
    side = drawn.shape[-1]
    framed = np.stack([frame_mask(mask, side=side) for mask in wanted])
    values: list[float] = dice(drawn, torch.from_numpy(framed)).tolist()
    return values
