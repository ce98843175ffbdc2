"""The verdict of a gate, from the answers that both versions left in folders."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import transaction

from feedback_app.images.blobs.places import bring_current
from feedback_app.images.cohorts.models import CohortImage
from feedback_app.vlms.asking import ANSWERS, BENCHMARK
from feedback_app.vlms.learning.comparing import (
    PASSED,
    WRITTEN,
    Rule,
    choice_rule,
    task_rules,
    untaught,
    written_rule,
)
from feedback_app.vlms.learning.finetunes import LESSONS
from feedback_app.vlms.learning.gate_models import VlmDecision, VlmGate, VlmVerdict
from feedback_app.vlms.learning.gates import taught_images
from feedback_app.vlms.models import BenchmarkResult, VlmVersion
from generation.datasets.reports import report_of
from generation.vlm.benchmark.answers import Answers, read_answers
from generation.vlm.benchmark.items import read_benchmark

SHOWN_REPORTS = 6
ANSWERED = ("child.jsonl", "parent.jsonl")
"""What both versions left in the gate's folder."""
Rows = Sequence[Mapping[str, Any]]


def keep_verdict(gate: VlmGate) -> VlmVerdict:
    """Find and keep it; a gate has one, however often it is asked for."""
    report = find_report(gate)
    is_promote = all(rule["outcome"] == PASSED for rule in report["rules"])
    decision = VlmDecision.PROMOTE if is_promote else VlmDecision.HOLD
    with transaction.atomic():
        verdict, _ = VlmVerdict.objects.get_or_create(
            gate=gate, defaults={"decision": decision, "report": report}
        )
    return verdict


def find_report(gate: VlmGate) -> dict[str, Any]:
    benchmark = read_benchmark(bring_current(gate.instruction_set.path) / BENCHMARK)
    questions = untaught(benchmark.questions, taught_images(gate.child))
    lessons, child, parent = (_lines(gate, name) for name in (LESSONS, *ANSWERED))
    rules = task_rules(
        questions,
        *(_answers(gate, version) for version in (gate.child, gate.parent)),
        margin=gate.margin,
    )
    rules += [*_written(gate, lessons, child, parent), choice_rule(lessons, child, parent)]
    return {
        "rules": [rule.row for rule in rules],
        "questions": len(questions),
        "left_out": len(benchmark.questions) - len(questions),
        "choices": sum(bool(one["over"]) for one in lessons),
        "reports": [
            {"image": one["image"], "child": ours["report"], "parent": theirs["report"],
             "preferred": one["text"]}
            for one, ours, theirs in list(zip(lessons, child, parent, strict=True))[:SHOWN_REPORTS]
        ],
    }  # fmt: skip


def _answers(gate: VlmGate, version: VlmVersion) -> Answers:
    result = BenchmarkResult.objects.get(instruction_set=gate.instruction_set, version=version)
    benchmark = read_benchmark(gate.instruction_set.path / BENCHMARK)
    return read_answers(bring_current(result.path) / ANSWERS, benchmark)


def _written(gate: VlmGate, lessons: Rows, child: Rows, parent: Rows) -> list[Rule]:
    """Reports of both beside the cohort's own ones, an image once; nothing where it has none."""
    own = _own_reports({one["image"] for one in lessons})
    first = {one["image"]: place for place, one in enumerate(lessons) if one["image"] in own}
    if not first:
        return []
    places = list(first.values())
    return [
        written_rule(
            WRITTEN,
            [child[place]["report"] for place in places],
            [parent[place]["report"] for place in places],
            [own[lessons[place]["image"]] for place in places],
            patients=np.array([lessons[place]["patient"] for place in places]),
            margin=gate.margin,
        )
    ]


def _own_reports(hashes: set[str]) -> dict[str, str]:
    rows = CohortImage.objects.filter(image__blob__in=hashes)
    labels = rows.values_list("image__blob", "source_labels")
    found = {image: report_of(of_image) for image, of_image in labels}
    return {image: text for image, text in found.items() if text}


def _lines(gate: VlmGate, name: str) -> list[dict[str, Any]]:
    with (gate.path / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
