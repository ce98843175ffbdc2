"""Figures of a downstream model under weights of its test images, many weights at a time.

``weights`` are B x N: how often each of N images counts in each of B resamples. Every
metric gives B figures, NaN where it is not defined. Without resampling B is 1 and all
weights are 1. The definitions are those that a cell is measured by (see
``generation.downstream.figures``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_app.experiments.statistics.predictions import Bools, Drawn, Floats, Outcome, Told
from generation.specs import Task

Measure = Callable[[Any, Floats], Floats]


@dataclass(frozen=True)
class Metric:
    """``unit`` is that of the figure; a distance is better if it is less."""

    name: str
    label: str
    task: Task
    measure: Measure
    less_is_better: bool = False
    unit: str = ""

    def under(self, outcome: Outcome, weights: Floats) -> Floats:
        return self.measure(outcome, weights)

    def value(self, outcome: Outcome, members: Bools | None = None) -> float:
        """On all test images, or on those of a group."""
        count = len(outcome.dice) if isinstance(outcome, Drawn) else outcome.truth.shape[1]
        weights = np.ones((1, count)) if members is None else members[None].astype(np.float64)
        return float(self.measure(outcome, weights)[0])

    @property
    def sign(self) -> int:
        """What a difference is multiplied by, so that a gain is positive."""
        return -1 if self.less_is_better else 1


def f1_by_finding(told: Told, weights: Floats) -> Floats:
    """2 TP / (2 TP + FP + FN), F x B; 0 where nothing was found rightly."""
    return np.stack(
        [
            _f1(truth, said, weights * known)
            for truth, said, known in zip(told.truth, told.said, told.known, strict=True)
        ]
    )


def _f1(truth: Bools, said: Bools, weights: Floats) -> Floats:
    hits = weights @ (truth & said).astype(np.float64)
    errors = weights @ (truth != said).astype(np.float64)
    return np.divide(2 * hits, 2 * hits + errors, out=np.zeros_like(hits), where=hits > 0)


def macro_f1(told: Told, weights: Floats) -> Floats:
    """Averages a single finding's F1 over its presence and absence, several findings' over them."""
    found = f1_by_finding(told, weights)
    if len(found) > 1:
        return found.mean(axis=0)
    absence = _f1(~told.truth[0], ~told.said[0], weights * told.known[0])
    return (found[0] + absence) / 2


def mean_f1(told: Told, weights: Floats) -> Floats:
    """Averages the F1 of the findings' presence alone."""
    return f1_by_finding(told, weights).mean(axis=0)


def auroc(told: Told, weights: Floats) -> Floats:
    """Returns the mean over findings of the area under the ROC curve, ties counting half."""
    return _mean_defined([_auroc(told, row, weights) for row in range(len(told.truth))])


def average_precision(told: Told, weights: Floats) -> Floats:
    """Returns the mean over findings of sum over thresholds (R_n - R_n-1) P_n, as scikit-learn
    has it.
    """
    return _mean_defined([_average_precision(told, row, weights) for row in range(len(told.truth))])


def _auroc(told: Told, finding: int, weights: Floats) -> Floats:
    with_it, without = _by_level(told, finding, weights)
    below = np.cumsum(without, axis=1) - without
    wins = (with_it * (below + without / 2)).sum(axis=1)
    return _share(wins, with_it.sum(axis=1) * without.sum(axis=1))


def _average_precision(told: Told, finding: int, weights: Floats) -> Floats:
    with_it, without = (part[:, ::-1] for part in _by_level(told, finding, weights))
    hits, said = np.cumsum(with_it, axis=1), np.cumsum(with_it + without, axis=1)
    precision = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
    found = _share((with_it * precision).sum(axis=1), hits[:, -1])
    return np.where(without.sum(axis=1) > 0, found, np.nan)


def _by_level(told: Told, finding: int, weights: Floats) -> tuple[Floats, Floats]:
    """Returns weights with and without the finding by level of probability, rising: B x levels."""
    truth, known = told.truth[finding], told.known[finding]
    probability = told.probability[finding]
    levels, at = np.unique(probability[known], return_inverse=True)
    order = np.argsort(at, kind="stable")
    starts = np.searchsorted(at[order], np.arange(len(levels)))
    chosen = weights[:, known][:, order]
    there = truth[known][order].astype(np.float64)
    return (
        np.add.reduceat(chosen * there, starts, axis=1),
        np.add.reduceat(chosen * (1 - there), starts, axis=1),
    )


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _mean_defined(rows: list[Floats]) -> Floats:
    """Returns the mean over findings, of those that are defined."""
    stacked = np.stack(rows)
    is_defined = ~np.isnan(stacked)
    return _share(np.where(is_defined, stacked, 0).sum(axis=0), is_defined.sum(axis=0) * 1.0)


def dice(drawn: Drawn, weights: Floats) -> Floats:
    return _weighted_mean(drawn.dice, weights)


def positive_dice(drawn: Drawn, weights: Floats) -> Floats:
    """Averages over images that have the mask."""
    return _weighted_mean(drawn.dice, weights * drawn.is_positive)


def hausdorff_95(drawn: Drawn, weights: Floats) -> Floats:
    """Averages over images where neither mask is empty."""
    is_known = ~np.isnan(drawn.hd95)
    return _weighted_mean(np.where(is_known, drawn.hd95, 0), weights * is_known)


def _weighted_mean(values: Floats, weights: Floats) -> Floats:
    return _share(weights @ values, weights.sum(axis=1))


METRICS = {
    metric.name: metric
    for metric in (
        Metric("macro_f1", "Macro F1", "classification", macro_f1),
        Metric("f1", "F1 of findings", "classification", mean_f1),
        Metric("auroc", "AUROC", "classification", auroc),
        Metric("average_precision", "Average precision", "classification", average_precision),
        Metric("dice", "Dice", "segmentation", dice),
        Metric("dice_positive", "Dice where there is a mask", "segmentation", positive_dice),
        Metric(
            "hd95", "Hausdorff 95", "segmentation", hausdorff_95, less_is_better=True, unit="px"
        ),
    )
}


def metrics_of(task: str) -> list[Metric]:
    return [metric for metric in METRICS.values() if metric.task == task]
