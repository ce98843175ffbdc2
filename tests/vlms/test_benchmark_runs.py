"""Instruction data and benchmark as runs: of cohorts, of a version, of answers that are brought."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.images.cohorts.models import Cohort
from feedback_app.runs import services as runs
from feedback_app.vlms.asking import ANSWERS, ARCHIVE, ask_for_instructions
from feedback_app.vlms.models import BenchmarkResult, ImageQuestion, InstructionSet
from feedback_app.vlms.requests import InstructionRequest
from feedback_app.vlms.scoring import PROBE, score_result
from feedback_app.vlms.services import register_vlm
from generation.errors import RemediableError
from tests.generation.vlm.tiny_vlms import tiny_spec, train_tiny, write_backbone, write_instructions
from tests.trainings import run_here
from tests.vlms.made import asked_cohort, brought, built, questions_of, right, some_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort() -> Cohort:
    return asked_cohort()


def test_a_set_of_a_cohort_keeps_its_splits_and_counts_what_it_asks(cohort: Cohort) -> None:
    row = built(cohort)
    source = row.card["sources"]["cohort-asked"]
    assert source["exams"] == cohort.images.count() == 70
    assert source["patients"] == {"train": 24, "validation": 2, "test": 44}
    ill = sum(one.task == "binary disease" and one.answer == "yes" for one in questions_of(row))
    assert ill == cohort.images.filter(patient__split="test", findings=["pneumonia"]).count()
    assert {one.task for one in questions_of(row)} >= {
        "view classification", "sex classification", "age classification", "binary disease",
    }  # fmt: skip
    hashes = set(cohort.images.values_list("image__blob", flat=True))
    assert {sha for one in questions_of(row) for sha in one.image_sha256} <= hashes
    archive = row.path / ARCHIVE
    first = archive.read_bytes()
    with zipfile.ZipFile(archive) as packed:
        names = set(packed.namelist())
        assert {"README.md", "card.json", "benchmark/questions.jsonl"} <= names
        assert not any(name.endswith(".png") for name in names)
    again = built(cohort, name="Once more")
    assert again.benchmark == row.benchmark
    assert (again.path / ARCHIVE).read_bytes() == first


def test_what_cannot_be_built_is_named(cohort: Cohort, cora: User, tmp_path: Path) -> None:
    built(cohort)
    for values, said in (
        ({"name": "November", "cohorts": ("asked",)}, "already"),
        ({"name": "other", "cohorts": ("nowhere",)}, "nowhere"),
        ({"name": "other"}, "Nothing is named"),
        ({"name": "other", "data": str(tmp_path)}, "by admins alone"),
    ):
        with pytest.raises(RemediableError, match=said):
            ask_for_instructions(InstructionRequest(**values), created_by=cora)
    assert InstructionSet.objects.count() == 1


def test_answers_that_are_brought_stand_beside_blind_majority_and_groups(
    cohort: Cohort, cora_client: Client, ada_client: Client
) -> None:
    row = built(cohort)
    result = brought(row)
    score = result.scores.get(task="view classification")
    assert (score.value, score.unparsable, score.stable, score.auroc) == (1, 0, 1, 1)
    assert score.blind is not None
    assert score.gain == pytest.approx(1 - score.blind)
    assert score.majority == pytest.approx(29 / 44)
    (judged,) = result.fairness
    assert (judged["finding"], judged["images"]) == ("pneumonia", 44)
    sexes = next(one for one in judged["attributes"] if one["attribute"] == "sex")
    assert {group["group"] for group in sexes["groups"]} == {"female", "male"}
    assert all(group["auroc"]["value"] == 1 for group in sexes["groups"])
    shown = [one for one in result.sheet if one["task"] == "view classification"]
    assert all((result.path / "sheet" / f"{one['pictures'][0]}.png").is_file() for one in shown)
    assert shown[0]["options"][0]["probability"] is not None
    count = result.scores.count()
    score_result(result)
    assert result.scores.count() == count
    pages_show(row, result, cora_client)
    address = reverse("vlms:set-download", args=[row.pk])
    assert cora_client.get(address).status_code == 403
    archive = b"".join(ada_client.get(address).streaming_content)  # type: ignore[attr-defined]
    assert archive.startswith(b"PK")
    assert AuditEvent.objects.filter(action="instructions.downloaded").count() == 1


def pages_show(row: InstructionSet, result: BenchmarkResult, client: Client) -> None:
    page = client.get(reverse("vlms:benchmark", args=[row.pk])).content.decode()
    assert "elsewhere" in page
    shown = client.get(reverse("vlms:result", args=[result.pk])).content.decode()
    assert "Pneumonia, cohort-asked" in shown
    plot = client.get(reverse("vlms:fairness", args=[result.pk, 0]))
    assert plot.content.startswith(b"<svg")
    built_page = client.get(reverse("vlms:set", args=[row.pk])).content.decode()
    assert "instructions" in built_page
    assert "Download" not in built_page


def test_answers_may_name_a_question_by_the_hash_of_its_picture(
    cohort: Cohort, tmp_path: Path
) -> None:
    row = built(cohort)
    one = next(one for one in questions_of(row) if one.task == "view classification")
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps(right(one, by_picture=True)))
    call_command("bring_answers", "theirs", row.name, str(path))
    score = BenchmarkResult.objects.get(outside_model="theirs").scores.get(task=one.task)
    assert score.value == pytest.approx(1 / score.questions)
    assert score.unparsable == score.questions - 1
    path.write_text(json.dumps({"image": "0" * 64, "question": one.question, "answer": "PA"}))
    for _ in range(2):  # what failed may be brought again under its name
        with pytest.raises(CommandError, match="names no question"):
            call_command("bring_answers", "bad", row.name, str(path))


@pytest.mark.slow
@pytest.mark.usefixtures("trainings_here")
def test_a_version_answers_beside_its_probe_and_is_asked_of_an_image(
    cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tiny_spec(write_instructions(tmp_path / "in"), write_backbone(tmp_path / "eye"))
    version = register_vlm("tiny", str(train_tiny(spec, tmp_path / "work")))
    row = built(cohort)
    call_command("benchmark_vlm", "tiny", row.name)
    result = version.results.get()
    score = result.scores.get(task="sex classification")
    assert score.probe is not None
    assert score.blind is not None
    assert "sex classification, cohort-asked, n 44" in capsys.readouterr().out
    lines = (result.path / ANSWERS).read_text()
    half = lines[: len(lines) // 2]  # as a killed process leaves it
    (result.path / ANSWERS).write_text(half)
    run_here(None, module="generation.commands.benchmark_vlm", run_dir=result.path)  # type: ignore[arg-type]
    again = (result.path / ANSWERS).read_text()
    assert again.startswith(half.rpartition("\n")[0])
    assert [json.loads(one)["id"] for one in again.splitlines()] == [
        json.loads(one)["id"] for one in lines.splitlines()
    ]
    assert (result.path / PROBE).is_file()

    image = cohort.images.earliest("source_id").image_id
    call_command("ask_vlm", "tiny", str(image), "Which view?", options=["PA", "AP"])
    question = ImageQuestion.objects.get()
    assert np.isclose(sum(question.answer["probabilities"]), 1)
    assert len(question.answer["blind"]) == 2
    call_command("ask_vlm", "tiny", str(image), "What is seen?")
    assert isinstance(ImageQuestion.objects.latest("created_at").answer["text"], str)


def test_a_question_on_the_page_is_a_run(cohort: Cohort, cora_client: Client) -> None:
    version = some_version()
    image = cohort.images.earliest("source_id").image_id
    asked = {"version": version.name, "image": str(image), "question": "Which view?",
             "options": "PA\nAP\n"}  # fmt: skip
    answer = cora_client.post(reverse("vlms:ask"), asked)
    question = ImageQuestion.objects.get()
    assert answer["Location"] == reverse("vlms:question", args=[question.pk])
    assert question.options == ["PA", "AP"]
    assert question.run.kind == "ask_vlm"
    for changed in ({"image": "nobody"}, {"options": "PA"}, {"options": "PA\nPA"}):
        assert cora_client.post(reverse("vlms:ask"), asked | changed).status_code == 400
    assert runs.claim(question.run_id) is not None
