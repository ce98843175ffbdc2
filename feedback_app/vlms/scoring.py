"""A result's rows: from a model's answers and its probe's to figures, sheet and fairness."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction

from feedback_app.images.blobs.places import bring_current, put
from feedback_app.vlms.asking import ANSWERS, BENCHMARK, SHEET
from feedback_app.vlms.building import Thumbnails
from feedback_app.vlms.models import BenchmarkResult, BenchmarkScore, ScoreKind
from feedback_app.vlms.set_files import bring_set
from generation.statistics.intervals import Interval, cluster_bootstrap
from generation.statistics.ranking import auroc
from generation.vlm.benchmark.answers import (
    Answers,
    BoxFigures,
    Figures,
    Given,
    read_answers,
    score,
)
from generation.vlm.benchmark.groups import attributes_of, fairness
from generation.vlm.benchmark.items import Benchmark, Question, read_benchmark
from generation.vlm.benchmark.lmms_eval import answers_of, is_log
from generation.vlm.benchmark.plain import plain
from generation.vlm.benchmark.scoring import TaskFigures
from generation.vlm.instructions.folders import picture_folders

PROBE = "probe.jsonl"
SHOWN_A_TASK = 4
Group = tuple[str, str]


def score_result(result: BenchmarkResult) -> dict[str, Any]:
    """Read the answers of a result and store what follows; once more it stores the same."""
    bring_current(result.path)
    instructions = bring_set(result.instruction_set.path)
    benchmark = read_benchmark(instructions / BENCHMARK)
    _take_over_log(result.path / ANSWERS, benchmark)
    answers = read_answers(result.path / ANSWERS, benchmark)
    probed = result.path / PROBE
    probe = read_answers(probed, benchmark) if probed.is_file() else {}
    figures = score(benchmark, answers)
    groups = _groups(benchmark)
    rows = [
        BenchmarkScore(
            result=result,
            task=task,
            source=source,
            **_fields(one),
            **_probe_fields(groups[task, source], probe),
            auroc=_auroc(groups[task, source], answers),
        )
        for task, of_sources in figures.items()
        for source, one in of_sources.items()
    ]
    result.fairness = fairness(benchmark, answers, attributes_of(instructions))
    result.sheet = _sheet(result, groups, answers, instructions)
    put(result.path)
    with transaction.atomic():
        result.scores.all().delete()
        BenchmarkScore.objects.bulk_create(rows)
        result.save(update_fields=["fairness", "sheet"])
    return {"answers": len(answers), "figures": len(rows)}


def _take_over_log(path: Path, benchmark: Benchmark) -> None:
    """A log of lmms-eval is written anew as answers; whatever else it is stays as it is."""
    text = path.read_text(encoding="utf-8")
    if is_log(text):
        path.write_text(answers_of(text, benchmark), encoding="utf-8")


def _groups(benchmark: Benchmark) -> dict[Group, list[Question]]:
    groups: dict[Group, list[Question]] = defaultdict(list)
    for one in benchmark.questions:
        groups[one.task, one.source].append(one)
    return groups


def _fields(figures: Figures) -> dict[str, Any]:
    details = plain(asdict(figures))
    if isinstance(figures, TaskFigures):
        return {
            "kind": ScoreKind.CHOICE,
            "questions": figures.questions,
            **_interval("", figures.accuracy),
            **_interval("blind", figures.blind),
            **_interval("gain", figures.gain),
            "majority": figures.majority.value if figures.majority else None,
            "unparsable": figures.unparsable,
            "stable": figures.stable,
            "details": details,
        }
    if isinstance(figures, BoxFigures):
        return {
            "kind": ScoreKind.BOX,
            "questions": figures.questions,
            **_interval("", figures.overlap),
            **_interval("blind", figures.blind),
            "unparsable": figures.without_box,
            "details": details,
        }
    micro = figures.fourteen_micro
    return {
        "kind": ScoreKind.TEXT,
        "questions": figures.texts,
        **_interval("", Interval(0.0, micro.low, micro.high) if math.isnan(micro.value) else micro),
        "details": details,
    }


def _probe_fields(questions: Sequence[Question], probe: Answers) -> dict[str, Any]:
    """Where the probe answered all questions of a group: else it would stand beside others."""
    answered = [probe.get((one.id, False)) for one in questions]
    if not all(answered):
        return {}
    right = np.array([said is not None and said.option == one.answer
                      for said, one in zip(answered, questions, strict=True)], float)  # fmt: skip
    patients = np.array([one.patient for one in questions])
    return _interval("probe", cluster_bootstrap(
        lambda chosen: float(right[chosen].mean()), clusters=patients, seed=0))  # fmt: skip


def _auroc(questions: Sequence[Question], answers: Answers) -> float | None:
    """Returns the area under the ROC curve of the first option's probability, where two are
    asked.
    """
    options = {frozenset(one.options) for one in questions}
    if len(options) != 1 or any(len(one.options) != 2 for one in questions):
        return None
    first = min(questions[0].options)
    given = [answers.get((one.id, False), Given()) for one in questions]
    if not all(said.probabilities for said in given):
        return None
    scores = [said.probabilities[one.options.index(first)]
              for said, one in zip(given, questions, strict=True)]  # fmt: skip
    return auroc(np.array([one.answer == first for one in questions]), np.array(scores))


def _interval(name: str, interval: Interval | None) -> dict[str, Any]:
    if interval is None:
        return {}
    prefix = f"{name}_" if name else ""
    found = {name or "value": interval.value, f"{prefix}low": interval.low}
    return plain(found | {f"{prefix}high": interval.high})


def _sheet(
    result: BenchmarkResult,
    groups: Mapping[Group, Sequence[Question]],
    answers: Answers,
    instructions: Path,
) -> list[dict[str, Any]]:
    """Returns a few answers of each task and source; a picture that is gone is left out."""
    thumbnails = Thumbnails(result.path / SHEET, picture_folders(instructions))
    return [
        {
            "task": task,
            "source": source,
            "question": one.question,
            "right": one.answer,
            "said": said.option or said.text,
            "is_right": said.option == one.answer if one.kind == "choice" else None,
            "options": _options(one, said, answers.get((one.id, True))),
            "pictures": thumbnails.of(list(one.images)),
        }
        for (task, source), questions in groups.items()
        for one in _chosen(questions)
        for said in [answers.get((one.id, False), Given())]
    ]


def _chosen(questions: Sequence[Question]) -> Sequence[Question]:
    """Spread over the questions' order, which is that of their ids."""
    step = max(1, len(questions) // SHOWN_A_TASK)
    return questions[::step][:SHOWN_A_TASK]


def _options(one: Question, said: Given, blind: Given | None) -> list[dict[str, Any]]:
    seen = said.probabilities or (None,) * len(one.options)
    unseen = (blind.probabilities if blind else ()) or (None,) * len(one.options)
    return [
        {"option": option, "probability": here, "blind": there, "is_right": option == one.answer}
        for option, here, there in zip(one.options, seen, unseen, strict=True)
    ]
