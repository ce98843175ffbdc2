"""Answers of any model to a benchmark, as JSON lines, and the figures that follow from them.

A line is ``{"id", "scores"}`` with a row of mean log likelihoods for each rotation of the
options (the first one alone will do, and is then no test of order), or ``{"id", "answer"}`` with
the text that was generated. ``"blind": true`` marks what was answered to the blind pictures.
Instead of the id a line may have ``"image"``, the SHA-256 of the picture's file (several in a
list), and ``"question"`` in the benchmark's words.
So a model that runs elsewhere stands in the same tables as one that runs here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from generation.errors import RemediableError
from generation.statistics.intervals import Interval, cluster_bootstrap
from generation.vlm.benchmark.choices import choose, parse_answer, softmax
from generation.vlm.benchmark.items import Benchmark, Question
from generation.vlm.benchmark.lines import number_of, read_line, text_of
from generation.vlm.benchmark.plain import plain
from generation.vlm.benchmark.scoring import (
    Answered,
    TaskFigures,
    boxes_in,
    overlap,
    score_task,
)
from generation.vlm.benchmark.text_metrics import TextFigures, measure_texts


@dataclass(frozen=True, kw_only=True)
class Given:
    """What was answered to one question: an option or a text; neither where it was no answer.

    ``probabilities`` are those of the options in the question's own order, where it was answered
    by likelihood.
    """

    option: str | None = None
    text: str = ""
    is_stable: bool | None = None
    probabilities: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BoxFigures:
    """Mean overlap of the boxes, and how many answers had none where some were due."""

    questions: int
    overlap: Interval
    blind: Interval | None
    without_box: int


Figures = TaskFigures | TextFigures | BoxFigures
Answers = Mapping[tuple[str, bool], Given]
"""By the question's id, and whether it was asked blind."""


def read_answers(path: Path, benchmark: Benchmark) -> dict[tuple[str, bool], Given]:
    """Every line is checked; two answers to one question are refused, unknown questions too."""
    answers: dict[tuple[str, bool], Given] = {}
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                key, given = _read_line(line, benchmark, where=f"{path.name}, line {number}")
                if key in answers:
                    raise _refusal(f"{path.name}, line {number}", f"answers {key[0]!r} again")
                answers[key] = given
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal(str(path), f"cannot be read: {error}") from error
    return answers


def score(
    benchmark: Benchmark, answers: Answers, *, seed: int = 0
) -> dict[str, dict[str, Figures]]:
    """Figures by task and source. A question without an answer counts as wrong."""
    groups: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in benchmark.questions:
        groups[question.task, question.source].append(question)
    figures: dict[str, dict[str, Figures]] = defaultdict(dict)
    for (task, source), questions in groups.items():
        figures[task][source] = _of_group(questions, answers, seed=seed)
    return figures


