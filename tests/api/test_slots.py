"""The reading page's JSON: one case out, one reading in, one shape of error."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Slot
from feedback_app.studies.services import close_study
from tests.readings.answers import posted_for
from tests.studies.making import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def slots(rosa: User, ravi: User) -> list[Slot]:
    """Rosa's, in order."""
    study = make_study(rosa, ravi, prompts=3)
    return list(Slot.objects.filter(study=study, reader=rosa).order_by("position"))


def post(client: Client, slot: Slot, body: Any) -> Any:
    address = reverse("api:readings", args=[slot.pk])
    return client.post(address, body, content_type="application/json")


def test_a_case_has_what_reading_it_takes(rosa_client: Client, slots: list[Slot]) -> None:
    case = rosa_client.get(reverse("api:slot", args=[slots[1].pk])).json()
    assert (case["position"], case["total"], case["read"]) == (2, 3, 0)
    assert case["previous"] == str(slots[0].pk)
    assert case["next"] == str(slots[2].pk)
    assert case["prompt"] == slots[1].case.prompt
    assert [image["address"] for image in case["images"]] == [
        f"/read/{slots[1].pk}/images/{place}.png" for place in range(4)
    ]
    assert [criterion["slug"] for criterion in case["criteria"]] == ["realism", "fits-the-prompt"]
    assert case["reading"] is None


def test_the_next_case_is_the_next_unread_one_and_the_first_again_at_the_end(
    rosa_client: Client, slots: list[Slot]
) -> None:
    def next_of(slot: Slot) -> str | None:
        answer = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()
        following: str | None = answer["next"]
        return following

    post(rosa_client, slots[1], posted_for(slots[1]))
    assert next_of(slots[0]) == str(slots[2].pk)
    assert next_of(slots[2]) == str(slots[0].pk)
    post(rosa_client, slots[0], posted_for(slots[0]))
    assert next_of(slots[2]) is None


def test_a_page_of_a_reader_who_logged_out_is_told_to_log_in(
    rosa: User, ravi: User, rosa_client: Client, ravi_client: Client, slots: list[Slot]
) -> None:
    address = reverse("api:readings", args=[slots[0].pk])
    for client, opened_by, status in (
        (ravi_client, rosa, 403),
        (rosa_client, ravi, 403),
        (rosa_client, rosa, 201),
    ):
        answer = client.post(
            address,
            posted_for(slots[0]),
            content_type="application/json",
            headers={"X-Reader": str(opened_by.pk)},
        )
        assert answer.status_code == status
        if status == 403:
            assert answer.json()["error"]["code"] == "not_authenticated"
    assert Reading.objects.count() == 1


def test_a_posted_reading_comes_back_with_its_case(rosa_client: Client, slots: list[Slot]) -> None:
    region = {"shape": "box", "points": [[1.5, 2.0], [30.0, 31.25]]}
    flag = {"place": 1, "flag": "clavicles", "grade": "minor", "regions": [region]}
    response = post(rosa_client, slots[0], posted_for(slots[0], value=5, flags=[flag]))
    assert response.status_code == 201
    assert response.json() == {"slot": str(slots[0].pk), "revision": 1}
    reading = rosa_client.get(reverse("api:slot", args=[slots[0].pk])).json()["reading"]
    assert reading["flags"] == [flag]
    assert {score["value"] for score in reading["scores"]} == {5}
    assert {score["place"] for score in reading["scores"]} == {0, 1, 2, 3}


def test_posting_the_same_reading_twice_stores_it_once(
    rosa_client: Client, slots: list[Slot]
) -> None:
    body = posted_for(slots[0])
    answers = [post(rosa_client, slots[0], body) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Reading.objects.count() == 1


def test_a_slot_is_its_own_readers_only(everyone: dict[str, Client], slots: list[Slot]) -> None:
    for name, client in everyone.items():
        expected = {"rosa": 200, "nobody": 403}.get(name, 404)
        assert client.get(reverse("api:slot", args=[slots[0].pk])).status_code == expected, name
        if name != "rosa":
            status = post(client, slots[0], posted_for(slots[0])).status_code
            assert status == expected, name
    assert not Reading.objects.exists()


def test_nobody_is_told_to_log_in_by_a_code(client: Client, slots: list[Slot]) -> None:
    answer = client.get(reverse("api:slot", args=[slots[0].pk])).json()
    assert answer["error"]["code"] == "not_authenticated"


def test_a_post_without_its_token_is_refused(rosa: User, slots: list[Slot]) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(rosa)
    response = post(strict, slots[0], posted_for(slots[0]))
    assert response.status_code == 403
    assert response.json()["error"]["message"].startswith("CSRF Failed")


def test_a_closed_study_is_a_conflict_with_a_remedy(rosa_client: Client, slots: list[Slot]) -> None:
    close_study(slots[0].study)
    response = post(rosa_client, slots[0], posted_for(slots[0]))
    assert response.status_code == 409
    error = response.json()["error"]
    assert error["code"] == "conflict"
    assert "is closed" in error["message"]
    assert error["remedy"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"idempotency_key": "mine"}, "idempotency_key"),
        ({"scores": "all good"}, "scores"),
        ({"choices": [{"criterion": "realism", "verdict": "best"}]}, "choices"),
        ({"skip_reason": "bored"}, "skip_reason"),
        ({"scores": [{"place": 0, "criterion": "realism", "value": 6}]}, "scores"),
        ({"scores": [{"place": -1, "criterion": "realism", "value": 1}]}, "scores"),
        ({"flags": [{"place": 0, "flag": "clavicles", "grade": "huge"}]}, "flags"),
        ({"comment": "x" * 2_001}, "comment"),
        ({"active_ms": -1}, "active_ms"),
    ],
)
def test_a_value_out_of_range_is_named(
    rosa_client: Client, slots: list[Slot], changes: dict[str, Any], field: str
) -> None:
    response = post(rosa_client, slots[0], posted_for(slots[0], **changes))
    assert response.status_code == 400
    assert field in response.json()["error"]["fields"]


def test_an_incomplete_reading_is_refused(rosa_client: Client, slots: list[Slot]) -> None:
    body = posted_for(slots[0])
    body["scores"].pop()
    response = post(rosa_client, slots[0], body)
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "1 of 8 scores are missing."


@pytest.mark.parametrize("body", ["[]", "{", '"text"', "null"])
def test_what_is_no_reading_at_all_is_refused(
    rosa_client: Client, slots: list[Slot], body: str
) -> None:
    response = post(rosa_client, slots[0], body)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_a_slot_that_does_not_exist_is_not_there(rosa_client: Client) -> None:
    response = rosa_client.get(reverse("api:slot", args=[uuid.uuid4()]))
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


def test_an_enormous_body_is_refused_unread(rosa_client: Client, slots: list[Slot]) -> None:
    response = post(rosa_client, slots[0], posted_for(slots[0], comment="x" * 3_000_000))
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"
