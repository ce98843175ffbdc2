"""A moved installation has all of its VLMs: they answer, are scored, taught and downloaded."""

import json
import shutil
from pathlib import Path

import pytest
from django.core import serializers
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from feedback_app.accounts.models import User
from feedback_app.images.blobs.places import WRITTEN_FOR
from feedback_app.images.versions.folders import path_of
from feedback_app.runs.children import child_starting
from feedback_app.runs.models import Run, State
from feedback_app.runs.services import execute
from feedback_app.vlms.asking import ask_of_image
from feedback_app.vlms.models import (
    BenchmarkResult,
    ImageQuestion,
    InstructionSet,
    ReportSnapshot,
    VlmVersion,
)
from feedback_app.vlms.requests import QuestionRequest
from feedback_app.vlms.scoring import score_result
from feedback_app.vlms.services import register_vlm
from generation.vlm.instructions.build import Request
from generation.vlm.instructions.folders import picture_folders
from tests.generation.vlm.tiny_vlms import tiny_spec, train_tiny, write_backbone, write_instructions
from tests.moving import moved
from tests.vlms.made import asked_cohort, brought, built, report_readings

pytestmark = pytest.mark.django_db
KEPT = (VlmVersion, InstructionSet, BenchmarkResult, ImageQuestion, ReportSnapshot, Run)


@pytest.mark.slow
@pytest.mark.usefixtures("trainings_here")
def test_all_that_vlms_have_is_found_where_the_storage_is_now(
    storage: Path, settings: Settings, tmp_path: Path, cora: User, rosa: User,
    cora_client: Client, ada_client: Client,
) -> None:  # fmt: skip
    cohort = asked_cohort()
    spec = tiny_spec(write_instructions(tmp_path / "in"), write_backbone(tmp_path / "eye"))
    made = train_tiny(spec, tmp_path / "work")
    kept = shutil.copytree(made, storage / "models" / "tiny")
    version = register_vlm("tiny", str(kept))
    row, image = built(cohort), cohort.images.earliest("source_id").image_id
    theirs = brought(row)
    report_readings(rosa, taught=3, held_out=1)
    call_command("snapshot_reports", "Edits")
    asked = QuestionRequest(
        version="tiny", image=str(image), question="View?", options=("PA", "AP")
    )
    question = ask_of_image(asked, created_by=cora)

    moved(storage, settings, to=tmp_path / "elsewhere")
    for model in KEPT:
        assert str(storage) not in serializers.serialize("json", model.objects.all())
    files = (tmp_path / "elsewhere").rglob("*.json*")
    naming = [path for path in files if str(storage) in path.read_text()]
    assert all((path.parent / WRITTEN_FOR).is_file() for path in naming)
    child_starting.send(sender=None, run_dir=path_of(question.run.spec["run_dir"]))
    run = execute(question.run_id)  # it had waited
    assert run is not None and run.state == State.SUCCEEDED, run and run.error
    call_command("benchmark_vlm", "tiny", row.name)
    score_result(theirs)
    own = version.results.get()
    for name, key in (
        ("vlms:set", row.pk), ("vlms:benchmark", row.pk), ("vlms:result", own.pk),
        ("vlms:result", theirs.pk), ("vlms:question", question.pk),
        ("vlms:report-snapshot", ReportSnapshot.objects.get().pk),
    ):  # fmt: skip
        assert cora_client.get(reverse(name, args=[key])).status_code == 200, name
    answer = ada_client.get(reverse("vlms:set-download", args=[row.pk]))
    assert b"".join(answer.streaming_content).startswith(b"PK")  # type: ignore[attr-defined]
    call_command(
        "train_vlm", "second", str(row.path), parent="tiny",
        instruction_steps=1, bridge_steps=0, batch_size=2,
    )  # fmt: skip
    assert VlmVersion.objects.get(name="second").parent == version


def test_data_within_the_storage_moves_with_what_was_built_of_it(tmp_path: Path) -> None:
    root, outside = tmp_path / "house", tmp_path / "shelf" / "siim"
    folder = root / "runs" / "one"
    for place in (folder / "sources" / "ward", root / "public" / "nih", outside):
        place.mkdir(parents=True)
    within = {"ward": folder / "sources" / "ward", "nih": root / "public" / "nih"}
    request = Request(folders=within | {"siim": outside}, moves=root)
    (folder / "plan.json").write_text(json.dumps(request.as_plan(folder)))
    now = shutil.move(root, tmp_path / "elsewhere") / Path("runs/one")
    found = picture_folders(now)
    assert all(place.is_dir() for place in found.values())
    assert found["siim"] == outside
