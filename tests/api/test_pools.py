"""The next case, the heartbeat, bookmarks, preferences and the way into a study."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.readings.models import Bookmark, ReaderPreferences
from feedback_app.studies.models import Slot, Study
from feedback_app.studies.modes import MODES
from tests.readings.answers import posted_for
from tests.readings.rooms import assign, let_lapse, make_room, pool, synthetic

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(rosa: User, ravi: User) -> Study:
    return pool(rosa, ravi)


def begin(client: Client, study: Study) -> Any:
    return client.post(reverse("readings:begin", args=[study.pk]))


def first_slot(client: Client, study: Study) -> str:
    location: str = begin(client, study)["Location"]
    return location.strip("/").rpartition("/")[2]


def post(client: Client, name: str, slot: object, body: object = None) -> Any:
    address = reverse(f"api:{name}", args=[slot])
    return client.post(address, body or {}, content_type="application/json")


def submit(client: Client, slot: str) -> None:
    answer = post(client, "readings", slot, posted_for(Slot.objects.get(pk=slot)))
    assert answer.status_code == 201


def test_beginning_claims_a_case_and_goes_there(rosa_client: Client, study: Study) -> None:
    slot = first_slot(rosa_client, study)
    assert begin(rosa_client, study)["Location"] == reverse("readings:read", args=[slot])
    case = rosa_client.get(reverse("api:slot", args=[slot])).json()
    assert (case["is_pool"], case["position"], case["total"], case["read"]) == (True, 1, None, 0)
    assert 890 < case["lease_s"] <= 900
    assert (case["next"], case["previous"]) == (None, None)


def test_beginning_is_for_the_studys_readers(everyone: dict[str, Client], study: Study) -> None:
    for name, client in everyone.items():
        expected = 302 if name in {"rosa", "ravi", "nobody"} else 404
        answer = begin(client, study)
        assert answer.status_code == expected, name
        assert ("login" in answer.headers.get("Location", "")) == (name == "nobody")
    assert Slot.objects.filter(reader__isnull=False).count() == 2


def test_beginning_an_assigned_study_goes_to_the_first_unread_case(
    rosa: User, rosa_client: Client
) -> None:
    study = make_room("rate", rosa, cases=[[synthetic(n)] for n in range(2)])
    slots = assign(study, rosa)
    assert first_slot(rosa_client, study) == str(slots[0].pk)
    submit(rosa_client, str(slots[0].pk))
    assert first_slot(rosa_client, study) == str(slots[1].pk)
    submit(rosa_client, str(slots[1].pk))
    assert first_slot(rosa_client, study) == str(slots[0].pk)


def test_a_pool_that_is_read_leads_back_to_the_work_list(rosa_client: Client, study: Study) -> None:
    for _ in range(3):
        submit(rosa_client, first_slot(rosa_client, study))
    answer = rosa_client.post(reverse("readings:begin", args=[study.pk]), follow=True)
    assert answer.redirect_chain == [(reverse("readings:worklist"), 302)]
    assert "nothing left for you to read" in answer.content.decode()


def test_next_claims_what_the_page_does_not_hold(rosa_client: Client, study: Study) -> None:
    first = first_slot(rosa_client, study)
    second = post(rosa_client, "next", first, {"holding": [first]}).json()
    assert second["slot"] != first
    assert (second["position"], second["next"]) == (2, first)
    submit(rosa_client, first)
    third = post(rosa_client, "next", first, {"holding": [second["slot"]]}).json()
    assert third["slot"] not in {first, second["slot"]}
    assert (third["position"], third["read"], third["previous"]) == (3, 1, first)
    submit(rosa_client, second["slot"])
    submit(rosa_client, third["slot"])
    assert post(rosa_client, "next", third["slot"]).status_code == 204


def test_what_a_turn_asks_the_database_is_counted(rosa_client: Client, study: Study) -> None:
    first = first_slot(rosa_client, study)
    submit(rosa_client, first)
    second = post(rosa_client, "next", first).json()["slot"]
    reading = posted_for(Slot.objects.get(pk=second))
    with CaptureQueriesContext(connection) as asked:
        post(rosa_client, "readings", second, reading)
        post(rosa_client, "next", second)
    questions = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert len(questions) == 15, "\n".join(questions)


@pytest.mark.parametrize("mode", MODES)
def test_no_mode_asks_the_database_more_in_a_turn_than_its_texts(
    rosa: User, rosa_client: Client, mode: str
) -> None:
    images = 2 if mode in {"rate_k", "compare"} else 1
    cases = [[synthetic(number + image) for image in range(images)] for number in (0, 10, 20)]
    reports = [("ours", "Effusion."), ("theirs", "Clear.")] if mode == "compare_reports" else []
    study = make_room(mode, rosa, cases=cases, texts=reports)
    first, second, _ = (str(slot.pk) for slot in assign(study, rosa))
    submit(rosa_client, first)
    reading = posted_for(Slot.objects.get(pk=second))
    with CaptureQueriesContext(connection) as asked:
        post(rosa_client, "readings", second, reading)
        post(rosa_client, "next", second)
    questions = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    texts = 2 if "report" in mode else 0  # of the case that is answered, and of the next one
    assert len(questions) == 15 + texts, "\n".join(questions)


def test_cases_of_a_pool_are_numbered_as_they_were_read(rosa_client: Client, study: Study) -> None:
    slots = [first_slot(rosa_client, study)]
    for _ in range(2):
        submit(rosa_client, slots[-1])
        slots.append(post(rosa_client, "next", slots[-1]).json()["slot"])
    cases = [rosa_client.get(reverse("api:slot", args=[slot])).json() for slot in slots]
    assert [case["position"] for case in cases] == [1, 2, 3]
    assert [case["previous"] for case in cases] == [None, *slots[:2]]
    assert [case["next"] for case in cases] == [slots[2], slots[2], None]


def test_next_in_an_assigned_study_is_the_next_unread_one(rosa: User, rosa_client: Client) -> None:
    study = make_room("rate", rosa, cases=[[synthetic(n)] for n in range(3)])
    slots = [str(slot.pk) for slot in assign(study, rosa)]
    case = post(rosa_client, "next", slots[0], {"holding": [slots[0], slots[1]]}).json()
    assert (case["slot"], case["total"], case["lease_s"]) == (slots[2], 3, None)
    for slot in slots:
        submit(rosa_client, slot)
    assert post(rosa_client, "next", slots[0]).status_code == 204


def test_next_of_a_paused_pool_is_a_conflict(rosa_client: Client, study: Study) -> None:
    slot = first_slot(rosa_client, study)
    Study.objects.update(state="paused")
    answer = post(rosa_client, "next", slot)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    case = rosa_client.get(reverse("api:slot", args=[slot])).json()
    assert (case["is_open"], case["state"]) == (False, "paused")


def test_a_heartbeat_answers_with_the_lease(rosa_client: Client, study: Study) -> None:
    slot = first_slot(rosa_client, study)
    assert post(rosa_client, "heartbeat", slot).json() == {"lease_s": 900}
    submit(rosa_client, slot)
    assert post(rosa_client, "heartbeat", slot).json() == {"lease_s": None}


def test_a_heartbeat_after_somebody_took_the_seat_is_a_conflict(
    rosa: User, ravi: User, rosa_client: Client, ravi_client: Client
) -> None:
    study = pool(rosa, ravi, cases=1, overlap=1, name="One seat")
    slot = first_slot(rosa_client, study)
    let_lapse(Slot.objects.get(pk=slot))
    first_slot(ravi_client, study)
    answer = post(rosa_client, "heartbeat", slot)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    submit(rosa_client, slot)


def test_every_verb_of_a_slot_is_its_own_readers_only(
    everyone: dict[str, Client], rosa_client: Client, study: Study
) -> None:
    slot = first_slot(rosa_client, study)
    for name, client in everyone.items():
        if name == "rosa":
            continue
        expected = 403 if name == "nobody" else 404
        address = reverse("api:bookmark", args=[slot])
        statuses = {
            post(client, "next", slot).status_code,
            post(client, "heartbeat", slot).status_code,
            client.put(address).status_code,
            client.delete(address).status_code,
        }
        assert statuses == {expected}, name
    assert not Bookmark.objects.exists()


def test_a_bookmark_is_set_and_taken_off_as_often_as_one_likes(
    rosa_client: Client, study: Study
) -> None:
    slot = first_slot(rosa_client, study)
    address = reverse("api:bookmark", args=[slot])

    def is_marked() -> bool:
        marked: bool = rosa_client.get(reverse("api:slot", args=[slot])).json()["is_bookmarked"]
        return marked

    for _ in range(2):
        assert rosa_client.put(address).status_code == 204
    assert is_marked()
    for _ in range(2):
        assert rosa_client.delete(address).status_code == 204
    assert not is_marked()


def test_preferences_are_kept_per_reader(rosa_client: Client, ravi_client: Client) -> None:
    address = reverse("api:reading-preferences")
    assert rosa_client.get(address).json() == {"bindings": {}}
    bindings = {"submit": ["Enter", "NumpadEnter"], "invert": ["i"], "flag": []}
    for _ in range(2):
        answer = rosa_client.put(address, {"bindings": bindings}, content_type="application/json")
        assert (answer.status_code, answer.json()) == (200, {"bindings": bindings})
    assert rosa_client.get(address).json() == {"bindings": bindings}
    assert ravi_client.get(address).json() == {"bindings": {}}


@pytest.mark.parametrize(
    "given",
    [
        [],
        {},
        {"bindings": {}, "colour": "red"},
        {"bindings": []},
        {"bindings": {"submit": "Enter"}},
        {"bindings": {"submit": [1]}},
        {"bindings": {"submit": ["x" * 65]}},
        {"bindings": {"": ["x"]}},
        {"bindings": {"submit": ["a"] * 9}},
        {"bindings": {f"command-{n}": ["a" * 60] for n in range(60)}},
    ],
)
def test_preferences_of_another_shape_are_refused(rosa_client: Client, given: Any) -> None:
    address = reverse("api:reading-preferences")
    answer = rosa_client.put(address, given, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    assert not ReaderPreferences.objects.exists()


def test_nobody_has_preferences(client: Client) -> None:
    assert client.get(reverse("api:reading-preferences")).status_code == 403


def test_an_unknown_study_is_not_begun(rosa_client: Client) -> None:
    address = reverse("readings:begin", args=[uuid.uuid4()])
    assert rosa_client.post(address).status_code == 404
    assert rosa_client.get(address).status_code == 405
