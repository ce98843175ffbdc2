"""Erasing a person and a cohort: what goes, what stays, and what is said beforehand."""

import os
import time
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import AuditEvent, Token, User
from feedback_app.accounts.pseudonyms import pseudonym_of
from feedback_app.accounts.requests import TokenRequest
from feedback_app.accounts.tokens import make_token
from feedback_app.experiments.models import OwnGenerator
from feedback_app.images.blobs.models import Blob
from feedback_app.images.blobs.services import store
from feedback_app.images.cohorts import uploads
from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.cohorts.services import open_cohort, start_import
from feedback_app.images.models import CohortImage, Mask, Patient
from feedback_app.readings.framing import Size
from feedback_app.readings.models import Reading
from feedback_app.readings.pictures import keep_rendered, rendered_names
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.studies.models import CaseImage, CaseText, StudyState
from generation.errors import RemediableError
from tests.readings.answers import read
from tests.world import COHORT, World, build_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(rosa: User, ravi: User, cora: User, tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(rosa=rosa, ravi=ravi, cora=cora, folder=tmp_path_factory.mktemp("ward"))


def test_a_person_goes_and_what_they_read_stays_under_a_pseudonym(
    world: World, rosa: User, ada: User, ada_client: Client, rosa_client: Client
) -> None:
    User.objects.filter(pk=rosa.pk).update(last_name="Roentgen", email="rosa@example.org")
    read(world.slot)
    readings = Reading.objects.filter(reader=rosa).count()
    make_token(TokenRequest(name="mine"), owner=rosa, by=rosa, address="10.0.0.7")
    record(
        "study.readers_added", actor=ada, target="A study", details={"readers": ["rosa", "ravi"]}
    )
    record("user.changed", actor=ada, target="rosa", target_id=rosa.pk,
           details={"first_name": ["Rosa", "Rosalind"], "role": ["reader", "reader"]})  # fmt: skip
    address = reverse("operations:erase-person", args=[rosa.pk])
    page = ada_client.get(address).content.decode()
    pseudonym = pseudonym_of(rosa.pk)
    assert "1 token" in page and f"{readings} readings" in page and pseudonym in page
    assert "wait for them" in page

    assert "nothing was done" in ada_client.post(address, {"name": "ravi"}).content.decode()
    assert ada_client.post(address, {"name": "rosa"}).status_code == 302
    gone = User.objects.get(pk=rosa.pk)
    assert (gone.username, gone.display_name, gone.email) == (pseudonym, pseudonym, "")
    assert not gone.is_active and gone.erased_at and not gone.has_usable_password()
    assert Reading.objects.filter(reader=gone).count() == readings
    assert not Token.objects.exists()
    assert str(rosa.pk) not in {
        session.get_decoded().get("_auth_user_id") for session in Session.objects.all()
    }
    assert rosa_client.get(reverse("readings:worklist")).status_code == 302
    told = [f"{event.target} {event.details} {event.address}" for event in AuditEvent.objects.all()]
    assert not [line for line in told if "osa" in line or "10.0.0.7" in line]
    assert AuditEvent.objects.get(action="study.readers_added").details["readers"] == [
        pseudonym,
        "ravi",
    ]
    assert AuditEvent.objects.get(action="user.erased").actor == ada
    page = ada_client.get(reverse("accounts:person", args=[rosa.pk])).content.decode()
    assert "Erased on" in page and "Reactivate" not in page
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditEvent.objects.update(target="another")
    for refused in (gone, ada):
        with pytest.raises(CommandError, match="is erased" if refused == gone else "last admin"):
            call_command("erase", "person", refused.username, "--yes")


def test_a_cohort_goes_and_what_was_read_stays_without_its_picture(
    world: World, ada_client: Client, storage: object
) -> None:
    cohort = Cohort.objects.get(name=COHORT)
    CaseImage.objects.filter(image__cohort_image__cohort=cohort).delete()
    first, *others = CohortImage.objects.filter(cohort=cohort).select_related("image__blob")
    files = [image.image.blob for image in (first, *others)]
    keep_rendered(first.image, Size(width=32, height=32))
    assert len(rendered_names(files[0])) == 1
    assert others and all(blob.read() for blob in files)
    shown = CaseImage.objects.filter(case__study=world.study).first()
    assert shown is not None
    CaseImage.objects.filter(pk=shown.pk).update(image=first.image)
    said = StringIO()
    call_command("erase", "cohort", COHORT, stdout=said)
    assert "goes: " in said.getvalue() and "Nothing was done" in said.getvalue()
    with pytest.raises(CommandError, match="shows its images: close it first"):
        call_command("erase", "cohort", COHORT, "--yes")
    world.study.state = StudyState.CLOSED
    world.study.save()

    CaseText.objects.create(case=shown.case, position=0, source=COHORT, text="Lungs are clear.")
    learnt = store(b"", media_type="application/jsonl")
    OwnGenerator.objects.create(
        content_hash="0" * 64, cohort_name=COHORT, real_size=2, settings={}, learnt_from=learnt
    )
    body = {"kind": "cohort", "name": COHORT, "confirm": COHORT}
    wrong = {**body, "confirm": "another"}
    assert ada_client.post("/api/erasures/", wrong, "application/json").status_code == 400
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "on_commit", lambda act, **_: act())
        answer = ada_client.post("/api/erasures/", body, "application/json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["action"] == "cohort.erased"
    stayed = " ".join(answer.json()["details"]["stayed"])
    went = " ".join(answer.json()["details"]["went"])
    assert "1 report of its images" in went and "1 generator of experiments" in went
    assert "report" not in stayed
    left = CohortImage.objects.get(cohort=cohort)
    assert (left.pk, left.findings, left.source_id) == (first.pk, [], "erased-1")
    assert (
        left.patient.source_id == "erased-1" and Patient.objects.filter(cohort=cohort).count() == 1
    )
    assert not Mask.objects.filter(cohort_image__cohort=cohort).exists()
    with pytest.raises(RemediableError, match="was erased with its cohort"):
        Blob.objects.get(pk=files[0].pk).read()
    assert not rendered_names(files[0])
    assert not Blob.objects.filter(pk__in=[blob.pk for blob in files[1:]]).exists()
    assert ada_client.get(reverse("images:cohort", args=[COHORT])).status_code == 200
    with pytest.raises(RemediableError, match="was erased"):
        open_cohort(COHORT, source=cohort.source)
    with pytest.raises(CommandError, match="erased already"):
        call_command("erase", "cohort", COHORT, "--yes")


def test_an_upload_goes_a_week_after_its_import_is_over(storage: Path) -> None:
    week_ago = time.time() - uploads.KEPT_FOR.total_seconds() - 60
    folders = [storage / "uploads" / name for name in ("waits", "ended", "never", "new")]
    for folder in folders:
        folder.mkdir(parents=True)
        if folder.name != "new":
            os.utime(folder, (week_ago, week_ago))
    start_import("folder", folders[0], name="waits")
    ended = start_import("folder", folders[1], name="ended")
    runs.cancel(ended)
    assert uploads.discard_old() == 1 and not folders[2].exists()
    Run.objects.filter(pk=ended.pk).update(finished_at=datetime.fromtimestamp(week_ago, tz=UTC))
    assert uploads.discard_old() == 1
    assert [folder.name for folder in folders if folder.exists()] == ["waits", "new"]
