"""A child beside its parent: task by task on a benchmark, and on reports of held-out patients.

Every figure has a 95 % interval over patients. A task is no worse only if the whole interval of
the difference lies above the margin; reports are better only if that of the share won lies
above one half. What cannot be told holds a child back like what speaks against it.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from generation.statistics.intervals import Interval, cluster_bootstrap, wilson
from generation.vlm.benchmark.answers import Answers, Given
from generation.vlm.benchmark.items import Question
from generation.vlm.benchmark.plain import plain
from generation.vlm.benchmark.scoring import boxes_in, overlap
from generation.vlm.benchmark.text_metrics import label_parser, label_table, micro_f1

PASSED, FAILED, MISSING = "passed", "failed", "could not be told"
REPORTS, WRITTEN = "Readers' choices", "Reports as written"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that a gate asks: its figure with an interval, and the limit of its low end."""

    name: str
    figure: str
    count: int
    value: float
    low: float
    high: float
    limit: float
    outcome: str

    @property
    def row(self) -> dict[str, Any]:
        told: dict[str, Any] = plain(asdict(self))
        return told


def task_rules(
    questions: Sequence[Question], child: Answers, parent: Answers, *, margin: float
) -> list[Rule]:
    """Returns a rule a task, over all sources."""
    groups: dict[str, list[Question]] = defaultdict(list)
    for one in questions:
        groups[one.task].append(one)
    return [_of_task(task, of_task, child, parent, margin=margin)
            for task, of_task in sorted(groups.items())]  # fmt: skip


def _of_task(
    task: str, questions: Sequence[Question], child: Answers, parent: Answers, *, margin: float
) -> Rule:
    patients = np.array([one.patient for one in questions])
    if questions[0].kind == "text":
        texts = [[answers.get((one.id, False), Given()).text for one in questions]
                 for answers in (child, parent)]  # fmt: skip
        truth = [one.answer for one in questions]
        return written_rule(task, texts[0], texts[1], truth, patients=patients, margin=margin)
    gains = np.array([_right(one, child) - _right(one, parent) for one in questions])
    interval = cluster_bootstrap(
        lambda chosen: float(gains[chosen].mean()), clusters=patients, seed=0
    )
    figure = "overlap of boxes" if questions[0].kind == "box" else "accuracy"
    return _rule(task, f"{figure}, child less parent", len(questions), interval, limit=-margin)


def _right(question: Question, answers: Answers) -> float:
    """Returns how right an answer is, from 0 to 1; none at all is wrong."""
    given = answers.get((question.id, False), Given())
    if question.kind == "box":
        return overlap(boxes_in(given.text), boxes_in(question.answer))
    return float(given.option == question.answer)


def written_rule(
    name: str,
    child: Sequence[str],
    parent: Sequence[str],
    truth: Sequence[str],
    *,
    patients: np.ndarray,
    margin: float,
) -> Rule:
    """By F1 of fourteen labels, micro, against reports that are not in doubt."""
    parser = label_parser()
    ours, theirs, right = (label_table(texts, parser=parser) for texts in (child, parent, truth))

    def gain(chosen: np.ndarray) -> float:
        return micro_f1(ours[chosen], right[chosen]) - micro_f1(theirs[chosen], right[chosen])

    interval = cluster_bootstrap(gain, clusters=patients, seed=0)
    return _rule(name, "label F1, child less parent", len(truth), interval, limit=-margin)


def choice_rule(
    lessons: Sequence[Mapping[str, Any]],
    child: Sequence[Mapping[str, Any]],
    parent: Sequence[Mapping[str, Any]],
) -> Rule:
    """Returns how often the child leans further than its parent to what a reader preferred.

    A patient counts once, with the share that is won of theirs; Wilson's interval is over them.
    """
    won: dict[str, list[float]] = defaultdict(list)
    for lesson, ours, theirs in zip(lessons, child, parent, strict=True):
        if lesson["over"]:
            further = (ours["text"] - ours["over"]) - (theirs["text"] - theirs["over"])
            won[lesson["patient"]].append(0.5 if further == 0 else float(further > 0))
    shares = [float(np.mean(of_patient)) for of_patient in won.values()]
    count = sum(map(len, won.values()))
    interval = Interval(math.nan, math.nan, math.nan)
    if shares:
        interval = Interval(float(np.mean(shares)), *wilson(sum(shares), len(shares)))
    return _rule(REPORTS, "share of choices won", count, interval, limit=0.5, is_strict=True)


def untaught(questions: Sequence[Question], taught: frozenset[str]) -> list[Question]:
    """Returns those of patients of whom no picture, known by its hash, was taught."""
    known = {one.patient for one in questions if not taught.isdisjoint(one.image_sha256)}
    return [one for one in questions if one.patient not in known]


def _rule(
    name: str,
    figure: str,
    count: int,
    interval: Interval,
    *,
    limit: float,
    is_strict: bool = False,
) -> Rule:
    outcome = MISSING
    if math.isfinite(interval.low):
        is_met = interval.low > limit if is_strict else interval.low >= limit
        outcome = PASSED if is_met else FAILED
    return Rule(
        name=name,
        figure=figure,
        count=count,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        limit=limit,
        outcome=outcome,
    )
