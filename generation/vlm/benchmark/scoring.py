"""Figures of a benchmark task: accuracy beside what needs no looking, and boxes by overlap.

Intervals draw whole patients anew. What could not be parsed is wrong, and counted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.statistics.intervals import Interval, cluster_bootstrap
from generation.vlm.benchmark.choices import majority

BOX = re.compile(r"\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]")
Box = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One question of a task: its right answer, and what was answered with and without looking.

    An answer is None where it could not be parsed; ``blind`` was given to another patient's
    picture. ``is_stable`` where no order of the options changed it; None where it was not asked.
    """

    patient: str
    truth: str
    answer: str | None
    blind: str | None = None
    is_stable: bool | None = None


@dataclass(frozen=True, kw_only=True)
class TaskFigures:
    """``gain`` is accuracy less that of the blind answers, on the same patients.

    None where nothing was asked blind, and where training has no answers.
    """

    questions: int
    patients: int
    accuracy: Interval
    blind: Interval | None
    majority: Interval | None
    gain: Interval | None
    unparsable: int
    stable: float | None


def score_task(
    answered: Sequence[Answered],
    *,
    training_answers: Sequence[str],
    was_blind: bool = True,
    seed: int = 0,
) -> TaskFigures:
    """``training_answers`` are the right answers of training, which the majority is taken of."""
    if not answered:
        raise ValueError("a task without questions has no figures")
    patients = np.array([one.patient for one in answered])
    most = majority(training_answers)
    right = np.array([one.answer == one.truth for one in answered], dtype=float)
    blind = np.array([one.blind == one.truth for one in answered], dtype=float)
    usual = np.array([one.truth == most for one in answered], dtype=float)
    asked = [one.is_stable for one in answered if one.is_stable is not None]

    def mean(values: np.ndarray) -> Interval:
        return cluster_bootstrap(
            lambda chosen: float(values[chosen].mean()), clusters=patients, seed=seed
        )

    return TaskFigures(
        questions=len(answered),
        patients=len(set(patients.tolist())),
        accuracy=mean(right),
        blind=mean(blind) if was_blind else None,
        majority=mean(usual) if training_answers else None,
        gain=mean(right - blind) if was_blind else None,
        unparsable=sum(one.answer is None for one in answered),
        stable=sum(asked) / len(asked) if asked else None,
    )


def boxes_in(text: str) -> list[Box]:
    """Returns the boxes that an answer writes as ``[12, 30, 45, 60]``; none where it writes
    none.
    """
    boxes = []
    for match in BOX.finditer(text):
        left, top, right, bottom = (int(number) for number in match.groups())
        if left < right and top < bottom:
            boxes.append((left, top, right, bottom))
    return boxes


def overlap(said: Sequence[Box], truth: Sequence[Box], *, side: int = 100) -> float:
    """Intersection over union of the areas that two sets of boxes cover; 1 where both are empty.

    An answer without a box overlaps with nothing; it never borrows the box of another answer.
    """
    one, other = (_covered(boxes, side=side) for boxes in (said, truth))
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 1.0


def _covered(boxes: Sequence[Box], *, side: int) -> np.ndarray:
    """Side x side of bool."""
    area = np.zeros((side, side), dtype=bool)
    for left, top, right, bottom in boxes:
        area[top:bottom, left:right] = True
    return area