def as_table(figures: Mapping[str, Mapping[str, Figures]]) -> str:
    """Returns a line a task and source, in Markdown."""
    lines = ["| task | source | n | figure | blind | majority | unparsable | stable |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for task, of_sources in figures.items():
        for source, one in of_sources.items():
            cells = (task, source, *_cells(one))
            lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join(lines)


def as_json(benchmark: Benchmark, figures: Mapping[str, Mapping[str, Figures]]) -> dict[str, Any]:
    return {
        "benchmark": benchmark.sha256,
        "figures": {
            task: {source: plain(asdict(one)) for source, one in of_sources.items()}
            for task, of_sources in figures.items()
        },
    }


def _of_group(questions: Sequence[Question], answers: Answers, *, seed: int) -> Figures:
    nothing = Given()
    given = [answers.get((one.id, False), nothing) for one in questions]
    blind = [answers.get((one.id, True)) for one in questions]
    kind = questions[0].kind
    if kind == "text":
        return measure_texts(
            [one.text for one in given],
            [one.answer for one in questions],
            patients=[one.patient for one in questions],
            seed=seed,
        )
    if kind == "box":
        return _of_boxes(questions, given, blind, seed=seed)
    return score_task(
        [
            Answered(
                patient=one.patient,
                truth=one.answer,
                answer=said.option,
                blind=unseen.option if unseen else None,
                is_stable=said.is_stable,
            )
            for one, said, unseen in zip(questions, given, blind, strict=True)
        ],
        training_answers=[one.majority for one in questions if one.majority],
        was_blind=any(blind),
        seed=seed,
    )


def _of_boxes(
    questions: Sequence[Question],
    given: Sequence[Given],
    blind: Sequence[Given | None],
    *,
    seed: int,
) -> BoxFigures:
    patients = np.array([one.patient for one in questions])
    truths = [boxes_in(one.answer) for one in questions]

    def mean_overlap(said: Sequence[Given]) -> Interval:
        shares = np.array([overlap(boxes_in(one.text), truth)
                           for one, truth in zip(said, truths, strict=True)])  # fmt: skip
        return cluster_bootstrap(
            lambda chosen: float(shares[chosen].mean()), clusters=patients, seed=seed
        )

    return BoxFigures(
        questions=len(questions),
        overlap=mean_overlap(given),
        blind=mean_overlap([one or Given() for one in blind]) if any(blind) else None,
        without_box=sum(bool(truth) and not boxes_in(one.text)
                        for one, truth in zip(given, truths, strict=True)),
    )  # fmt: skip


def _read_line(line: str, benchmark: Benchmark, *, where: str) -> tuple[tuple[str, bool], Given]:
    try:
        row = read_line(line)
        question = _asked(row, benchmark, where=where)
        key = (question.id, _is_blind(row))
        text = text_of(row.get("answer"))
    except KeyError as error:
        raise _refusal(where, f"is no answer: it has no {error}") from error
    except (ValueError, TypeError) as error:
        raise _refusal(where, f"is no answer: {error}") from error
    if "scores" in row:
        return key, _by_likelihood(row["scores"], question, where=where)
    place = parse_answer(text, question.options) if question.kind == "choice" else None
    return key, Given(text=text, option=question.options[place] if place is not None else None)


def _is_blind(row: Mapping[str, Any]) -> bool:
    found = row.get("blind", False)
    if not isinstance(found, bool):
        raise TypeError("its blind is neither true nor false")
    return found


def _asked(row: Mapping[str, Any], benchmark: Benchmark, *, where: str) -> Question:
    """Returns the question that a line answers, by its id or by picture and words."""
    if "id" in row:
        question = benchmark.by_id.get(str(row["id"]))
        if question is None:
            raise _refusal(where, f"answers {row['id']!r}, which is no question of this benchmark")
        return question
    named = row["image"]
    if not isinstance(named, str | list):
        raise TypeError("its image is no SHA-256, nor a list of them")
    hashes = (named,) if isinstance(named, str) else tuple(map(str, named))
    found = benchmark.by_picture.get((hashes, str(row["question"])), [])
    if len(found) != 1:
        count = "no question" if not found else f"{len(found)} questions"
        raise _refusal(where, f"names {count} of this benchmark by picture and words")
    return found[0]


def _by_likelihood(scores: Any, question: Question, *, where: str) -> Given:
    """From all rotations, or from the question's own order alone."""
    count = len(question.options)
    try:
        rows = [[number_of(score) for score in row] for row in scores]
    except (TypeError, ValueError) as error:
        raise _refusal(where, "has scores that are no rows of finite numbers") from error
    if len(rows) not in {1, count} or any(len(row) != count for row in rows):
        raise _refusal(where, f"needs one row or {count} of {count} scores")
    if len(rows) == 1:
        return Given(option=question.options[int(np.argmax(rows[0]))],
                     probabilities=softmax(rows[0]))  # fmt: skip
    choice = choose(rows)
    return Given(option=question.options[choice.best], is_stable=choice.is_stable,
                 probabilities=choice.probabilities)  # fmt: skip


def _cells(figures: Figures) -> tuple[object, ...]:
    if isinstance(figures, TaskFigures):
        stable = "" if figures.stable is None else f"{figures.stable:.2f}"
        return (figures.questions, figures.accuracy, figures.blind or "", figures.majority or "",
                figures.unparsable, stable)  # fmt: skip
    if isinstance(figures, BoxFigures):
        return (figures.questions, figures.overlap, figures.blind or "", "",
                figures.without_box, "")  # fmt: skip
    told = f"label F1 {figures.fourteen_micro}, ROUGE-L {figures.rouge_l}, BLEU {figures.bleu:.3f}"
    return (figures.texts, told, "", "", "", "")


def _refusal(where: str, what: str) -> RemediableError:
    return RemediableError(
        f"{where} {what}.",
        remedy=(
            'A line is {"id": …, "scores": [[…], …]} or {"id": …, "answer": …}; in the place of '
            'the id it may have "image", the SHA-256 of its file, and "question".'
        ),
    )
