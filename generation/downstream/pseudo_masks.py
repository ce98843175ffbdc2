"""Masks that a segmenter draws where nobody has drawn any, with how far to trust each.

``found = pseudo_masks(Segmenter.load(folder), images)``, of which ``mask.is_usable`` are used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from generation.downstream.confidence import agreement
from generation.downstream.framing import as_input, unframe
from generation.downstream.prediction import predict
from generation.downstream.segmenter import Segmenter

LEAST_CONFIDENCE = 0.7
"""A mask of less estimated Dice is not kept, as with CheXmask's masks."""


@dataclass(frozen=True)
class PseudoMask:
    """It is a mask (bool, H x W, of its image's size); ``confidence`` is the Dice to expect.

    ``is_plausible`` where parts and areas are as in masks drawn by people.
    """

    mask: np.ndarray
    confidence: float
    is_plausible: bool

    @property
    def is_usable(self) -> bool:
        return self.is_plausible and self.confidence >= LEAST_CONFIDENCE


def pseudo_masks(segmenter: Segmenter, images: Sequence[np.ndarray]) -> list[PseudoMask]:
    """Draw masks on 8-bit grey images (H x W) of any size; outside the central square is none."""
    inputs = as_input(images, side=segmenter.config.resolution)
    found = predict(segmenter.net, inputs)
    agreements = agreement(segmenter.net, inputs, found > 0.5)
    confidences = segmenter.config.calibration.expected_dice(agreements).tolist()
    return [
        _pseudo_mask(segmenter, image, probabilities, confidence)
        for image, probabilities, confidence in zip(images, found, confidences, strict=True)
    ]


def _pseudo_mask(
    segmenter: Segmenter, image: np.ndarray, probabilities: torch.Tensor, confidence: float
) -> PseudoMask:
    height, width = image.shape
    plausibility = segmenter.config.plausibility
    framed = plausibility.clean((probabilities > 0.5).numpy())
    whole = plausibility.clean(unframe(probabilities, width=width, height=height) > 0.5)
    return PseudoMask(whole, confidence, plausibility.holds_for(framed))
