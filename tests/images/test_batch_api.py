"""Batches over the REST API, for the whole cast."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.images.models import Batch, Measure, ModelVersion
from feedback_app.images.prompts.services import save_prompts
from feedback_app.runs.models import Run, State
from tests.curation.stage import make_version
from tests.finetuning.gate_world import fill
from tests.images.masked import make_masked_cohort

pytestmark = pytest.mark.django_db

PROMPTS = ["chest x-ray, pneumonia", "chest x-ray, no finding"]


@pytest.fixture
def version(db: None) -> ModelVersion:
    return make_version(follows_masks=True, is_promoted=True, resolution=64)


def post(client: Client, name: str, body: Any = None, **keys: Any) -> Any:
    address = reverse(f"api:{name}", kwargs=keys)
    return client.post(address, body or {}, content_type="application/json")


def ask(client: Client, **body: Any) -> Any:
    return post(client, "batches", {"prompts": PROMPTS, "images_per_prompt": 2} | body)


def test_only_coordinators_ask_for_and_see_batches(
    everyone: dict[str, Client], version: ModelVersion
) -> None:
    batch = ask(everyone["cora"]).json()["id"]
    for who, client in everyone.items():
        allowed = who in {"cora", "ada"}
        for name, keys in (
            ("batches", {}),
            ("batch", {"batch_id": batch}),
            ("batch-candidates", {"batch_id": batch}),
        ):
            status = client.get(reverse(f"api:{name}", kwargs=keys)).status_code
            assert status == (200 if allowed else 403), (who, name)
        if not allowed:
            assert ask(client).status_code == 403
            for action in ("cancel", "complete"):
                assert post(client, f"batch-{action}", batch_id=batch).status_code == 403
    assert Batch.objects.count() == 1


def test_a_batch_is_made_as_it_was_asked_for(cora_client: Client, version: ModelVersion) -> None:
    answer = ask(cora_client, name="Mine", seed=7, steps=3, sampler="unipc", guidance_scale=2.5)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["model_version"], made["total"]) == ("Mine", version.name, 4)
    assert (made["made"], made["is_live"], made["created_by"]) == (0, True, "cora")
    samples = [recipe.sample for recipe in Batch.objects.get().recipes.order_by("seed")]
    assert [sample.seed for sample in samples] == [7, 8, 9, 10]
    assert {(one.steps, one.sampler, one.guidance_scale, one.width) for one in samples} == {
        (3, "unipc", 2.5, 64)
    }
    assert ask(cora_client).json()["name"] == "Batch 2"


def test_a_batch_of_a_prompt_set_has_its_prompts(
    cora_client: Client, version: ModelVersion
) -> None:
    save_prompts("mine", PROMPTS, origin="written")
    made = ask(cora_client, prompts=[], prompt_set="mine").json()
    chosen = Batch.objects.get().prompt_set_version
    assert chosen is not None
    assert (made["prompt_set"], made["total"]) == (str(chosen), 4)
    unknown = ask(cora_client, prompt_set="yours")
    assert unknown.status_code == 400
    assert "no prompt set" in json.dumps(unknown.json()["error"]["fields"])


def test_masks_are_chosen_transformed_and_told(cora_client: Client, version: ModelVersion) -> None:
    make_masked_cohort(train=2, test=1)
    masks = {"cohort": "ward", "number": 2, "transforms": ["affine"], "variants": 1}
    answer = ask(cora_client, prompts=PROMPTS[:1], mode="tm2i", masks=masks)
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    accepted = made["masks"]["accepted"]
    assert accepted + sum(one["count"] for one in made["masks"]["refused"]) == 4
    assert made["total"] == 2 * accepted
    address = reverse("api:batch-candidates", args=[made["id"]])
    place = cora_client.get(address).json()["results"][0]
    (mask,) = place["masks"]
    assert (mask["kind"], mask["cohort"]) == ("lungs", "ward")
    assert mask["image"].startswith("ward_train")
    assert cora_client.get(mask["file"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"model_version": "nobody"}, "nobody"),
        ({"mode": "guess"}, "'t2i', 'm2i' or 'tm2i'"),
        ({"images_per_prompt": 0}, "greater than or equal to 1"),
        ({"prompts": []}, "Nothing was asked for"),
        ({"prompts": PROMPTS[:1] * 2}, "is there twice"),
        ({"sampler": "euler"}, "'unipc', 'dpmsolver++' or 'ddim'"),
        ({"guidance": 2}, "There is no such field."),
        ({"side": 100}, "multiple of 8"),
        ({"mode": "m2i"}, "No mask was chosen"),
        ({"masks": {"cohort": "ward"}}, "made from text only"),
        ({"mode": "tm2i", "masks": {"cohort": "nowhere"}}, "nowhere"),
        ({"mode": "tm2i", "masks": {"cohort": "ward", "images": ["x"]}}, "no image “x”"),
        (
            {"mode": "tm2i", "masks": {"cohort": "ward", "images": ["ward_test_0.png"]}},
            "of the test split",
        ),
        ({"images_per_prompt": 256, "prompts": [str(n) for n in range(9)]}, "more than the 2,048"),
    ],
)
def test_a_mistake_is_told_in_the_one_error_shape(
    cora_client: Client, version: ModelVersion, body: dict[str, Any], words: str
) -> None:
    make_masked_cohort(train=1, test=1)
    answer = ask(cora_client, **body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "remedy", "fields"}
    assert words in json.dumps(error, ensure_ascii=False)
    assert not Batch.objects.exists()


def test_without_a_promoted_version_one_must_be_named(cora_client: Client) -> None:
    make_version("other")
    assert "Name one" in json.dumps(ask(cora_client).json())
    assert ask(cora_client, model_version="other").status_code == 201


def test_a_batch_is_cancelled_and_completed(cora_client: Client, version: ModelVersion) -> None:
    batch = ask(cora_client).json()["id"]
    cancelled = post(cora_client, "batch-cancel", batch_id=batch).json()
    assert cancelled["is_live"] is False
    assert set(Run.objects.values_list("state", flat=True)) == {State.CANCELLED}
    assert post(cora_client, "batch-complete", batch_id=batch).json()["is_live"] is True


def test_candidates_come_with_files_and_measures(
    cora_client: Client, version: ModelVersion
) -> None:
    batch = Batch.objects.get(pk=ask(cora_client).json()["id"])
    address = reverse("api:batch-candidates", args=[batch.pk])
    assert cora_client.get(address).json()["results"][0]["candidate"] is None
    candidate = fill(batch)[0]
    Measure.objects.create(image=candidate.image, scorer="label-agreement", version="1", value=0.5)
    answer = cora_client.get(address, {"page_size": 3}).json()
    assert (answer["count"], len(answer["results"])) == (4, 3)
    place = answer["results"][0]
    assert (place["position"], place["prompt"], place["masks"]) == (0, PROMPTS[0], [])
    found = place["candidate"]
    assert found["sha256"] == candidate.image.blob_id
    assert found["measures"] == [{"scorer": "label-agreement", "version": "1", "value": 0.5}]
    assert cora_client.get(found["file"])["Content-Type"] == "image/png"
    listed = cora_client.get(reverse("api:batches")).json()
    assert [one["made"] for one in listed["results"]] == [4]


def test_a_page_of_batches_asks_the_database_the_same_however_many_there_are(
    cora_client: Client, version: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    for seed in range(12):
        ask(cora_client, seed=100 * seed)
    with django_assert_max_num_queries(8):
        listed = cora_client.get(reverse("api:batches")).json()["results"]
    assert [batch["total"] for batch in listed] == [4] * 12
