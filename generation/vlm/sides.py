"""On which side of the patient a finding lies: what sources say of it, and a head that tells it.

The head looks at what is seen of the two halves of a picture, and knows nothing but their
difference, so that it is taught on each picture and its mirror image at once. The patient's
right is on the picture's left.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from generation.statistics.ranking import auroc
from generation.vlm.benchmark.probe import fit
from generation.vlm.model.rows import Row

LEFT, RIGHT = "side left", "side right"
TOLD_BY = ("findings generation", "impression generation")
BOXED_BY = "abnormality grounding"
MIDDLE = 50
"""Boxes are in hundredths of the picture."""
STRENGTH = 0.0003
FEWEST = 20
WORDS = {
    LEFT: re.compile(r"\b(left|lt|lul|lll|bilateral(ly)?|both (lungs|sides))\b"),
    RIGHT: re.compile(r"\b(right|rt|rul|rml|rll|bilateral(ly)?|both (lungs|sides))\b"),
}


def sides_of(rows: Sequence[Row]) -> dict[str, bool]:
    """By picture on one of whose sides alone something is seen: whether that is the left.

    By the box of each finding where there are boxes, else by the words of its report.
    """
    told: dict[str, set[str]] = {}
    boxed: dict[str, set[str]] = {}
    for row in rows:
        if len(row.images) != 1:
            continue
        if row.task in TOLD_BY:
            text = row.answer.lower()
            named = {side for side, words in WORDS.items() if words.search(text)}
            told.setdefault(row.images[0], set()).update(named)
        elif row.task == BOXED_BY:
            boxed.setdefault(row.images[0], set()).update(map(_side_of_box, _boxes(row.answer)))
    found = {**told, **boxed}
    return {picture: LEFT in sides for picture, sides in found.items() if len(sides) == 1}


def differences(cells: np.ndarray) -> np.ndarray:
    """N x F: how much more is seen on the patient's left than on their right.

    ``cells`` are N x (1 + grid squared) x F, the whole picture first. Of each half the strongest
    of every channel counts; the middle column of an odd grid counts for neither.
    """
    grid = round((cells.shape[1] - 1) ** 0.5)
    places = np.asarray(cells[:, 1:], dtype=np.float32).reshape(len(cells), grid, grid, -1)
    half = grid // 2
    on_right, on_left = places[:, :, :half], places[:, :, grid - half :]
    most: np.ndarray = on_left.max(axis=(1, 2)) - on_right.max(axis=(1, 2))
    return most


@dataclass(frozen=True, kw_only=True)
class SideFigures:
    """Areas under the ROC curve between left and right: held out, and of a source not taught on.

    ``thresholds`` are by phrase what all but a twentieth of held-out pictures reach.
    """

    area: float
    elsewhere: float | None
    thresholds: Mapping[str, float]


def teach_side(
    cells: np.ndarray, is_left: np.ndarray, held: np.ndarray, *, reference: float
) -> tuple[nn.Linear, SideFigures] | None:
    """Teaches the head on all pictures that are not ``held``; None where there are too few."""
    found, taught = differences(cells), ~held
    if min(is_left[taught].sum(), (~is_left[taught]).sum(), held.sum()) < FEWEST:
        return None
    usual = found[taught].mean(axis=0)
    moved, truth = found[taught] - usual, is_left[taught]
    weight, _ = fit(
        np.concatenate([moved, -moved]), np.concatenate([truth, ~truth]), strength=STRENGTH
    )
    head = nn.Linear(found.shape[1], 1).requires_grad_(False)
    head.weight.copy_(torch.from_numpy(weight)[None])
    head.bias.fill_(float(-(weight @ usual)))
    scores = _scores(head, found)
    area = auroc(is_left[held], scores[held])
    if area is None:
        return None
    thresholds = {
        LEFT: float(np.quantile(scores[held & is_left], reference)),
        RIGHT: float(np.quantile(1 - scores[held & ~is_left], reference)),
    }
    return head, SideFigures(area=area, elsewhere=None, thresholds=thresholds)


def side_area(head: nn.Linear, cells: np.ndarray, is_left: np.ndarray) -> float | None:
    """Returns the head's area on pictures of another source; None where all are of one side."""
    return auroc(is_left, _scores(head, differences(cells)))


def side_probabilities(head: nn.Linear, cells: torch.Tensor) -> list[dict[str, float]]:
    """Returns, by picture, how likely what is seen lies left or right, if it lies on one side
    alone.
    """
    scores = _scores(head, differences(cells.float().numpy())).tolist()
    return [{LEFT: score, RIGHT: 1 - score} for score in scores]


def _scores(head: nn.Linear, found: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        scores: np.ndarray = head(torch.from_numpy(found)).sigmoid()[:, 0].numpy()
    return scores


def _boxes(answer: str) -> list[list[float]]:
    """Returns an answer is one box, or several."""
    found = json.loads(f"[{answer}]")
    while found and isinstance(found[0][0], list):
        found = found[0]
    boxes: list[list[float]] = found
    return boxes


def _side_of_box(box: Sequence[float]) -> str:
    return LEFT if box[0] + box[2] > 2 * MIDDLE else RIGHT
