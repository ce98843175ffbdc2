"""Choosing masks on the console, and seeing what images were made to follow."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.images.candidates.batches import create_batch
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_plan import keep_masks, plan_masks
from feedback_app.images.candidates.prompt_lengths import long_prompts
from feedback_app.images.candidates.tasks.candidates import keep
from feedback_app.images.models import Batch, Candidate, Cohort, ModelVersion, RecipeMask
from feedback_app.images.prompts.services import create_set
from feedback_app.images.versions.services import register_bundled
from tests.images.masked import make_masked_cohort
from tests.tiny_model import SIDE

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort(db: None) -> Cohort:
    return make_masked_cohort(train=3, test=1)


@pytest.fixture
def follower(version: ModelVersion) -> ModelVersion:
    version.follows_masks = True
    version.save()
    return version


@pytest.fixture
def batch(follower: ModelVersion, cohort: Cohort) -> Batch:
    """Two masks of one kind, each as it is and bent, two images of each; one is made."""
    choice = MaskChoice(
        cohort=cohort, kinds=("lungs",), number=2, families=("elastic",), variants=1
    )
    batch = create_batch(
        "Masked",
        model_version=follower,
        prompts=[],
        images_per_prompt=2,
        mode="m2i",
        conditions=keep_masks(plan_masks(choice, side=SIDE)),
    )
    last = batch.recipes.order_by("-batchrecipe__position")[0]
    keep(
        np.zeros((SIDE, SIDE), dtype=np.uint8), recipe=last, run=batch.runs.all()[0], provenance={}
    )
    return batch


def request_of(version: ModelVersion, cohort: Cohort, **changes: object) -> dict[str, object]:
    values: dict[str, object] = {
        "model_version": version.pk,
        "mode": "tm2i",
        "prompts": "chest x-ray, pneumonia",
        "images_per_prompt": 2,
        "steps": 2,
        "guidance_scale": 3.0,
        "seed": 5,
        "name": "",
        "cohort": cohort.pk,
        "kinds": ["lungs", "opacity"],
        "number": 2,
        "families": ["affine", "place"],
        "variants": 2,
        "keeps_parents": "on",
        "mask_seed": 1,
    }
    return values | changes


def text_of(client: Client, name: str, values: dict[str, object]) -> str:
    answer = client.post(reverse(f"images:{name}"), values)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_batch_of_masks_and_prompts_is_asked_for(
    cora_client: Client, follower: ModelVersion, cohort: Cohort
) -> None:
    values = request_of(follower, cohort)
    sheet = text_of(cora_client, "preview-masks", values)
    accepted = int(re.findall(r'data-accepted="(\d+)"', sheet)[0])
    assert cora_client.post(reverse("images:console"), values).status_code == 302
    batch = Batch.objects.get()
    assert batch.recipes.count() == 2 * accepted
    assert set(batch.recipes.values_list("mode", flat=True)) == {"tm2i"}
    assert set(RecipeMask.objects.values_list("kind", flat=True)) == {"lungs", "opacity"}


def test_masks_only_leave_the_prompts_and_their_set_out(
    cora_client: Client, follower: ModelVersion, cohort: Cohort
) -> None:
    chosen = create_set("Night", ["edema"], origin="written")
    values = request_of(follower, cohort, mode="m2i", prompts="", prompt_set=chosen.pk)
    assert cora_client.post(reverse("images:console"), values).status_code == 302
    batch = Batch.objects.get()
    assert set(batch.recipes.values_list("prompt", flat=True)) == {""}
    assert batch.prompt_set_version is None


def test_a_prompt_sets_prompts_go_with_every_mask(
    cora_client: Client, follower: ModelVersion, cohort: Cohort
) -> None:
    chosen = create_set("Night", ["edema", "pneumonia"], origin="written")
    values = request_of(follower, cohort, prompts="", prompt_set=chosen.pk, variants=0, families=[])
    answer = cora_client.post(reverse("images:console"), values, follow=True)
    batch = Batch.objects.get()
    assert batch.prompt_set_version == chosen
    assert batch.recipes.count() == 2 * 2 * 2
    page = " ".join(answer.content.decode().split())
    assert "2 prompts of the set" in page
    assert "</a>, 2 masks" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kinds": []}, "Choose at least one kind of mask."),
        ({"variants": 0}, "no variants were asked for"),
        ({"number": 9}, "9 images cannot be drawn"),
        ({"prompts": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_conditioned_on_is_refused_and_stays_in_the_form(
    cora_client: Client,
    follower: ModelVersion,
    cohort: Cohort,
    changes: dict[str, object],
    said: str,
) -> None:
    values = request_of(follower, cohort, **changes)
    page = cora_client.post(reverse("images:console"), values)
    assert page.status_code == 400
    assert said in page.content.decode()
    assert re.search(r'value="tm2i"[^>]*checked', page.content.decode())
    assert not Batch.objects.exists()


def test_a_version_that_follows_no_masks_is_refused(
    cora_client: Client, version: ModelVersion, cohort: Cohort
) -> None:
    page = cora_client.post(reverse("images:console"), request_of(version, cohort))
    assert page.status_code == 400
    assert "“tiny” does not follow masks" in page.content.decode()


def test_the_picker_offers_kinds_and_training_images(
    cora_client: Client, follower: ModelVersion, cohort: Cohort
) -> None:
    values = request_of(follower, cohort, images=[str(cohort.images.all()[1].pk)])
    picker = text_of(cora_client, "pick-masks", values)
    assert re.findall(r'name="kinds" value="(\w+)"', picker) == ["lungs", "heart", "opacity"]
    assert picker.count('name="images"') == 3
    assert picker.count("checked") == 3  # two kinds, one image
    assert "3 images with such masks" in picker
    held_out = text_of(cora_client, "pick-masks", values | {"allows_held_out": "on"})
    assert held_out.count('name="images"') == 4
    assert '<span class="badge failed">test</span>' in held_out
    none = text_of(cora_client, "pick-masks", values | {"kinds": ["tube"]})
    assert re.findall(r'value="(\w+)" checked', none)[:1] == ["lungs"]  # what there is instead


def test_the_sheet_has_parents_variants_and_refusals(
    cora_client: Client, follower: ModelVersion, cohort: Cohort
) -> None:
    sheet = text_of(cora_client, "preview-masks", request_of(follower, cohort))
    assert sheet.count('class="parent"') == 2
    assert sheet.count('class="tile') == 2 * 3
    assert "data:image/png;base64," in sheet
    assert "turned" in sheet
    refusing = request_of(follower, cohort, families=["mirror"], kinds=["opacity"], variants=1)
    sheet = text_of(cora_client, "preview-masks", refusing)
    assert "2 refused" in sheet
    assert "2 × Lesion into the other lung: there is no mask of lungs" in sheet
    problem = text_of(cora_client, "preview-masks", request_of(follower, cohort, number=9))
    assert "9 images cannot be drawn" in problem
    assert "Choose at least one kind" in text_of(
        cora_client, "preview-masks", request_of(follower, cohort, kinds=[])
    )


def test_the_page_of_a_batch_tells_its_masks(cora_client: Client, batch: Batch) -> None:
    page = cora_client.get(reverse("images:batch", args=[batch.pk])).content.decode()
    assert "prompt-groups compact" in page  # a grid: one image a prompt and mask makes no row
    assert "no prompt, 4 masks" in page
    assert page.count('class="mask-words"') == 4
    assert page.count("bent by up to") == 2
    assert page.count("as it is") == 2
    assert page.count('<svg class="overlay"') == 8


def test_the_page_of_a_batch_asks_the_database_as_often_for_many_masks(
    cora_client: Client, batch: Batch, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    with django_assert_max_num_queries(16):  # type: ignore[attr-defined]
        cora_client.get(reverse("images:batch", args=[batch.pk]))


def test_the_page_of_a_candidate_shows_its_mask_and_its_parent(
    cora_client: Client, batch: Batch
) -> None:
    candidate = Candidate.objects.get()
    (mask,) = candidate.recipe.conditioning
    page = cora_client.get(reverse("images:candidate", args=[candidate.pk])).content.decode()
    assert mask.parent.cohort_image.source_id in page
    assert reverse("images:cohort-mask", args=[mask.parent_id]) in page
    assert page.count(reverse("images:recipe-mask", args=[mask.pk])) == 2
    assert "masks only" in page
    assert mask.transform_words[0] in page
    gallery = cora_client.get(reverse("images:gallery")).content.decode()
    assert "Masks over the images" in gallery
    assert "No prompt" in gallery
    answer = cora_client.get(reverse("images:recipe-mask", args=[mask.pk]))
    assert answer.content == mask.blob.read()


# Prompts that are too long

LONG = "chest x-ray, " + "effusion, " * 30 + "60 years"


def test_what_the_model_would_not_read_is_told_as_it_is_written(cora_client: Client) -> None:
    version = register_bundled()
    values: dict[str, object] = {"model_version": version.pk, "prompts": f"edema\n{LONG}"}
    told = text_of(cora_client, "measure-prompts", values)
    assert "Prompt 2 is" in told
    assert "60 years</mark>" in told
    assert "reads 46 tokens" in text_of(cora_client, "measure-prompts", values | {"prompts": ""})
    assert text_of(cora_client, "measure-prompts", {"model_version": "x"}).strip() == ""


def test_a_prompt_is_cut_where_the_tokens_end(db: None) -> None:
    version = register_bundled()
    (long,) = long_prompts(version, ["edema", LONG])
    # Tokens: five of "chest x-ray,", two of each finding and its comma, two of "60", "years".
    assert (long.number, long.found.excess) == (2, 5 + 2 * 30 + 3 - 46)
    assert f"{long.found.kept} {long.found.cut}".replace(" ,", ",") == LONG
    fitting = "chest x-ray, " + "effusion, " * 19 + "60 years"
    assert not long_prompts(version, [fitting])
    (longer,) = long_prompts(version, [f"{fitting} x"])
    assert (longer.found.excess, longer.found.cut) == (1, "x")


def test_the_console_refuses_a_prompt_that_would_be_cut(cora_client: Client) -> None:
    version = register_bundled()
    values = {
        "model_version": version.pk, "prompts": LONG, "images_per_prompt": 1, "steps": 2,
        "guidance_scale": 1, "seed": 1,
    }  # fmt: skip
    page = cora_client.post(reverse("images:console"), values)
    assert page.status_code == 400
    assert "tokens longer than “bundled” reads" in page.content.decode()
    assert not Batch.objects.exists()
