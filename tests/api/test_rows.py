"""What holds for every row of the API: pages, filters, orders, fields, keys, refusals."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, ModelVersion
from feedback_app.rest.models import KeptAnswer
from feedback_app.studies.services import create_study
from tests.curation.stage import make_version
from tests.studies.making import make_study

JSON = "application/json"
BATCHES = "/api/batches/"
BODY = {"prompts": ["chest x-ray, pneumonia"], "images_per_prompt": 1, "name": "One"}


@pytest.fixture
def version(db: None) -> ModelVersion:
    return make_version(is_promoted=True, resolution=64)


def ask(client: Client, *, key: str | None = None, **changes: Any) -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(BATCHES, BODY | changes, content_type=JSON, headers=headers)


def error_of(answer: Any) -> dict[str, Any]:
    error = dict(answer.json()["error"])
    assert set(error) == {"code", "message", "remedy", "fields"}
    assert error["remedy"]
    return error


def test_the_same_key_gives_the_same_answer_and_does_nothing_twice(
    cora_client: Client, ada_client: Client, version: ModelVersion
) -> None:
    first, again = ask(cora_client, key="a"), ask(cora_client, key="a")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replay"] == "true"
    assert Batch.objects.count() == 1
    other = ask(cora_client, key="a", images_per_prompt=2)
    assert (other.status_code, error_of(other)["code"]) == (422, "key_reused")
    assert ask(ada_client, key="a").json()["id"] != first.json()["id"]
    assert ask(cora_client, key="").status_code == 400
    assert ask(cora_client, key="b", steps=0).status_code == 400
    assert not KeptAnswer.objects.filter(key="b").exists()


def test_two_requests_at_a_time_with_one_key_are_done_once(
    committed: None, cora: User, version: ModelVersion, client_of: Any
) -> None:
    clients = [client_of(cora) for _ in range(3)]

    def send(client: Client) -> Any:
        try:
            return ask(client, key="same")
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(send, clients))
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Batch.objects.count() == 1


@pytest.mark.django_db
def test_lists_are_filtered_ordered_and_narrowed(cora_client: Client) -> None:
    for name in ("B", "A", "C"):
        create_study(name=name, mode="rate")
    get = lambda **query: cora_client.get(reverse("api:studies"), query)  # noqa: E731
    named = get(ordering="name", fields="name,mode").json()["results"]
    assert named == [{"name": name, "mode": "rate"} for name in "ABC"]
    assert [one["name"] for one in get(ordering="-name", page_size=2).json()["results"]] == [
        "C",
        "B",
    ]
    assert get(name="B").json()["count"] == 1
    assert get(mode="compare").json()["count"] == 0
    for query, field in (
        ({"ordering": "mode"}, "ordering"),
        ({"fields": "name,secret"}, "fields"),
        ({"mode": "guess"}, "mode"),
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "many"}, "page_size"),
        ({"nmae": "B"}, "nmae"),
        ({"created_at__gte": "yesterday"}, "created_at__gte"),
    ):
        answer = get(**query)
        assert (answer.status_code, list(error_of(answer)["fields"])) == (400, [field])


@pytest.mark.django_db
def test_every_refusal_has_the_one_shape_and_a_remedy(
    client: Client, rosa_client: Client, cora_client: Client
) -> None:
    for answer, status, code in (
        (client.get(BATCHES), 403, "not_authenticated"),
        (rosa_client.get(BATCHES), 403, "permission_denied"),
        (cora_client.delete(BATCHES), 405, "method_not_allowed"),
        (cora_client.get("/api/batchs/"), 404, "not_found"),
        (client.post("/api/batches"), 404, "not_found"),
        (cora_client.get(f"{BATCHES}?page=9"), 404, "not_found"),
        (cora_client.post(BATCHES, "{", content_type=JSON), 400, "parse_error"),
        (cora_client.post(BATCHES, "x", content_type="text/plain"), 415, "unsupported_media_type"),
        (cora_client.get(BATCHES, headers={"accept": "text/csv"}), 406, "not_acceptable"),
    ):
        assert (answer.status_code, error_of(answer)["code"]) == (status, code)


@pytest.mark.django_db
def test_cases_of_a_blind_study_do_not_lead_to_their_images(
    cora_client: Client, rosa: User
) -> None:
    study = make_study(rosa, mode="compare")
    listed = cora_client.get("/api/cases/", {"study": str(study.pk)}).json()["results"]
    assert listed and {case["images"] for case in listed} == {None}
    study.unblinded_at = study.created_at
    study.save()
    listed = cora_client.get("/api/cases/", {"study": str(study.pk)}).json()["results"]
    assert all(len(case["images"]) == 2 for case in listed)
