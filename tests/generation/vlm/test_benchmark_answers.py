"""A frozen benchmark, answers in a file, and the table that follows."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generation.commands import score_answers
from generation.errors import RemediableError
from generation.vlm.benchmark.answers import BoxFigures, as_json, as_table, read_answers, score
from generation.vlm.benchmark.choices import rotations
from generation.vlm.benchmark.items import (
    QUESTIONS,
    Benchmark,
    Question,
    build,
    freeze,
    read_benchmark,
    read_data_json,
)
from generation.vlm.benchmark.scoring import TaskFigures
from generation.vlm.benchmark.text_metrics import TextFigures
from generation.vlm.instructions import build as instructions
from tests.generation.vlm.made_sources import lines, make, nih
from tests.generation.vlm.written import read_rows


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Instructions of ninety NIH patients, and of MIMIC-CXR's test patient."""
    root = tmp_path_factory.mktemp("instructions")
    folders = make(root / "data", "mimic") | {"nih": nih(root / "data" / "nih", seeds=range(90))}
    instructions.build(instructions.Request(folders=folders), root / "out")
    return root / "out"


@pytest.fixture(scope="module")
def benchmark(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    return freeze(build(written), tmp_path_factory.mktemp("benchmark"))


def likelihoods(question: Question, *, favourite: str) -> list[list[float]]:
    """A row a rotation: the favourite is likelier wherever it stands."""
    return [
        [-1.0 if question.options[place] == favourite else -2.0 for place in order]
        for order in rotations(len(question.options))
    ]


Answer = Callable[[Question], dict[str, Any]]


def answered(benchmark: Benchmark, path: Path, *answers: Answer) -> dict[str, Any]:
    rows = [
        {"id": question.id} | answer(question)
        for question in benchmark.questions
        for answer in answers
    ]
    lines(path, *rows)
    return score(benchmark, read_answers(path, benchmark))


def truth(question: Question) -> dict[str, Any]:
    if question.kind == "choice":
        return {"scores": likelihoods(question, favourite=question.answer)}
    return {"answer": question.answer}


def usual(question: Question) -> dict[str, Any]:
    """What a model that does not look would say."""
    if question.kind == "choice":
        return {"scores": likelihoods(question, favourite=question.options[0]), "blind": True}
    return {"answer": "", "blind": True}


def test_all_questions_are_of_test_patients(benchmark: Benchmark, written: Path) -> None:
    patients = {row["patient"] for row in read_rows(written) if row["split"] == "test"}
    assert {question.patient for question in benchmark.questions} <= patients
    tasks = {question.task for question in benchmark.questions}
    assert {"view classification", "binary disease", "single-disease identification",
            "findings generation", "findings summarisation"} <= tasks  # fmt: skip


def test_the_right_answer_is_an_option_and_no_blind_picture_is_ones_own(
    benchmark: Benchmark,
) -> None:
    choices = [question for question in benchmark.questions if question.kind == "choice"]
    assert choices and all(question.answer in question.options for question in choices)
    owners = {question.images: question.patient for question in choices}
    blind = [question for question in choices if question.blind_images]
    assert blind
    assert all(owners[question.blind_images] != question.patient for question in blind)


def test_a_second_build_is_the_same_and_a_changed_file_is_refused(
    benchmark: Benchmark, written: Path, tmp_path: Path
) -> None:
    assert freeze(build(written), tmp_path).sha256 == benchmark.sha256
    path = tmp_path / QUESTIONS
    path.write_text(path.read_text().replace("PA", "AP"))
    with pytest.raises(RemediableError, match="changed after it was frozen"):
        read_benchmark(tmp_path)


def test_so_many_questions_of_a_task_and_source_at_most(written: Path) -> None:
    questions = build(written, most=3)
    of_view = [one for one in questions if one.task == "view classification"]
    assert len(of_view) == 3 + sum(one.source == "mimic" for one in of_view)


def test_right_answers_are_perfect_beside_blind_ones_that_are_not(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    figures = answered(benchmark, tmp_path / "a.jsonl", truth, usual)
    view = figures["view classification"]["nih"]
    assert isinstance(view, TaskFigures)
    assert (view.accuracy.value, view.stable, view.unparsable) == (1.0, 1.0, 0)
    assert view.blind and 0 < view.blind.value < 1
    assert view.gain and view.gain.value == pytest.approx(1 - view.blind.value)
    texts = figures["findings generation"]["mimic"]
    assert isinstance(texts, TextFigures) and texts.rouge_l.value == 1.0
    assert "| view classification | nih |" in as_table(figures)
    json.dumps(as_json(benchmark, figures), allow_nan=False)


def test_questions_without_an_answer_are_wrong(benchmark: Benchmark, tmp_path: Path) -> None:
    first = benchmark.questions[0]
    lines(tmp_path / "a.jsonl", {"id": first.id} | truth(first))
    figures = score(benchmark, read_answers(tmp_path / "a.jsonl", benchmark))
    of_task = figures[first.task][first.source]
    assert isinstance(of_task, TaskFigures)
    assert of_task.accuracy.value == pytest.approx(1 / of_task.questions)
    assert of_task.unparsable == of_task.questions - 1
    assert of_task.blind is None and of_task.gain is None


def test_a_model_that_prefers_a_place_is_not_stable(benchmark: Benchmark, tmp_path: Path) -> None:
    def first_place(question: Question) -> dict[str, Any]:
        count = len(question.options)
        row = [-1.0, *[-2.0] * (count - 1)]
        return {"scores": [row] * count} if question.kind == "choice" else {"answer": ""}

    view = answered(benchmark, tmp_path / "a.jsonl", first_place)["view classification"]["nih"]
    assert view.stable == 0.0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("not json", "is no answer"),
        ({"answer": "yes"}, "is no answer"),
        ({"id": "nowhere", "answer": "yes"}, "no question of this benchmark"),
        ({"scores": [[1.0]]}, "needs one row or 2 of 2 scores"),
        ({"scores": [["x", "y"]]}, "no rows of finite numbers"),
        ({"scores": [[float("nan"), 0.0]]}, "no rows of finite numbers"),
        ({"scores": [[float("inf"), 0.0]]}, "no rows of finite numbers"),
        ({"scores": [[10**400, 0.0]]}, "no rows of finite numbers"),
        ({"image": 7, "question": "?"}, "no SHA-256"),
        ("[" * 100_000, "nested too deeply"),
        ([["id", "a"]], "no JSON object"),
        ({"id": None, "answer": "half \ud800"}, "characters that no text has"),
        ({"id": None, "answer": "null \0"}, "characters that no text has"),
        ({"id": None, "answer": ["yes"]}, "no text"),
        ({"id": None, "answer": "yes", "blind": "no"}, "neither true nor false"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused_with_its_line(
    benchmark: Benchmark, tmp_path: Path, row: object, message: str
) -> None:
    choice = next(one for one in benchmark.questions if one.task == "binary disease")
    if isinstance(row, dict) and ("scores" in row or row.get("id", "") is None):
        row = row | {"id": choice.id}
    lines(tmp_path / "a.jsonl", row)
    if isinstance(row, str):
        (tmp_path / "a.jsonl").write_text(row)
    with pytest.raises(RemediableError, match=message) as refusal:
        read_answers(tmp_path / "a.jsonl", benchmark)
    assert "line 1" in str(refusal.value)


def test_two_answers_to_one_question_are_refused(benchmark: Benchmark, tmp_path: Path) -> None:
    one = {"id": benchmark.questions[0].id, "answer": "yes"}
    lines(tmp_path / "a.jsonl", one, one | {"blind": True}, one)
    with pytest.raises(RemediableError, match=r"line 3 answers .* again"):
        read_answers(tmp_path / "a.jsonl", benchmark)


def test_boxes_are_scored_by_overlap_and_missing_ones_counted(tmp_path: Path) -> None:
    questions = [
        Question(id=name, task="grounding", source="nih", patient=name, kind="box",
                 images=(f"{name}.png",), question="Where?", answer="[0, 0, 10, 10]")
        for name in ("a", "b")
    ]  # fmt: skip
    benchmark = freeze(questions, tmp_path / "benchmark")
    lines(tmp_path / "a.jsonl", {"id": "a", "answer": "[0, 0, 10, 20]"},
          {"id": "b", "answer": "nowhere"})  # fmt: skip
    figures = score(benchmark, read_answers(tmp_path / "a.jsonl", benchmark))["grounding"]["nih"]
    assert isinstance(figures, BoxFigures)
    assert (figures.overlap.value, figures.without_box, figures.blind) == (0.25, 1, None)


def test_chexbenchs_own_file_is_read(tmp_path: Path) -> None:
    sample = {"data_source": "SLAKE", "image_path": "a.jpg|b.jpg", "question": "Which?",
              "option_0": "left", "option_1": "right", "answer": 1, "slice": "side"}  # fmt: skip
    (tmp_path / "data.json").write_text(json.dumps({"Visual Question Answering": [sample]}))
    [question] = read_data_json(tmp_path / "data.json")
    assert (question.answer, question.options) == ("right", ("left", "right"))
    assert question.images == ("a.jpg", "b.jpg")
    (tmp_path / "data.json").write_text('{"task": [{}]}')
    with pytest.raises(RemediableError, match="is not CheXbench's"):
        read_data_json(tmp_path / "data.json")


def test_the_command_prints_the_table_and_keeps_the_figures(
    benchmark: Benchmark,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    freeze(benchmark.questions, tmp_path / "benchmark")
    answered(benchmark, tmp_path / "a.jsonl", truth)
    arguments = [str(tmp_path / "benchmark"), str(tmp_path / "a.jsonl")]
    out = tmp_path / "figures.json"
    monkeypatch.setattr(sys, "argv", ["score_answers", *arguments, "--out", str(out)])
    assert score_answers.main() == 0
    assert "| binary disease | nih |" in capsys.readouterr().out
    assert json.loads(out.read_text())["benchmark"] == benchmark.sha256
    monkeypatch.setattr(sys, "argv", ["score_answers", str(tmp_path), str(tmp_path / "a.jsonl")])
    assert score_answers.main() == 1
    assert "Build one with" in capsys.readouterr().err
