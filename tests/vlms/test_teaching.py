"""From readings of reports in the database to a child that a VLM version was taught into."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.versions.folders import path_of
from feedback_app.provenance.impact import impact_of_retraction
from feedback_app.provenance.rebuilding import ask_for_rebuild
from feedback_app.readings.services.retractions import retract
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.vlms.learning.finetunes import start_vlm_finetune
from feedback_app.vlms.learning.models import ReportSnapshot, VlmFineTune
from feedback_app.vlms.learning.snapshots import take_report_snapshot
from feedback_app.vlms.models import VlmVersion
from feedback_app.vlms.services import register_vlm
from generation.errors import RemediableError
from tests.generation.vlm.tiny_families import write_tiny
from tests.vlms.made import being_taught, compared, report_readings, some_version

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("trainings_here")
def test_readings_teach_a_version_and_its_child_says_by_what(
    rosa: User, cora_client: Client, tmp_path: Path
) -> None:
    report_readings(rosa)
    call_command("snapshot_reports", "Edits")
    parent = register_vlm("tiny", str(write_tiny("llava", tmp_path / "tiny")))
    call_command("teach_vlm", "tiny-taught", "tiny", "Edits", steps=3, lora_rank=2, batch_size=2)
    child = VlmVersion.objects.get(name="tiny-taught")
    row = VlmFineTune.objects.get()
    assert (child.parent, row.version, row.settings["lora_rank"]) == (parent, child, 2)
    assert child.sha256 != parent.sha256
    lessons = path_of(row.run.spec["run_dir"]) / "lessons.jsonl"
    taught = [json.loads(line) for line in lessons.read_text().splitlines()]
    assert taught
    assert not any(line["is_held_out"] for line in taught)
    Run.objects.filter(pk=row.run_id).update(state="queued", finished_at=None)
    runs.execute(row.run_id)  # done twice, it registers nothing new
    assert VlmVersion.objects.count() == 2
    page = cora_client.get(reverse("vlms:version", args=[child.pk])).content.decode()
    for said in ("Edits", "DPO", "Stage preferences"):
        assert said in page
    assert "rests on retracted" not in page
    retract(reader=rosa, reason="They read the wrong study.")
    page = cora_client.get(reverse("vlms:version", args=[child.pk])).content.decode()
    assert "rests on retracted readings" in page
    with pytest.raises(CommandError, match="rests on retracted readings"):
        call_command("teach_vlm", "other", "tiny", "Edits")


def test_what_cannot_be_taught_is_named(rosa: User, cora_client: Client) -> None:
    report_readings(rosa)
    snapshot = take_report_snapshot("Edits")
    version = some_version()
    VlmVersion.objects.filter(pk=version.pk).update(family="paligemma")
    version.refresh_from_db()
    with pytest.raises(RemediableError, match="no text without a picture"):
        start_vlm_finetune("child", snapshot=snapshot, parent=version, method="dpo")
    VlmVersion.objects.filter(pk=version.pk).update(family="llava")
    version.refresh_from_db()
    with pytest.raises(RemediableError, match="already"):
        start_vlm_finetune(version.name, snapshot=snapshot, parent=version, method="dpo")
    with pytest.raises(RemediableError, match="warmth cannot be set"):
        start_vlm_finetune(
            "child", snapshot=snapshot, parent=version, method="dpo", settings={"warmth": 1}
        )
    form = {"name": "child", "parent": version.name, "snapshot": str(snapshot.pk), "method": "dpo"}
    answer = cora_client.post(reverse("vlms:teach"), form)
    assert answer.status_code == 400  # its weights are not those that were registered
    assert "no longer those that were registered" in answer.content.decode()
    address = f"{reverse('vlms:teach')}?snapshot={snapshot.pk}&parent={version.name}"
    assert "reader-of-chests-taught" in cora_client.get(address).content.decode()
    asked = {"name": "child", "parent": "nobody", "snapshot": "Edits"}
    told = cora_client.post(reverse("api:vlm-fine-tunes"), asked, content_type="application/json")
    assert told.status_code == 400
    assert "nobody" in told.content.decode()


def test_a_retraction_names_what_it_touches_and_rebuilds_the_chain(
    rosa: User, ravi: User, cora_client: Client
) -> None:
    report_readings(rosa, taught=4, held_out=0, accepts=False)
    with_ravi = compared(ravi, 6)
    snapshot = take_report_snapshot("All")
    parent = some_version()
    first = being_taught(snapshot, parent)
    first.version = VlmVersion.objects.create(
        name="child", parent=parent, location="bundled", sha256="1" * 64, family="llava"
    )
    first.save()
    grandchild = VlmVersion.objects.create(
        name="grandchild", parent=first.version, location="bundled", sha256="2" * 64, family="llava"
    )
    retraction = retract(study=with_ravi, reason="The wrong images.")
    impact = impact_of_retraction(retraction)
    assert impact.rebuildable == (snapshot, first)
    assert impact.vlm_versions == (first.version, grandchild)
    page = cora_client.get(reverse("retractions:show", args=[retraction.pk]))
    assert "grandchild" in page.content.decode()
    outcome = ask_for_rebuild(retraction)
    (rebuilt,) = outcome.made
    assert isinstance(rebuilt, ReportSnapshot)
    assert {one["kind"] for one in rebuilt.lines} == {"edit"}
    (refused,) = outcome.refused  # its parent's weights are not those that were registered
    assert "reader-of-chests" in refused
    told = cora_client.get(reverse("api:retraction", args=[retraction.pk])).json()["rests_on_it"]
    assert told["vlm_versions"] == ["child", "grandchild"]
    assert told["items"][0]["replacement"] == str(rebuilt.pk)
