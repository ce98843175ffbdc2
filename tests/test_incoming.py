"""What programs and people send by mistake or malice: one answer with 400, never a 500."""

import subprocess
import sys
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.candidates.views.batches import parse_since
from feedback_app.incoming import DEPTH_MAX, problem_of
from feedback_app.local.homes import CHECKOUT
from feedback_app.readings.models import Reading
from feedback_app.runs.models import Run
from feedback_app.studies.models import Slot
from feedback_app.text import is_storable
from tests.readings.answers import posted_for
from tests.studies.making import make_study

pytestmark = pytest.mark.django_db

NUL, HALF = "a\x00b", "a\ud800b"
WRITTEN_HALF = "a\\ud800b"
"""As JSON escapes it: it is a text only once it is parsed."""


@pytest.fixture
def slot(rosa: User, ravi: User) -> Slot:
    study = make_study(rosa, ravi)
    return study.slots.filter(reader=rosa).earliest("position")


def post(client: Client, address: str, body: str) -> Any:
    return client.post(address, body, content_type="application/json")


def error_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 400, answer.content
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "remedy", "fields"}
    return dict(body["error"])


ADDRESSES = ("api:batches", "api:studies", "api:prompt-sets", "api:retractions")


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    "body",
    [
        '{"name": "a\\u0000b"}',
        '{"name": "' + WRITTEN_HALF + '"}',
        '{"' + WRITTEN_HALF + '": 1}',
        '{"name": ' + "[" * 50 + "]" * 50 + "}",
        "[" * 100_000,
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        '{"seed": 1e999}',
        '{"seed": NaN}',
        '{"seed": ' + "9" * 30 + "}",
        '{"seed": ' + "9" * 5_000 + "}",
        "[null]",
        "null",
        '"text"',
        "{",
        '{"no_such_field": 1}',
        '{"name": "a", "name": "b"}',
        "\xff",
    ],
)
def test_a_body_that_makes_no_sense_is_refused_in_one_shape(
    cora_client: Client, name: str, body: str
) -> None:
    assert error_of(post(cora_client, reverse(name), body))["message"]


def test_a_field_that_is_not_known_is_named_with_those_that_are(
    rosa_client: Client, slot: Slot
) -> None:
    address = reverse("api:readings", args=[slot.pk])
    posted = posted_for(slot) | {"comments": "misspelt"}
    fields = error_of(rosa_client.post(address, posted, content_type="application/json"))["fields"]
    assert "comment" in fields["comments"][0]
    scores = posted_for(slot)
    scores["scores"][0]["vlaue"] = 3
    assert (
        "scores"
        in error_of(rosa_client.post(address, scores, content_type="application/json"))["fields"]
    )
    assert not Reading.objects.exists()


@pytest.mark.parametrize("value", ["NaN", "inf", "-Infinity"])
def test_a_point_is_a_finite_number(rosa_client: Client, slot: Slot, value: str) -> None:
    region = {"shape": "box", "points": [[0.1, 0.1], [value, 0.2]]}
    flag = {"place": 0, "flag": "x", "grade": "minor", "regions": [region]}
    posted = posted_for(slot) | {"flags": [flag]}
    address = reverse("api:readings", args=[slot.pk])
    answer = rosa_client.post(address, posted, content_type="application/json")
    assert "flags" in error_of(answer)["fields"]


@pytest.mark.parametrize("query", ["no_such=1", "pages=1", "%00=1", "a=%00"])
@pytest.mark.parametrize("name", [*ADDRESSES, "api:experiments"])
def test_a_parameter_that_is_not_known_is_refused(
    cora_client: Client, name: str, query: str
) -> None:
    error = error_of(cora_client.get(f"{reverse(name)}?{query}"))
    assert len(error["fields"]) == 1


def test_a_nul_in_an_address_is_refused(cora_client: Client) -> None:
    address = reverse("api:prompt-set", args=["name"]).replace("name", "na%00me")
    assert "address" in error_of(cora_client.get(address))["fields"]
    for page in ("/runs/?state=%00", "/studies/?page=%00"):
        assert cora_client.get(page).status_code == 400, page


def test_a_nul_in_a_form_is_refused(cora_client: Client, client: Client) -> None:
    retraction = reverse("retractions:new")
    for whose, address in ((cora_client, retraction), (client, reverse("accounts:login"))):
        answer = whose.post(address, {"target": NUL, "username": NUL, "password": "x"})
        assert answer.status_code == 400, address


def test_odd_numbers_and_dates_in_a_query_are_no_errors(
    cora_client: Client, ada_client: Client
) -> None:
    run = Run.objects.create(kind="export", queue="cpu", title="A run")
    shown = reverse("runs:run", args=[run.pk])
    for after in ("²", "9" * 40, "-1", "1e5", ""):
        answer = cora_client.get(shown, {"after": after}, headers={"HX-Request": "true"})
        assert answer.status_code == 200, after
        assert cora_client.get(reverse("runs:list"), {"page": after}).status_code == 200, after
    for day in ("9999-12-31", "0001-01-01", "2999-12-31", "2026-02-30"):
        for name in ("first", "last"):
            answer = ada_client.get(reverse("accounts:audit"), {name: day})
            assert answer.status_code == 200, day


@pytest.mark.parametrize(
    "text",
    ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-13-01T00:00Z", "²", ""],
)
def test_times_that_no_database_tells_are_none(text: str) -> None:
    assert parse_since(text) is None


def test_a_time_of_a_far_zone_is_told_in_utc() -> None:
    since = parse_since("2026-11-30T12:00:00+23:59")
    assert since is not None
    assert since.isoformat() == "2026-11-29T12:01:00+00:00"


def test_a_filter_by_a_time_that_no_database_tells_is_refused(cora_client: Client) -> None:
    for text in (
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2026-01-01T00:00+23:59",
    ):
        answer = cora_client.get("/api/notices/", {"made_at__gte": text})
        assert "made_at__gte" in error_of(answer)["fields"], text
    fine = cora_client.get("/api/notices/", {"made_at__gte": "2026-01-01T00:00+14:00"})
    assert fine.status_code == 200


def test_what_is_wrong_is_told_by_its_place() -> None:
    assert problem_of({"prompts": ["fine", NUL]}) is not None
    assert problem_of({"prompts": ["fine", NUL]})[0] == "prompts.1"  # type: ignore[index]
    deep: Any = 1
    for _ in range(DEPTH_MAX):
        deep = [deep]
    assert problem_of(deep) is None
    assert problem_of([deep]) is not None
    assert problem_of({"a": [1, 2.5, True, None, "é 😀"]}) is None
    assert [is_storable(text) for text in (NUL, HALF, "é 😀")] == [False, False, True]


def test_a_command_line_that_is_no_utf8_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "import_cohort", "folder", b"/data/caf\xe9"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "is no UTF-8 text" in done.stderr
    assert "Traceback" not in done.stderr
