"""Comments teach: a coordinator confirms what they name, and that reaches whoever learns."""

import csv
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import Snapshot
from feedback_app.finetuning.services import take_snapshot
from feedback_app.finetuning.services.snapshots import retake_snapshot
from feedback_app.provenance.impact import impact_of_retraction
from feedback_app.readings.comment_models import CommentFlag
from feedback_app.readings.models import Reading
from feedback_app.readings.services import GivenFlag
from feedback_app.readings.services.retractions import retract
from feedback_app.results.comment_requests import CommentFlagRequest
from feedback_app.results.comments import decide, take_back
from feedback_app.results.readings_file.columns import TABLES
from feedback_app.results.readings_file.rows import StudyRows
from feedback_app.results.readings_file.writing import csv_of
from feedback_app.results.reviewed import said_in
from feedback_app.studies.models import Study
from generation.errors import RemediableError
from tests.readings.answers import read
from tests.readings.rooms import assign, make_room, synthetic

pytestmark = pytest.mark.django_db
DOUBLED = "A: the clavicle is doubled.\nNo noise."


def commented(reader: User, *, mode: str = "rate", first: int = 1, **options: Any) -> Reading:
    images = [synthetic(first)] if mode == "rate" else [synthetic(first), synthetic(first + 1)]
    (slot,) = assign(make_room(mode, reader, cases=[images], name=f"Room {first}"), reader)
    return read(slot, comment=DOUBLED, **options)


def names_suggested(reading: Reading) -> list[tuple[str, int]]:
    said = said_in(reading)
    assert said is not None
    return [(one.suggestion.kind.slug, one.number) for one in said.suggested]


def confirm(reading: Reading, **changes: Any) -> CommentFlag:
    asked = {"reading": reading.pk, "flag": "clavicles", "image": 1, "is_confirmed": True}
    return decide(CommentFlagRequest.model_validate(asked | changes), actor=None)


def test_what_is_named_is_offered_once_and_neither_what_is_denied_nor_what_was_flagged(
    rosa: User, ravi: User
) -> None:
    reading = commented(rosa)
    assert names_suggested(reading) == [("clavicles", 1)]
    flag = GivenFlag(place=0, flag="clavicles", grade="minor")
    assert names_suggested(commented(ravi, first=2, flags=[flag])) == []
    row = confirm(reading, is_confirmed=False)
    assert names_suggested(reading) == []
    take_back(row, actor=None)
    assert names_suggested(reading) == [("clavicles", 1)]
    assert CommentFlag.objects.get().taken_back_at is not None
    with pytest.raises(RemediableError, match="is not on the image"):
        confirm(reading, box=(0, 0, 5000, 5))


def test_letters_are_those_that_the_reader_saw(rosa: User) -> None:
    reading = commented(rosa, mode="compare")
    slot = reading.slot
    assert names_suggested(reading) == [("clavicles", slot.image_order[0] + 1)]
    slot.image_order = slot.image_order[::-1]
    slot.save()
    reading = Reading.objects.get(pk=reading.pk)
    assert names_suggested(reading) == [("clavicles", slot.image_order[0] + 1)]
    said = said_in(reading)
    assert said is not None
    assert bool(said.letters) == (slot.image_order == [1, 0])


def test_a_coordinator_decides_where_the_comment_stands(
    cora_client: Client, client: Client, rosa: User
) -> None:
    reading = commented(rosa)
    address = reverse("readings:results-comment", args=[reading.pk])
    answer = {"flag": "clavicles", "image": "1", "grade": "major", "box": "4, 6, 20, 26"}
    page = cora_client.post(
        address, answer | {"is_confirmed": "yes"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "from the comment" in page
    row = CommentFlag.objects.get()
    assert (row.grade, row.box, row.decided_by) == (
        "major", [4, 6, 20, 26], User.objects.get(username="cora"),
    )  # fmt: skip
    cases = reverse("readings:results-cases", args=[reading.slot.study_id])
    assert 'points="4,6 20,6 20,26 4,26"' in cora_client.get(cases).content.decode()
    back = cora_client.post(reverse("readings:results-comment-back", args=[row.pk]), follow=True)
    assert "Confirm" in back.content.decode()
    wrong = cora_client.post(address, answer | {"flag": "nothing"}, follow=True)
    assert "Choose one of" in wrong.content.decode()


def test_a_program_decides_too(cora_client: Client, rosa: User) -> None:
    reading = commented(rosa)
    body = {"reading": str(reading.pk), "flag": "clavicles", "is_confirmed": True}
    made = cora_client.post("/api/comment-flags/", body, content_type="application/json")
    assert made.status_code == 201, made.content
    assert made.json()["grade"] == "minor"
    back = cora_client.post(f"/api/comment-flags/{made.json()['id']}/back/")
    assert back.status_code == 200
    assert cora_client.get("/api/comment-flags/").json()["count"] == 0


def test_the_readings_file_has_a_row_a_decision(rosa: User) -> None:
    reading = commented(rosa)
    confirm(reading, box=(4, 6, 20, 26))
    table = "".join(csv_of(StudyRows(reading.slot.study), TABLES["comment_flags"]))
    (row,) = csv.DictReader(table.splitlines(keepends=True))
    assert (row["flag"], row["is_confirmed"], row["grade"], row["box"]) == (
        "clavicles", "True", "minor", "4 6 20 26",
    )  # fmt: skip
    assert row["image"] == "1-1"


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def remarks(snapshot: Snapshot) -> list[dict[str, Any]]:
    assert snapshot.remarks is not None
    return lines(snapshot.remarks.read())


def test_a_snapshot_has_what_was_confirmed_by_then_and_what_was_said(
    rosa: User, ravi: User
) -> None:
    study: Study = make_room("rate", rosa, ravi, cases=[[synthetic(1)], [synthetic(2)]])
    first, second = assign(study, rosa)
    reading = read(first, comment=DOUBLED, value=1)
    read(second, scores=[], skip_reason="not_assessable", comment="Too dark.")
    read(assign(study, ravi)[0], value=4)
    bare = take_snapshot(name="Before", simulated=False)
    assert [line.get("marks") for line in lines(bare.blob.read())] == [None, None]
    confirm(reading, box=(0, 0, 16, 32))
    taken = take_snapshot(name="After", simulated=False)
    marks = [line["marks"] for line in lines(taken.blob.read()) if "marks" in line]
    assert [(mark["flag"], mark["source"]) for (mark,) in marks] == [("clavicles", "comment")]
    said = {line["comment"]: line for line in remarks(taken)}
    assert said["Too dark."]["skip_reason"] == "not_assessable"
    assert [(one["flag"], one["from"]) for one in said[DOUBLED]["flags"]] == [
        ("clavicles", "comment")
    ]
    CommentFlag.objects.update(taken_back_at=timezone.now())
    again = retake_snapshot(taken)
    assert (again.sha256, again.remarks_id) == (taken.sha256, taken.remarks_id)
    assert retake_snapshot(bare).remarks_id == bare.remarks_id
    retraction = retract(reader=rosa, reason="A trial.")
    assert bare in impact_of_retraction(retraction).snapshots
    assert remarks_without_rosa(taken)


def remarks_without_rosa(taken: Snapshot) -> bool:
    return retake_snapshot(taken).remarks is None
