"""What readings give is counted once a reading, and a page's figure is a sum."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import ReadingYield, Snapshot
from feedback_app.finetuning.services import snapshots, take_snapshot, yields
from feedback_app.finetuning.services.pairs import find_pairs
from feedback_app.finetuning.services.ratings import find_ratings
from feedback_app.finetuning.services.yields import count_new_pairs, count_unknown
from feedback_app.readings.services.retractions import retract
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Slot, Study
from tests.finetuning.read_studies import Read

pytestmark = pytest.mark.django_db


@pytest.fixture
def slots(make_study: Callable[..., Study], rosa: User) -> list[Slot]:
    return list(Slot.objects.filter(study=make_study(rosa)).order_by("case__position"))


def test_the_sum_is_that_of_the_pairs_and_ratings_found(slots: list[Slot], read: Read) -> None:
    read(slots[0], [5, 4, 2, 0])
    read(slots[1], [3, 3, 1, 1])
    assert count_new_pairs(simulated=False, since=None) == len(find_pairs(simulated=False)) == 10
    assert count_unknown("ratings", simulated=False, known=()) == len(find_ratings(simulated=False))
    assert count_new_pairs(simulated=True, since=None) == 0


def test_a_revision_a_snapshot_and_a_retraction_change_the_sum(
    slots: list[Slot], read: Read, rosa: User
) -> None:
    read(slots[0], [5, 4, 2, 0])
    assert count_new_pairs(simulated=False, since=None) == 6
    read(slots[0], [5, 5, 5, 0])
    assert count_new_pairs(simulated=False, since=None) == 3
    snapshot = take_snapshot(name="Monday", simulated=False)
    assert count_new_pairs(simulated=False, since=snapshot) == 0
    read(slots[1], [5, 4, 2, 0])
    assert count_new_pairs(simulated=False, since=snapshot) == 6
    retract(reader=rosa, reason="An unreliable screen.")
    assert count_new_pairs(simulated=False, since=snapshot) == 0


def test_what_is_counted_is_not_looked_at_again(slots: list[Slot], read: Read) -> None:
    read(slots[0], [5, 4, 2, 0])
    count_new_pairs(simulated=False, since=None)
    assert ReadingYield.objects.count() == 1
    with CaptureQueriesContext(connection) as queries:
        count_new_pairs(simulated=False, since=None)
    assert len(queries) <= 4
    assert not any("readings_score" in query["sql"] for query in queries)


def test_a_large_snapshot_is_taken_by_a_run_once(
    slots: list[Slot],
    read: Read,
    cora_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read(slots[0], [5, 4, 2, 0])
    monkeypatch.setattr(snapshots, "RATINGS_AT_ONCE", 3)
    form = {"name": "Large", "whose": "people"}
    answer = cora_client.post(reverse("finetuning:snapshot_new"), form)
    run = Run.objects.get(kind="take_snapshot")
    assert answer["Location"] == reverse("runs:run", args=[run.pk])
    assert not Snapshot.objects.exists()
    runs.execute(run.pk)
    Run.objects.filter(pk=run.pk).update(state=State.QUEUED, finished_at=None)
    runs.execute(run.pk)
    snapshot = Snapshot.objects.get()
    run.refresh_from_db()
    assert (run.state, run.result["snapshot"]) == (State.SUCCEEDED, str(snapshot.pk))
    assert snapshot.pairs.count() == 6


def test_a_backlog_is_counted_by_a_run_and_pages_say_what_is_counted(
    slots: list[Slot],
    read: Read,
    cora_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read(slots[0], [5, 4, 2, 0])
    count_new_pairs(simulated=False, since=None)
    read(slots[1], [5, 4, 2, 0])
    monkeypatch.setattr(yields, "BACKLOG_AT_ONCE", 0)
    for address in (reverse("home"), reverse("finetuning:overview")):
        assert "so far" in cora_client.get(address).content.decode()
    answer = cora_client.post(
        reverse("finetuning:snapshot_new"), {"name": "At once", "whose": "people"}
    )
    taking = Run.objects.get(kind="take_snapshot")
    assert answer["Location"] == reverse("runs:run", args=[taking.pk])
    run = Run.objects.get(kind="count_teaching")
    runs.execute(run.pk)
    run.refresh_from_db()
    assert run.result == {"total": 12, "readings": 2}
    told = cora_client.get(reverse("finetuning:overview")).content.decode()
    assert "<strong>12</strong> new pairs from" in told


def test_of_very_many_readings_pages_say_what_the_last_run_counted(
    slots: list[Slot], read: Read, cora_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not gone through again and again; the tables of tests are never analysed."""
    read(slots[0], [5, 4, 2, 0])
    monkeypatch.setattr(yields, "MANY", -2)
    for address in (reverse("home"), reverse("finetuning:overview")):
        assert "so far" in cora_client.get(address).content.decode()
    for run in Run.objects.filter(kind="count_teaching"):
        runs.execute(run.pk)
    assert "<strong>6</strong> new pairs from" in (
        cora_client.get(reverse("finetuning:overview")).content.decode()
    )
    home = cora_client.get(reverse("home"))
    assert next(stage.count for stage in home.context["stages"] if "eading" in stage.name) == 1
    assert Run.objects.unfinished().count() == 0
