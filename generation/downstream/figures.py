"""Figures of downstream models on real images, and the thresholds that they are read at."""

import math
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import torch
from monai.metrics import compute_hausdorff_distance

from generation.statistics.overlap import dice
from generation.statistics.ranking import auroc, average_precision

HALF = 0.5
MASK_THRESHOLDS = tuple(round(0.1 * step, 1) for step in range(1, 10))
HD_PERCENTILE = 95.0

Truth = Mapping[str, np.ndarray]
"""Whether each finding is there, by image: bool, N."""
Probabilities = Mapping[str, np.ndarray]
"""Float in [0, 1], N, by finding."""


def f1(truth: np.ndarray, said: np.ndarray) -> float:
    """Returns 2 TP / (2 TP + FP + FN) of bool, N each.

    It is 0 where nothing is there and nothing said.
    """
    errors = int((truth != said).sum())
    hits = int((truth & said).sum())
    return 2 * hits / (2 * hits + errors) if hits else 0.0


def macro_f1(truth: np.ndarray, said: np.ndarray) -> float:
    """Returns the mean of the F1 of a finding's presence and that of its absence."""
    return (f1(truth, said) + f1(~truth, ~said)) / 2


def best_threshold(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Find where the macro F1 of presence and absence is highest; of several, nearest to 0.5.

    Thresholds lie in the middle between neighbouring probabilities; an image has the
    finding where its probability is not below.
    """
    levels = np.unique(probabilities)
    candidates = [HALF, *((levels[1:] + levels[:-1]) / 2).tolist()]
    return _best(candidates, lambda value: macro_f1(truth, probabilities >= value))


def _best(candidates: Sequence[float], figure_at: Callable[[float], float]) -> float:
    return max(candidates, key=lambda value: (figure_at(value), -abs(value - HALF)))


def classification_figures(
    truth: Truth, probabilities: Probabilities, thresholds: Mapping[str, float]
) -> dict[str, float]:
    """F1 at the threshold, AUROC and average precision by finding, and their means.

    ``macro_f1`` of a single finding is the mean over its presence and its absence, of
    several the mean of their F1. What images all with or all without a finding cannot
    give (AUROC, average precision) is left out.
    """
    f1s, aurocs, precisions = {}, {}, {}
    for finding, there in truth.items():
        found = probabilities[finding]
        f1s[finding] = f1(there, found >= thresholds[finding])
        area, precision = auroc(there, found), average_precision(there, found)
        if area is not None and precision is not None:
            aurocs[finding], precisions[finding] = area, precision
    figures = {"macro_f1": _macro(truth, probabilities, thresholds, f1s)}
    for name, values in (("f1", f1s), ("auroc", aurocs), ("average_precision", precisions)):
        if values:
            figures[name] = _mean(values.values())
        figures |= {f"{name}_{as_key(finding)}": value for finding, value in values.items()}
    return figures


def _macro(
    truth: Truth,
    probabilities: Probabilities,
    thresholds: Mapping[str, float],
    f1s: Mapping[str, float],
) -> float:
    if len(truth) > 1:
        return _mean(f1s.values())
    ((finding, there),) = truth.items()
    return macro_f1(there, probabilities[finding] >= thresholds[finding])


def as_key(finding: str) -> str:
    return finding.replace(" ", "_")


AUROC_BY_CHANCE = 0.5


def dice_by_chance(learnt: torch.Tensor, truth: torch.Tensor) -> float:
    """Returns the mean Dice of the best mask that looks at no image, bool, N x R x R and M x R x R.

    It is the part of the picture that is mask in so many of the training masks ``learnt``, or
    all of the picture, or nothing of it, whichever agrees best with ``truth``.
    """
    share = learnt.double().mean(0).expand(truth.shape)  # how often each pixel is mask
    return max(dice(share >= value, truth).mean().item() for value in (0.0, *MASK_THRESHOLDS, 2.0))


def best_mask_threshold(probabilities: torch.Tensor, truth: torch.Tensor) -> float:
    """Find where from 0.1 to 0.9 the mean Dice is highest; N x R x R, float and bool."""
    return _best(MASK_THRESHOLDS, lambda value: dice(probabilities >= value, truth).mean().item())


def hausdorff_95(drawn: torch.Tensor, truth: torch.Tensor) -> list[float | None]:
    """Measure in pixels how far masks (bool, N x R x R) are apart; None where one is empty."""
    with warnings.catch_warnings():  # MONAI warns of an argument that it passes itself
        warnings.filterwarnings("ignore", "monai.metrics.utils get_mask_edges", FutureWarning)
        return [
            compute_hausdorff_distance(
                one[None, None].float(), other[None, None].float(), percentile=HD_PERCENTILE
            ).item()
            if one.any() and other.any()
            else None
            for one, other in zip(drawn, truth, strict=True)
        ]


def segmentation_figures(
    dices: Sequence[float], distances: Sequence[float | None], positive: Sequence[bool]
) -> dict[str, float]:
    """Mean Dice of all images and of those with a mask; mean distance where there is one."""
    figures = {"dice": _mean(dices)}
    with_mask = [value for value, there in zip(dices, positive, strict=True) if there]
    known = [value for value in distances if value is not None]
    if with_mask:
        figures["dice_positive"] = _mean(with_mask)
    if known:
        figures["hd95"] = _mean(known)
    return figures


def _mean(values: Collection[float]) -> float:
    return math.fsum(values) / len(values)
