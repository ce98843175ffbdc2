"""What readers said of reports is frozen: choices, edits, and drafts accepted as they were."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.readings.services.retractions import retract
from feedback_app.vlms.learning.models import ReportSnapshot
from feedback_app.vlms.learning.snapshots import retake_report_snapshot, take_report_snapshot
from generation.errors import RemediableError
from tests.vlms.made import LONG_DRAFT, compared, report_readings

pytestmark = pytest.mark.django_db


def test_choices_edits_and_accepted_drafts_are_frozen_without_what_is_retracted(
    rosa: User, ravi: User, cora_client: Client
) -> None:
    compared(rosa, 6, -3, 0)
    report_readings(ravi, taught=3, held_out=1)
    snapshot = take_report_snapshot("All")
    told = {(one["kind"], one["text"], one["over"], one["points"]) for one in snapshot.lines}
    assert told == {
        ("choice", "Effusion.", "No effusion.", 6),
        ("choice", "No effusion.", "Effusion.", 3),
        ("edit", "No effusion.", LONG_DRAFT, None),
        ("accepted", LONG_DRAFT, "", None),
    }
    assert len(snapshot.lines) == snapshot.lessons.count() == 6
    assert take_report_snapshot("Again").sha256 == snapshot.sha256
    for change in (snapshot.delete, lambda: snapshot.lessons.update(kind="choice")):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()
    retract(reader=ravi, reason="They read the wrong study.")
    address = reverse("vlms:report-snapshot", args=[snapshot.pk])
    assert "rests on retracted readings" in cora_client.get(address).content.decode()
    rebuilt = retake_report_snapshot(snapshot)
    assert [one["kind"] for one in rebuilt.lines] == ["choice", "choice"]
    assert rebuilt.replaces == snapshot
    page = cora_client.get(address).content.decode()
    assert "All, rebuilt" in page


def test_simulated_readings_are_frozen_apart_and_who_asks_is_answered(
    rosa: User, cora_client: Client
) -> None:
    with pytest.raises(RemediableError, match="No reading of reports by people"):
        take_report_snapshot("None")
    User.objects.filter(pk=rosa.pk).update(is_simulated=True)
    rosa.refresh_from_db()
    study = compared(rosa, 6)
    with pytest.raises(CommandError, match="by people"):
        call_command("snapshot_reports", "Mine")
    with pytest.raises(CommandError, match="no study Elsewhere"):
        call_command("snapshot_reports", "Mine", studies=["Elsewhere"])
    call_command("snapshot_reports", "Mine", studies=[study.name], is_simulated=True)
    taken = ReportSnapshot.objects.get()
    assert taken.is_simulated
    asked = {"name": "By page", "studies": [study.name], "is_simulated": "on"}
    answer = cora_client.post(reverse("vlms:report-snapshot-new"), asked)
    by_page = ReportSnapshot.objects.get(name="By page")
    assert answer["Location"] == reverse("vlms:report-snapshot", args=[by_page.pk])
    assert "simulated readers" in cora_client.get(reverse("vlms:report-snapshots")).content.decode()
    refused = cora_client.post(reverse("vlms:report-snapshot-new"), {"name": "People"})
    assert refused.status_code == 400
    made = cora_client.post(
        reverse("api:report-snapshots"),
        json.dumps({"name": "By program", "is_simulated": True}),
        content_type="application/json",
    ).json()
    assert (made["choices"], made["edits"], made["sha256"]) == (1, 0, taken.sha256)
    file = cora_client.get(reverse("api:report-snapshot-file", args=[made["id"]]))
    assert json.loads(file.content)["text"] == "Effusion."
