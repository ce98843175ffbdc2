"""Masks drawn without a look at the image, which every segmenter has to beat."""

from pathlib import Path

import numpy as np
import torch

from generation.conditioning.masks import LUNG_KINDS, lungs_among, read_mask
from generation.downstream.examples import Examples
from generation.downstream.figures import HALF, MASK_THRESHOLDS
from generation.statistics.overlap import dice

MEAN_MASK, ALL_LUNGS = "mean mask", "all lungs"


def masks_of(examples: Examples) -> torch.Tensor:
    """Give the masks at the network's resolution: bool, N x R x R."""
    assert examples.masks is not None
    return examples.masks[:, 0, ::2, ::2] > 127


def trivial_dice(
    test: Examples, *, learnt: Examples, validation: Examples | None, kind: str
) -> dict[str, list[float | None]]:
    """Give the Dice of each test image by what draws it: the mean of masks learnt from, or lungs.

    All of the true lungs stand for a lesion within them; None where nobody drew the lungs.
    """
    truth = masks_of(test)
    found: dict[str, list[float | None]] = {}
    found[MEAN_MASK] = dice(mean_mask(learnt, validation).expand(truth.shape), truth).tolist()
    if kind not in LUNG_KINDS and any(lungs_among(row.masks) for row in test.rows):
        found[ALL_LUNGS] = lungs_dice(test, truth)
    return found


def mean_mask(learnt: Examples, validation: Examples | None) -> torch.Tensor:
    """Give the pixels that are mask in so many of the masks as is best on validation: R x R."""
    share = masks_of(learnt).double().mean(0)
    if validation is None:
        return share >= HALF
    truth = masks_of(validation)
    cuts = [(dice((share >= cut).expand(truth.shape), truth).mean(), cut) for cut in TRIED]
    return share >= max(cuts)[1]


TRIED = (0.0, *MASK_THRESHOLDS)
"""At 0 the mask is the whole picture."""


def lungs_dice(test: Examples, truth: torch.Tensor) -> list[float | None]:
    side = truth.shape[-1]
    found: list[float | None] = []
    for row, there in zip(test.rows, truth, strict=True):
        name = lungs_among(row.masks)
        if name is None:
            found.append(None)
            continue
        lungs = torch.from_numpy(np.array(read_mask(Path(row.masks[name]), side=side)))
        found.append(dice(lungs[None], there[None]).item())
    return found
