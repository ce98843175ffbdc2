"""How a model's yes-or-no answers to a benchmark fare by sex, age band and view of the patient."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from generation.statistics.fairness import LEAST, UNKNOWN, Judged, report, with_pairs
from generation.vlm.benchmark.answers import Answers, Given
from generation.vlm.benchmark.items import BINARY, Benchmark, Question
from generation.vlm.benchmark.plain import plain

ATTRIBUTES = {
    "sex classification": "sex",
    "age classification": "age",
    "view classification": "view",
}
"""What instructions say of a picture, by their task."""

Known = Mapping[str, Mapping[str, str]]
"""By picture and attribute."""


def attributes_of(instructions: Path, *, split: str = "test") -> dict[str, dict[str, str]]:
    """Returns what is known of the pictures of a split."""
    known: dict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted((instructions / split).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                attribute = ATTRIBUTES.get(row["task"])
                if attribute and len(row["images"]) == 1 and row["options"]:
                    known[row["images"][0]][attribute] = row["options"][row["option"]]
    return known


def fairness(
    benchmark: Benchmark, answers: Answers, known: Known, *, seed: int = 0
) -> list[dict[str, Any]]:
    """Figures by group for each finding of each source that enough pictures are asked for."""
    groups: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for one in benchmark.questions:
        if one.task == BINARY and len(one.images) == 1:
            groups[one.source, one.finding].append(one)
    return [
        {"source": source, "finding": finding, "images": len(questions)}
        | {"attributes": _of_finding(questions, answers, known, seed=seed)}
        for (source, finding), questions in sorted(groups.items())
        if _is_enough(questions)
    ]


def _is_enough(questions: Sequence[Question]) -> bool:
    ill = sum(one.answer == "yes" for one in questions)
    return len(questions) >= 2 * LEAST and 0 < ill < len(questions)


def _of_finding(
    questions: Sequence[Question], answers: Answers, known: Known, *, seed: int
) -> list[dict[str, Any]]:
    judged = Judged(
        truth=np.array([one.answer == "yes" for one in questions]),
        scores=np.array([_yes(answers.get((one.id, False), Given()), one) for one in questions]),
        patients=np.array([one.patient for one in questions]),
    )
    attributes = {
        name: np.array([known.get(one.images[0], {}).get(name, UNKNOWN) for one in questions],
                       dtype=object)
        for name in ATTRIBUTES.values()
    }  # fmt: skip
    told = {name: values for name, values in attributes.items() if (values != UNKNOWN).any()}
    return [plain(asdict(one)) | {"is_biased": bool(one.is_biased)}
            for one in report(judged, with_pairs(told), seed=seed)]  # fmt: skip


def _yes(given: Given, question: Question) -> float:
    """Returns how likely a yes is; of an answer in words all or nothing."""
    if given.probabilities:
        return given.probabilities[question.options.index("yes")]
    return float(given.option == "yes")
