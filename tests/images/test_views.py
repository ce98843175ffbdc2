"""Pages of generating and of candidates."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.images.candidates import batches
from feedback_app.images.candidates.tasks import candidates as candidate_tasks
from feedback_app.images.measures import NEAREST_TRAINING_IMAGE
from feedback_app.images.models import Batch, Candidate, Measure, ModelVersion
from feedback_app.runs.models import Run, State
from feedback_app.runs.tasks import execute

pytestmark = pytest.mark.django_db

OUTSIDERS = {"nobody": 302, "rosa": 403, "ravi": 403, "otto": 403}
INSIDERS = {"cora": 200, "ada": 200}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def batch(ask: Callable[..., Batch]) -> Batch:
    """Two prompts with two images each, all made."""
    batch = ask(per_prompt=2)
    execute(run_id=str(batch.runs.get().pk))
    return batch


@pytest.fixture
def candidate(batch: Batch) -> Candidate:
    return Candidate.objects.select_related("image").order_by("recipe__batchrecipe__position")[0]


def request_of(version: ModelVersion, **changes: object) -> dict[str, object]:
    values: dict[str, object] = {
        "model_version": version.pk,
        "prompts": "edema\n\neffusion\n",
        "images_per_prompt": 3,
        "steps": 2,
        "guidance_scale": 3.0,
        "seed": 5,
        "name": "",
    }
    return values | changes


@pytest.mark.parametrize("name", ["console", "gallery", "batch", "candidate", "file"])
def test_only_coordinators_open_the_pages_of_generating(
    everyone: dict[str, Client], batch: Batch, candidate: Candidate, name: str
) -> None:
    arguments = {"batch": [batch.pk], "candidate": [candidate.pk], "file": [candidate.pk]}
    address = reverse(f"images:{name}", args=arguments.get(name, []))
    answers = {who: client.get(address).status_code for who, client in everyone.items()}
    assert answers == OUTSIDERS | INSIDERS


@pytest.mark.parametrize("name", ["cancel-batch", "complete-batch"])
def test_only_coordinators_cancel_and_complete_a_batch(
    everyone: dict[str, Client], ask: Callable[..., Batch], name: str
) -> None:
    batch = ask()
    address = reverse(f"images:{name}", args=[batch.pk])
    for who, status in OUTSIDERS.items():
        assert everyone[who].post(address).status_code == status
    assert batch.runs.get().state == State.QUEUED
    for who in INSIDERS:
        assert everyone[who].get(address).status_code == 405
        assert everyone[who].post(address).status_code == 302
    assert batch.runs.get().state == (State.CANCELLED if name == "cancel-batch" else State.QUEUED)


def test_only_coordinators_ask_for_a_batch(
    everyone: dict[str, Client], version: ModelVersion
) -> None:
    address = reverse("images:console")
    for who, status in OUTSIDERS.items():
        assert everyone[who].post(address, request_of(version)).status_code == status
    assert not Batch.objects.exists()
    for who in INSIDERS:
        assert everyone[who].post(address, request_of(version)).status_code == 302
    first = Batch.objects.order_by("created_at")[0]
    assert (first.name, first.created_by.username) == ("Batch 1", "cora")  # type: ignore[union-attr]
    assert first.recipes.count() == 6


def test_a_prompt_of_ten_thousand_characters_is_refused_and_stays_in_the_field(
    cora_client: Client, version: ModelVersion
) -> None:
    long = "chest x-ray, " + "x" * 10_000
    page = cora_client.post(
        reverse("images:console"), request_of(version, prompts=f"edema\n{long}\neffusion")
    )
    text = page.content.decode()
    assert page.status_code == 400
    assert "Prompt 2 has 10,013 characters; 1,000 are the most." in text
    assert f"edema\n{long}\neffusion" in text
    assert not Batch.objects.exists()


def test_a_batch_without_a_prompt_is_refused(cora_client: Client, version: ModelVersion) -> None:
    page = cora_client.post(reverse("images:console"), request_of(version, prompts=" \n "))
    assert page.status_code == 400
    assert "This field is required" in page.content.decode()


def test_the_console_without_a_model_says_how_to_get_one(cora_client: Client) -> None:
    assert "register_model" in cora_client.get(reverse("images:console")).content.decode()


def test_the_page_of_a_batch_that_waits_polls_and_has_room_for_every_image(
    cora_client: Client, ask: Callable[..., Batch]
) -> None:
    page = cora_client.get(reverse("images:batch", args=[ask().pk])).content.decode()
    assert "every 1s" in page
    assert page.count('class="unmade"') == 8
    assert page.count("<h2>") == 2


def test_a_poll_brings_the_images_made_since(cora_client: Client, batch: Batch) -> None:
    address = reverse("images:batch", args=[batch.pk])
    everything = cora_client.get(address, headers=HTMX).content.decode()
    assert everything.count('hx-swap-oob="true"') == 4
    assert "every 1s" not in everything
    later = cora_client.get(address, {"since": "2200-01-01T00:00:00Z"}, headers=HTMX)
    assert 'hx-swap-oob="true"' not in later.content.decode()
    for nonsense in ("yesterday", "2026-13-45", "2026-01-01T00:00:00"):
        assert cora_client.get(address, {"since": nonsense}, headers=HTMX).status_code == 200


def test_a_stopped_batch_says_why_and_offers_to_go_on(
    cora_client: Client, ask: Callable[..., Batch]
) -> None:
    batch = ask()
    Run.objects.update(
        state=State.FAILED, finished_at=batch.created_at, error="The memory ran out."
    )
    page = cora_client.get(reverse("images:batch", args=[batch.pk])).content.decode()
    assert "The memory ran out." in page
    assert "Make the missing ones" in page


def test_the_file_of_an_image_is_its_blob_and_never_changes(
    cora_client: Client, candidate: Candidate
) -> None:
    address = reverse("images:file", args=[candidate.pk])
    answer = cora_client.get(address)
    assert hashlib.sha256(answer.content).hexdigest() == candidate.image.blob_id
    assert answer["Content-Type"] == "image/png"
    assert "immutable" in answer["Cache-Control"]
    again = cora_client.get(address, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_an_unknown_image_is_not_found(cora_client: Client, version: ModelVersion) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    for name in ("file", "candidate", "batch"):
        assert cora_client.get(reverse(f"images:{name}", args=[unknown])).status_code == 404


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4),
        ("words=PNEUMONIA+AP", 2),
        ("words=pneumonia+PA", 0),
        ("version={version}", 4),
        ("batch={batch}", 4),
        ("version=999", 4),
        ("page=999", 4),
    ],
)
def test_the_gallery_is_filtered(
    cora_client: Client, batch: Batch, version: ModelVersion, query: str, count: int
) -> None:
    query = query.format(version=version.pk, batch=batch.pk)
    page = cora_client.get(f"{reverse('images:gallery')}?{query}").content.decode()
    assert page.count("<figure") == count


def test_an_empty_gallery_says_what_to_do(cora_client: Client) -> None:
    page = cora_client.get(reverse("images:gallery")).content.decode()
    assert "No candidate has been made yet" in page


def test_the_page_of_a_candidate_has_all_it_follows_from(
    cora_client: Client, batch: Batch, candidate: Candidate
) -> None:
    Measure.objects.create(
        image=candidate.image,
        scorer=NEAREST_TRAINING_IMAGE,
        version="1",
        value=0.93,
        details={"threshold": 0.9, "is_too_close": True},
    )
    page = cora_client.get(reverse("images:candidate", args=[candidate.pk])).content.decode()
    version = candidate.recipe.model_version
    for fact in (
        candidate.recipe.prompt,
        candidate.recipe.key,
        version.name,
        version.sha256,
        candidate.image.blob_id,
        candidate.image.pixels_sha256,
        batch.name,
        "Too close to a training image",
        "0.93",
        candidate.provenance["torch"],
    ):
        assert str(fact) in page


def test_a_prompt_that_is_markup_is_shown_as_text(
    cora_client: Client, ask: Callable[..., Batch]
) -> None:
    batch = ask(prompts=("<script>alert(1)</script>",), per_prompt=1)
    execute(run_id=str(batch.runs.get().pk))
    candidate = Candidate.objects.get()
    for name, arguments in (("batch", [batch.pk]), ("candidate", [candidate.pk]), ("gallery", [])):
        page = cora_client.get(reverse(f"images:{name}", args=arguments)).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


def test_a_page_of_a_large_batch_asks_the_database_little(
    cora_client: Client,
    version: ModelVersion,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    batch = batches.create_batch(
        "large", model_version=version, prompts=["edema"], images_per_prompt=200
    )
    pixels = np.zeros((32, 32), dtype="uint8")
    for recipe in batch.recipes.all()[:50]:
        candidate_tasks.keep(pixels, recipe=recipe, run=batch.runs.all()[0], provenance={})
    with django_assert_max_num_queries(14):  # type: ignore[attr-defined]
        cora_client.get(reverse("images:batch", args=[batch.pk]))
