"""Reports that a VLM writes, or that readers signed, and studies that wait for them."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.models import Cohort
from feedback_app.images.versions.folders import path_of
from feedback_app.readings.retraction_models import Retraction
from feedback_app.runs import services as runs
from feedback_app.studies.models import CaseText, DraftSet, Study
from feedback_app.studies.services import begin_opening, fill_drafts, open_study
from feedback_app.studies.services.drafts import hash_of
from feedback_app.studies.services.opening import open_locked
from feedback_app.vlms.drafting.requests import VlmDraftsRequest, ask_for_writing
from feedback_app.vlms.drafting.writing import LINES
from feedback_app.vlms.services import register_bundled_vlm, register_vlm
from generation.commands.run_folder import locked
from generation.commands.write_drafts import write_drafts
from generation.errors import RemediableError
from tests.generation.vlm.tiny_families import write_tiny
from tests.studies.making import make_cohort
from tests.vlms.made import LONG_DRAFT, report_readings

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort() -> Cohort:
    """Four test images, each with a report of its own."""
    made = make_cohort(test=4)
    for number, image in enumerate(made.images.all()):
        image.source_labels = {"FINDINGS": f"Finding {number}."}
        image.save()
    return made


@pytest.fixture
def writer(tmp_path: Path) -> str:
    """A VLM of random weights, of a family of the hub."""
    return register_vlm("writer", str(write_tiny("llava", tmp_path / "writer"))).name


def designed(client: Client, **changes: Any) -> Study:
    request = {
        "name": "Reports", "mode": "write_report", "real_cohort": "real", "readers": ["rosa"],
        "draft_sources": ["a VLM"],
    }  # fmt: skip
    answer = client.post(reverse("api:studies"), request | changes, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return Study.objects.get(name=(request | changes)["name"])


@pytest.mark.usefixtures("trainings_here")
def test_a_study_waits_for_its_vlm_and_opens_with_what_it_wrote(
    cora_client: Client, cohort: Cohort, writer: str, rosa: User
) -> None:
    asked = VlmDraftsRequest(name="a VLM", version=writer, cohort="real", images=3, longest=8)
    drafts = ask_for_writing(asked)
    study = designed(cora_client)
    assert study.cases.count() == 3
    assert set(CaseText.objects.values_list("text", flat=True)) == {""}
    with pytest.raises(RemediableError, match="not written yet"):
        open_study(study)
    assert begin_opening(study).is_being_written
    study.refresh_from_db()
    assert (study.state, study.slots_run.after.get()) == ("draft", drafts.run)  # type: ignore[union-attr]
    assert drafts.run is not None
    done = runs.execute(drafts.run.pk)
    assert done is not None
    assert done.state == "succeeded", done.error
    drafts.refresh_from_db()
    there = dict(drafts.drafts.values_list("sha256", "text"))
    assert done.result["reports"] + done.result["without"] == 3
    assert drafts.sha256 == hash_of(there) == done.result["sha256"]
    assert drafts.asked["question"] == asked.question
    assert sorted(CaseText.objects.values_list("text", flat=True)) == sorted(there.values())
    assert open_locked(study, actor=None) == len(there) > 0
    assert (study.state, study.slots.count()) == ("open", len(there))
    assert fill_drafts(drafts, dict.fromkeys(there, "anything else")) == len(there)
    assert dict(drafts.drafts.values_list("sha256", "text")) == there


def test_a_case_whose_image_got_no_text_is_left_out(
    cora_client: Client, cohort: Cohort, writer: str, rosa: User
) -> None:
    asked = VlmDraftsRequest(name="a VLM", version=writer, cohort="real", images=3)
    drafts = ask_for_writing(asked)
    study = designed(cora_client, mode="compare_reports", draft_sources=["a VLM", "cohort"])
    first, *others = drafts.drafts.order_by("sha256").values_list("sha256", flat=True)
    assert fill_drafts(drafts, {first: "  ", others[0]: "Clear.\r\n", others[1]: "A \x00"}) == 1
    (case,) = study.cases.all()
    assert case.texts.get(source="a VLM").text == "Clear."
    assert drafts.run is not None
    runs.cancel(drafts.run)
    again = cora_client.get(reverse("studies:create")).content.decode()
    assert 'value="a VLM"' not in again


def test_a_run_that_was_stopped_goes_on_behind_the_last_whole_line(
    writer: str, cohort: Cohort
) -> None:
    drafts = ask_for_writing(
        VlmDraftsRequest(name="a VLM", version=writer, cohort="real", images=2, longest=8)
    )
    assert drafts.run is not None
    folder = path_of(drafts.run.spec["run_dir"])
    hashes = list(json.loads((folder / "spec.json").read_text())["pictures"])
    kept = json.dumps({"image": hashes[0], "text": "Kept."}) + "\n"
    (folder / LINES).write_text(kept + '{"image": "' + hashes[1])
    with locked(folder) as held:
        write_drafts(held)
    lines = (folder / LINES).read_text().splitlines(keepends=True)
    assert lines[0] == kept
    assert [json.loads(line)["image"] for line in lines] == hashes


def test_what_cannot_be_written_is_refused_in_words(cohort: Cohort, writer: str) -> None:
    register_bundled_vlm()
    with pytest.raises(CommandError, match="cannot write findings in sentences"):
        call_command("write_drafts", "own", "bundled-vlm", "--cohort", "real")
    with pytest.raises(CommandError, match="Nothing is named to write about"):
        call_command("write_drafts", "none", writer)
    assert not DraftSet.objects.exists()


def test_what_readers_signed_is_compared_with_other_reports_by_api_and_page(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    study = report_readings(rosa)
    answer = cora_client.post(
        reverse("api:draft-set-signed"),
        {"name": "Signed", "study": study.name},
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["origin"], told["reports"], told["asked"]["edited"]) == ("readers", 12, 6)
    drafts = DraftSet.objects.get()
    assert set(drafts.drafts.values_list("text", flat=True)) == {"No effusion.", LONG_DRAFT}
    lines = "\n".join(
        json.dumps({"image": image, "text": "Elsewhere."})
        for image in drafts.drafts.values_list("sha256", flat=True)
    )
    brought = cora_client.post(
        reverse("api:draft-sets"),
        {"name": "Elsewhere", "reports": lines},
        content_type="application/json",
    )
    assert brought.status_code == 201, brought.content
    compared = designed(
        cora_client, name="Compared", mode="compare_reports", readers=["ravi"],
        real_cohort=study.cases.first().images.first().cohort_image.cohort.name,  # type: ignore[union-attr]
        draft_sources=["Signed", "Elsewhere"],
    )  # fmt: skip
    assert compared.cases.count() == 12
    address = reverse("vlms:drafts")
    assert "rests on retracted" not in cora_client.get(address).content.decode()
    Retraction.objects.create(reader=rosa, reason="guessed")
    assert "rests on retracted" in cora_client.get(address).content.decode()
    posted = {"way": "signed", "signed-name": "Again", "signed-study": study.name}
    refused = cora_client.post(address, posted)
    assert "has signed a report yet" in refused.content.decode()
