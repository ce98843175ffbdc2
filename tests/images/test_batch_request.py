"""A batch is asked for by page, API and command: all three accept and refuse the same."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.images.models import Batch, Cohort, ModelVersion
from feedback_app.images.versions.services import register_bundled
from generation.specs import PROMPT_MAX_CHARACTERS
from tests.curation.stage import make_version
from tests.images.masked import make_masked_cohort

pytestmark = pytest.mark.django_db

Way = Callable[[dict[str, Any]], bool]
PLAIN: dict[str, Any] = {
    "prompts": ["edema"],
    "images_per_prompt": 1,
    "steps": 2,
    "guidance_scale": 1.0,
    "seed": 0,
    "name": "Asked",
    "mode": "t2i",
}
MASKS: dict[str, Any] = {"cohort": "ward", "kinds": ["lungs"], "number": 1}
PLAIN_MASKS: dict[str, Any] = {
    "images": [], "transforms": [], "variants": 0, "seed": 0,
}  # fmt: skip
FORM_NAMES = {"transforms": "families", "seed": "mask_seed"}
OPTIONS = {
    "model_version": "model",
    "guidance_scale": "guidance",
}
MASK_OPTIONS = {
    "cohort": "masks",
    "kinds": "mask_kinds",
    "images": "mask_images",
    "number": "mask_number",
    "seed": "mask_seed",
    "allows_held_out": "held_out_masks",
}
FAMILY = {"transforms": ["affine"], "variants": 1}


@pytest.fixture
def version(db: None) -> ModelVersion:
    return make_version(follows_masks=True, is_promoted=True, resolution=64)


@pytest.fixture
def cohort(db: None) -> Cohort:
    return make_masked_cohort(train=2, test=1)


def wide(characters: int) -> str:
    """A prompt of so many characters and few tokens."""
    return f"edema{'ward':>{characters - 5}}"


def by_form(client: Client, version: ModelVersion) -> Way:
    def ask(values: dict[str, Any]) -> bool:
        masks = values.pop("masks", None) or {}
        if masks:
            masks["cohort"] = Cohort.objects.get(name=masks["cohort"]).pk
            rows = Cohort.objects.get(pk=masks["cohort"]).images
            masks["images"] = [rows.get(source_id=name).pk for name in masks["images"]]
            masks["keeps_parents"] = "on"
        posted = {
            **values,
            "prompts": "\n".join(values["prompts"]),
            "model_version": version.pk,
            **{FORM_NAMES.get(name, name): value for name, value in masks.items()},
        }
        status = client.post(reverse("images:console"), posted).status_code
        assert status in {302, 400}
        return status == 302

    return ask


def by_api(client: Client) -> Way:
    def ask(values: dict[str, Any]) -> bool:
        answer = client.post(reverse("api:batches"), values, content_type="application/json")
        assert answer.status_code in {201, 400}, answer.content
        return answer.status_code == 201

    return ask


def by_command(values: dict[str, Any]) -> bool:
    masks = values.pop("masks", None) or {}
    options = {OPTIONS.get(name, name): value for name, value in values.items()}
    options |= {MASK_OPTIONS.get(name, name): value for name, value in masks.items() if value != []}
    try:
        call_command("generate", *options.pop("prompts"), queue=True, **options)
    except CommandError:
        return False
    return True


def verdicts(client: Client, version: ModelVersion, changes: dict[str, Any]) -> dict[str, bool]:
    """Whether each way made a batch of these values, as its answer and the database say."""
    found = {}
    ways: dict[str, Way] = {
        "form": by_form(client, version),
        "API": by_api(client),
        "command": by_command,
    }
    for name, ask in ways.items():
        values = PLAIN | changes
        if "masks" in changes:
            values["masks"] = MASKS | PLAIN_MASKS | changes["masks"]
        before = Batch.objects.count()
        found[name] = ask(values)
        assert Batch.objects.count() == before + found[name], name
    return found


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("images_per_prompt", [1, 256], [0, 257, "many", 1.5]),
        ("steps", [1, 200], [0, 201]),
        ("guidance_scale", [0, 30], [-0.1, 30.1, "nan", "much"]),
        ("seed", [0, 2**31 + 1, 2**63 - 2_048], [-1, 2**63 - 2_047]),
        ("name", ["", "n" * 100], ["n" * 101]),
        ("mode", ["t2i"], ["guess", "m2i"]),
        ("fits", [[]], [["liver"], ["finding"]]),  # no judge is active
        ("tries", [2, 8], [1, 9]),
        (
            "prompts",
            [["edema"], [wide(PROMPT_MAX_CHARACTERS)], [" edema "]],
            [[], ["edema", "edema"], [wide(PROMPT_MAX_CHARACTERS + 1)]],
        ),
    ],
)
def test_page_api_and_command_take_the_same_values(
    cora_client: Client, version: ModelVersion, field: str, good: list[Any], bad: list[Any]
) -> None:
    for value in good:
        assert set(verdicts(cora_client, version, {field: value}).values()) == {True}, value
    for value in bad:
        assert set(verdicts(cora_client, version, {field: value}).values()) == {False}, value


@pytest.mark.parametrize(
    ("masks", "is_good"),
    [
        ({"number": 2}, True),
        ({"number": 0}, False),
        ({"number": 257}, False),
        ({"number": 3}, False),
        ({"seed": 2**31}, True),
        ({"seed": 2**31 + 1}, False),
        ({"seed": -1}, False),
        (FAMILY | {"variants": 16, "number": 1}, True),
        (FAMILY | {"variants": 17}, False),
        ({"transforms": ["affine"]}, False),
        ({"transforms": ["flip"], "variants": 1}, False),
        ({"kinds": ["liver"]}, False),
        ({"images": ["ward_train_1.png"]}, True),
        ({"images": ["ward_test_0.png"]}, False),
        ({"images": ["ward_test_0.png"], "allows_held_out": True}, True),
    ],
)
def test_page_api_and_command_take_the_same_masks(
    cora_client: Client,
    version: ModelVersion,
    cohort: Cohort,
    masks: dict[str, Any],
    is_good: bool,
) -> None:
    found = verdicts(cora_client, version, {"mode": "tm2i", "masks": masks})
    assert set(found.values()) == {is_good}, found


def test_no_way_takes_a_prompt_that_the_model_would_cut(cora_client: Client) -> None:
    long = "chest x-ray, " + "effusion, " * 30 + "60 years"
    found = verdicts(cora_client, register_bundled(), {"prompts": [long]})
    assert set(found.values()) == {False}, found


def test_all_ways_ask_for_the_same_batch(cora_client: Client, version: ModelVersion) -> None:
    verdicts(cora_client, version, {"seed": 7, "prompts": ["edema", "effusion"], "steps": 3})
    asked = [set(batch.recipes.values_list("key", flat=True)) for batch in Batch.objects.all()]
    assert len(asked) == 3
    assert asked[0] == asked[1] == asked[2]
    assert len(asked[0]) == 2
