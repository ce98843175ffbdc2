"""Reports that are brought in, and the cases that a study of reports gets."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.models import Cohort, CohortImage
from feedback_app.studies.models import CaseText, DraftSet, Study
from feedback_app.studies.services import bring_in_drafts
from generation.datasets.reports import report_of
from generation.errors import RemediableError
from tests.studies.making import make_batch, make_cohort, posted_design

pytestmark = pytest.mark.django_db

HASH = "ab" * 32


def line(sha256: object = HASH, text: object = "No effusion.", **more: object) -> bytes:
    return json.dumps({"image": sha256, "text": text} | more).encode()


@pytest.fixture
def cohort() -> Cohort:
    """Six test images; four of them have a report of their own."""
    made = make_cohort(test=6)
    for number, image in enumerate(made.images.all()[:4]):
        image.source_labels = {"FINDINGS": f"Finding {number}.", "IMPRESSION": "Stable."}
        image.save()
    return made


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "holds no report"),
        ([b"{"], "Line 1 is no JSON"),
        ([line(), b"[]"], "Line 2 has not these two fields"),
        ([line(more=1)], "has not these two fields"),
        ([line(sha256="ab")], "names no SHA-256"),
        ([line(text=3)], "has no text"),
        ([line(text="  ")], "has no text"),
        ([line(text="x" * 10_001)], "line 1 has 10,001 characters"),
        ([line(text="null \x00")], "characters that no text has"),
        ([line(), b"", line()], "Line 3 has a second report"),
    ],
)
def test_a_file_with_a_wrong_line_brings_nothing_in(lines: list[bytes], message: str) -> None:
    with pytest.raises(RemediableError, match=message):
        bring_in_drafts("a model", lines)
    assert not DraftSet.objects.exists()


@pytest.mark.parametrize("name", ["cohort", " ", "x" * 101, "taken"])
def test_a_name_that_cannot_be_used_is_refused(name: str) -> None:
    bring_in_drafts("taken", [line()])
    with pytest.raises(RemediableError, match=r"name|stands for|already"):
        bring_in_drafts(name, [line()])


def test_the_page_and_the_command_bring_reports_in(
    cora_client: Client, cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = cohort.images.first().image.blob_id  # type: ignore[union-attr]
    content = line(known) + b"\n" + line()
    upload = SimpleUploadedFile("reports.jsonl", content)
    address = reverse("vlms:drafts")
    posted = {"way": "file", "file-name": "a model"}
    shown = cora_client.post(address, posted | {"file-file": upload}, follow=True)
    assert "2 reports came in, 1 of them of images here" in shown.content.decode()
    again = SimpleUploadedFile("reports.jsonl", content)
    refused = cora_client.post(address, posted | {"file-file": again})
    assert "There are reports of “a model” already." in refused.content.decode()
    file = tmp_path / "reports.jsonl"
    file.write_bytes(content)
    call_command("import_drafts", "another", str(file))
    assert "another: 2 reports, 1 of them of images here" in capsys.readouterr().out
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_drafts", "third", str(tmp_path / "none"))


def test_report_of_takes_what_describes_the_picture() -> None:
    sections = {"INDICATION": "Cough", "FINDINGS": "Clear.", "IMPRESSION": "Normal."}
    assert report_of(sections) == "Findings: Clear.\nImpression: Normal."
    assert report_of({"Report": " One\r\ntwo "}) == "One\ntwo"
    assert report_of({"Finding Labels": "Edema"}) == ""


def design(client: Client, **changes: Any) -> Any:
    request = {
        "name": "Reports",
        "mode": "write_report",
        "real_cohort": "real",
        "draft_sources": ["cohort"],
    }
    return client.post(reverse("api:studies"), request | changes, content_type="application/json")


def test_images_with_a_draft_become_cases_and_a_share_has_none(
    cora_client: Client, cohort: Cohort
) -> None:
    batch = make_batch(prompts=1, each=2)
    answer = design(cora_client, undrafted_percent=50, batches=[str(batch.pk)])
    assert answer.status_code == 201, answer.content
    study = Study.objects.get()
    assert "2 left out: not every source has a report of their image." in answer.json()["warnings"]
    assert (study.cases.count(), CaseText.objects.count()) == (4, 2)
    assert set(study.cases.values_list("prompt", flat=True)) == {""}
    assert answer.json()["draft_sources"] == ["cohort"]
    assert not answer.json()["flags"]


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"draft_sources": ["nobody"]}, "draft_sources", "There is no source of reports"),
        ({"mode": "compare_reports"}, "draft_sources", "Choose two sources"),
        ({"draft_sources": [], "undrafted_percent": 50}, "undrafted_percent", "no case has"),
    ],
)
def test_a_design_that_cannot_be_is_refused_at_its_field(
    cora_client: Client, cohort: Cohort, changes: dict[str, Any], field: str, message: str
) -> None:
    answer = design(cora_client, **changes)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["fields"][field][0]


def test_the_form_designs_a_comparison_of_two_sources(
    cora_client: Client, cohort: Cohort, rosa: User
) -> None:
    hashes = CohortImage.objects.values_list("image__blob", flat=True)
    bring_in_drafts("a model", [line(one, "Drafted.") for one in hashes])
    posted = posted_design(mode="compare_reports", real_cohort=str(cohort.pk))
    posted |= {"draft_sources": ["cohort", "a model"], "cohort_images": "3", "flags": ""}
    for number, name in enumerate(("Completeness", "Tone")):
        posted |= {f"preference-{number}-name": name, f"preference-{number}-question": "Which?"}
    posted |= {"preference-TOTAL_FORMS": "2", "preference-INITIAL_FORMS": "0"}
    answer = cora_client.post(reverse("studies:create"), posted)
    assert answer.status_code == 302, answer.context["form"].errors
    study = Study.objects.get()
    assert [(one.name, one.kind) for one in study.criteria.all()] == [
        ("Completeness", "preference"),
        ("Tone", "preference"),
    ]
    texts = CaseText.objects.filter(case__study=study, case__position=0)
    assert [text.source for text in texts] == ["cohort", "a model"]
    assert study.cases.count() == 3
    preview = cora_client.get(reverse("readings:preview", args=[study.pk])).content.decode()
    assert "Drafted." in preview
    assert "a model" not in preview
    page = cora_client.get(reverse("studies:detail", args=[study.pk])).content.decode()
    assert "The cohort’s own reports, a model" in page
