"""The benchmark as a task of lmms-eval, and its log of samples brought back.

What a log's line looks like was taken from lmms-eval 0.7.3's own writer of samples.
"""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from feedback_app.vlms.models import BenchmarkResult
from tests.vlms.made import asked_cohort, built

pytestmark = pytest.mark.django_db


def functions_of(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("documents", folder / "documents.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def line(number: int, document: dict[str, Any], *, answer: str) -> str:
    sample = {
        "doc_id": number,
        "target": document["answer"],
        "filtered_resps": answer,
        "token_counts": [None],
        "doc_hash": "0",
        "exact_answer": 1.0,
        "input": "…",
    }
    return json.dumps(sample) + "\n"


def test_a_task_folder_is_answered_and_its_log_brought_back(tmp_path: Path) -> None:
    row = built(asked_cohort(test=8))
    folder = tmp_path / "task"
    call_command("lmms_eval_task", row.name, str(folder))
    with pytest.raises(CommandError, match="not empty"):
        call_command("lmms_eval_task", row.name, str(folder))
    task = yaml.load((folder / "reading_room.yaml").read_text(), Loader=_loader())
    functions = functions_of(folder)
    assert {task[name] for name in ("doc_to_visual", "doc_to_text", "process_results")} == {
        f"documents.{name}" for name in ("doc_to_visual", "doc_to_text", "process_results")
    }
    data = folder / task["dataset_kwargs"]["data_files"]["test"]
    documents = [json.loads(one) for one in data.read_text().splitlines()]
    assert any(one["blind"] for one in documents)
    first = documents[0]
    assert functions.doc_to_visual(first)[0].mode == "RGB"
    assert all(option in functions.doc_to_text(first) for option in first["options"])
    assert functions.process_results(first, [first["answer"].upper() + "."]) == {"exact_answer": 1}

    log = tmp_path / "samples.jsonl"
    answers = [(one["options"][0] if one["blind"] and one["options"] else one["answer"])
               for one in documents]  # fmt: skip
    lines = [
        line(number, one, answer=answer)
        for number, (one, answer) in enumerate(zip(documents, answers, strict=True))
    ]
    log.write_text("".join(reversed(lines)))
    call_command("bring_answers", "hub-scale", row.name, str(log))
    result = BenchmarkResult.objects.get(outside_model="hub-scale")
    choices = result.scores.filter(kind="choice")
    assert {score.value for score in choices} == {1}
    assert all(score.blind is not None and score.blind < 1 for score in choices.exclude(gain=0))

    other = json.loads(lines[0]) | {"target": "something else"}
    log.write_text(json.dumps(other))
    with pytest.raises(CommandError, match="another target"):
        call_command("bring_answers", "other", row.name, str(log))


def _loader() -> type[yaml.SafeLoader]:
    class Loader(yaml.SafeLoader):
        """Functions of the task by their names alone."""

    def name(loader: Any, node: Any) -> str:
        return str(loader.construct_scalar(node))

    Loader.add_constructor("!function", name)
    return Loader
