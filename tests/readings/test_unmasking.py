"""Two phases held apart: what was said unaware stays, whatever its reader learns later."""

from importlib import import_module

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.readings.errors import PhaseOver
from feedback_app.readings.models import Reading, Score, Unmasking
from feedback_app.results.readings_file.columns import TABLES
from feedback_app.results.readings_file.rows import StudyRows, header_of
from feedback_app.results.tables import table_of
from feedback_app.studies.models import Phase, Slot
from tests.readings.answers import posted_for, read
from tests.readings.rooms import assign, make_room, real, synthetic

pytestmark = pytest.mark.django_db
PHASES = (Phase.UNAWARE, Phase.AWARE)


@pytest.fixture
def slots(rosa: User) -> list[Slot]:
    """Two cases unaware, then the same aware."""
    cases = [[synthetic(1)], [real(2)]]
    study = make_room("real_or_synthetic", rosa, cases=cases, has_phases=True)
    return assign(study, rosa, phases=PHASES)


def test_an_unaware_answer_can_be_changed_until_its_reader_is_told_and_never_after(
    slots: list[Slot], rosa_client: Client
) -> None:
    first, second, aware, _ = slots
    read(first, value=2)
    page = rosa_client.get(reverse("readings:read", args=[aware.pk]))
    assert page["Location"] == reverse("readings:worklist")
    early = rosa_client.get(reverse("api:slot", args=[aware.pk]))
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_yet")
    assert "synthetic" not in early.content.decode()
    read(first, value=3)  # not told yet
    read(second)
    assert not Unmasking.objects.exists()
    assert rosa_client.get(reverse("api:slot", args=[aware.pk])).status_code == 200
    locked = rosa_client.get(reverse("api:slot", args=[first.pk])).json()
    assert (locked["is_locked"], locked["reading"]["revision"]) == (True, 2)
    body = posted_for(first, value=5)
    refused = rosa_client.post(
        reverse("api:readings", args=[first.pk]), body, content_type="application/json"
    )
    assert refused.status_code == 409
    assert "is kept and counts" in refused.json()["error"]["remedy"]
    with pytest.raises(PhaseOver):
        read(second, skip_reason="technical", scores=[])
    assert Reading.objects.filter(slot__phase=Phase.UNAWARE).count() == 3
    read(aware, value=4)
    read(aware, value=1)  # of the phase that lasts


def test_what_was_said_too_late_is_kept_and_does_not_count(slots: list[Slot], rosa: User) -> None:
    """As it could be before answers were locked; the migration marks it."""
    first, second, aware, _ = slots
    read(second, value=2)
    read(first, value=2)
    late = _revise_too_late(first, rosa)
    read(aware, value=4)
    _mark_late(late)
    study = first.study
    assert set(Reading.objects.filter(slot=first).current()) == {first.readings.get(revision=1)}
    assert late not in Reading.objects.as_of(timezone.now())
    assert late.pk not in table_of(study).readings.ids
    header = header_of(TABLES["scores"])
    rows = [dict(zip(header, row, strict=True)) for row in StudyRows(study).of(TABLES["scores"])]
    told = {(row["value"], row["said_in"], row["is_last_revision"]) for row in rows}
    assert told == {(2, "unaware", True), (5, "aware", False), (4, "aware", True)}


def _revise_too_late(slot: Slot, reader: User) -> Reading:
    late = Reading.objects.create(
        slot=slot, reader=reader, revision=2, idempotency_key="6f0e1f57-0000-4000-8000-000000000001"
    )
    image, criterion = slot.images_in_order()[0], slot.criteria()[0]
    Score.objects.create(reading=late, image=image, criterion=criterion, value=5)
    return late


def _mark_late(late: Reading) -> None:
    """Runs what the migration runs, as though the reader had been told before ``late``."""
    migration = import_module("feedback_app.readings.migrations.0007_two_phases_held_apart")
    Unmasking.objects.update(at=late.slot.readings.get(revision=1).created_at)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(migration.MARK_WHAT_CAME_TOO_LATE)
    late.refresh_from_db()
    assert late.after_unmasking
