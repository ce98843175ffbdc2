"""Choosing masks, conditioning recipes on them, and handing them to the sampler."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from django.core.management import CommandError, call_command

from feedback_app.images.blobs.services import store
from feedback_app.images.candidates.batches import Settings, create_batch
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_plan import (
    Condition,
    keep_masks,
    most_conditions,
    plan_masks,
)
from feedback_app.images.candidates.tasks.candidates import with_mask_files
from feedback_app.images.models import (
    Batch,
    Cohort,
    Mask,
    ModelVersion,
    Recipe,
    RecipeMask,
)
from feedback_app.images.prompts.services import create_set
from feedback_app.images.versions.services import register
from feedback_app.runs.models import State
from feedback_app.runs.tasks import execute
from generation.conditioning.masks import encode_mask, read_control
from generation.errors import RemediableError
from generation.specs import Mode, SampleSpec
from tests.images.masked import make_masked_cohort
from tests.tiny_model import SIDE, save_tiny_model

pytestmark = pytest.mark.django_db

PROMPTS = ("chest x-ray, pneumonia", "chest x-ray, no finding")


@pytest.fixture
def cohort(db: None) -> Cohort:
    return make_masked_cohort(train=4, validation=1, test=1)


@pytest.fixture
def follower(version: ModelVersion) -> ModelVersion:
    """A version that is said to follow masks; its weights do not."""
    version.follows_masks = True
    version.save()
    return version


def choose(cohort: Cohort, **values: object) -> MaskChoice:
    return MaskChoice(cohort=cohort, **{"kinds": ("lungs", "opacity")} | values)  # type: ignore[arg-type]


def conditions_of(cohort: Cohort, **values: object) -> list[Condition]:
    return keep_masks(plan_masks(choose(cohort, **values), side=SIDE))


def ask(
    version: ModelVersion,
    conditions: list[Condition],
    *,
    mode: Mode = "tm2i",
    prompts: tuple[str, ...] = PROMPTS,
    allows_held_out: bool = False,
) -> Batch:
    return create_batch(
        "Masked",
        model_version=version,
        prompts=prompts,
        images_per_prompt=2,
        mode=mode,
        conditions=conditions,
        allows_held_out=allows_held_out,
        settings=Settings(steps=2),
    )


# Keys


def test_the_key_of_a_recipe_without_masks_is_what_it_always_was(version: ModelVersion) -> None:
    recipe = Recipe.of(version, SampleSpec(prompt="edema", seed=3, guidance_scale=1.5))
    before: dict[str, Any] = {
        "weights": [version.sha256],
        "prompt": "edema",
        "mask": None,
        "mask_transform": {},
        "mode": "t2i",
        "sampler": "dpmsolver++",
        "steps": 16,
        "guidance_scale": 1.5,
        "width": 128,
        "height": 128,
        "seed": 3,
    }
    canonical = json.dumps(before, sort_keys=True, separators=(",", ":"))
    assert recipe.key == hashlib.sha256(canonical.encode()).hexdigest()


def test_parents_kinds_and_transforms_are_in_a_recipes_key(
    version: ModelVersion, cohort: Cohort
) -> None:
    sample = SampleSpec(prompt="edema", seed=3, mode="tm2i")
    first, second = conditions_of(cohort, number=2)
    turned = RecipeMask(
        kind="lungs", parent=first[0].parent, transforms=[{"family": "mirror"}], blob=first[0].blob
    )
    keys = {
        Recipe.of(version, sample, masks=masks).key
        for masks in ((), first, second, first[:1], first[1:], (turned,))
    }
    assert len(keys) == 6
    assert Recipe.of(version, sample, masks=first[::-1]).key in keys


def test_what_was_derived_is_not_in_a_recipes_key(version: ModelVersion, cohort: Cohort) -> None:
    sample = SampleSpec(prompt="edema", seed=3, mode="tm2i")
    ((lungs, opacity),) = conditions_of(cohort, number=1)
    other = RecipeMask(kind=lungs.kind, parent=lungs.parent, transforms=[], blob=opacity.blob)
    keys = {Recipe.of(version, sample, masks=[mask]).key for mask in (lungs, other)}
    assert len(keys) == 1


# Choosing


def test_only_training_images_are_drawn(cohort: Cohort) -> None:
    plan = plan_masks(choose(cohort, number=4), side=SIDE)
    assert {one.image.patient.split for one in plan.parents} == {"train"}
    with pytest.raises(RemediableError, match="5 images cannot be drawn: “ward” has 4 images of"):
        plan_masks(choose(cohort, number=5), side=SIDE)
    plan = plan_masks(choose(cohort, number=6, allows_held_out=True), side=SIDE)
    assert {one.image.patient.split for one in plan.parents} == {"train", "validation", "test"}


def test_a_held_out_mask_is_refused_unless_it_is_asked_for(
    follower: ModelVersion, cohort: Cohort
) -> None:
    held_out = cohort.images.get(patient__split="test")
    with pytest.raises(RemediableError, match=r"ward_test_0\.png is of the test split"):
        conditions_of(cohort, images=(held_out.pk,))
    conditions = conditions_of(cohort, images=(held_out.pk,), allows_held_out=True)
    with pytest.raises(RemediableError, match="test split"):
        ask(follower, conditions)
    assert not Batch.objects.exists()
    assert ask(follower, conditions, allows_held_out=True).recipes.count() == 4


def test_what_is_interpolated_to_must_be_of_the_training_split_too(
    follower: ModelVersion, cohort: Cohort
) -> None:
    held_out = Mask.objects.get(kind="lungs", cohort_image__patient__split="test")
    ((lungs, _),) = conditions_of(cohort, number=1)
    lungs.transforms = [
        {"family": "interpolate", "kind": "lungs", "other": held_out.blob_id, "weight": 0.5}
    ]
    with pytest.raises(RemediableError, match="test split"):
        ask(follower, [(lungs,)])


def test_the_same_choice_gives_the_same_masks(cohort: Cohort) -> None:
    values = {"number": 2, "families": ("affine", "elastic"), "variants": 3, "seed": 4}
    once, again = (conditions_of(cohort, **values) for _ in range(2))
    assert [[mask.blob_id for mask in one] for one in once] == [
        [mask.blob_id for mask in one] for one in again
    ]
    other = conditions_of(cohort, **values | {"seed": 5})
    assert [mask.transforms for mask in once[-1]] != [mask.transforms for mask in other[-1]]


def test_refused_variants_are_counted_with_their_reason_and_left_out(cohort: Cohort) -> None:
    lungs = Mask.objects.filter(kind="lungs", cohort_image__patient__split="train")
    close = np.zeros((64, 64), dtype=bool)
    close[8:56, 8:30] = close[8:56, 32:56] = True
    lungs.update(blob=store(encode_mask(close), media_type="image/png"))
    values = {"kinds": ("lungs",), "number": 1, "families": ("thickness",), "variants": 12}
    plan = plan_masks(choose(cohort, **values), side=64)
    assert plan.accepted + plan.refused == 13
    assert 0 < plan.refused < 12
    ((reason, count),) = plan.refusals
    assert "Thicken or thin: the mask of lungs has run together into 1 part" in reason
    assert count == plan.refused
    assert len(keep_masks(plan)) == plan.accepted


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kinds": ()}, "No kind of mask"),
        ({"variants": 2}, "no transform was chosen"),
        ({"families": ("affine",)}, "no variants were asked for"),
        ({"keeps_parents": False}, "No mask is left"),
        ({"number": 0}, "0 images cannot be drawn"),
        ({"kinds": ("tube",)}, "has 0 images of its training split with masks of tube"),
        ({"kinds": ("lungs",), "families": ("mirror",), "variants": 1}, "no lesion among"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_and_named(
    cohort: Cohort, values: dict[str, object], said: str
) -> None:
    with pytest.raises(RemediableError, match=said):
        plan_masks(choose(cohort, **values), side=SIDE)


def test_there_may_be_fewer_masks_of_larger_pictures(cohort: Cohort) -> None:
    assert [most_conditions(side) for side in (128, 256, 512, 1024)] == [256, 256, 64, 16]
    choice = choose(cohort, number=4, families=("affine",), variants=4)
    with pytest.raises(RemediableError, match="20 masks are more than the 16 of a batch of 1024"):
        plan_masks(choice, side=1024)


# Batches


def test_every_prompt_goes_with_every_mask(follower: ModelVersion, cohort: Cohort) -> None:
    conditions = conditions_of(cohort, number=2, families=("affine",), variants=1)
    batch = ask(follower, conditions)
    places = list(batch.batchrecipe_set.select_related("recipe"))
    assert len(places) == len(PROMPTS) * len(conditions) * 2
    assert [place.prompt_index for place in places] == [
        index for index in range(len(PROMPTS) * len(conditions)) for _ in range(2)
    ]
    assert {place.recipe.mode for place in places} == {"tm2i"}
    assert {len(place.recipe.conditioning) for place in places} == {2}
    assert len({place.recipe.seed for place in places}) == len(places)
    for place in places:
        assert place.recipe.compute_key() == place.recipe_id
    before = RecipeMask.objects.count()
    again = ask(follower, conditions)
    assert set(again.recipes.values_list("pk")) == set(batch.recipes.values_list("pk"))
    assert RecipeMask.objects.count() == before


def test_masks_only_need_no_prompt(follower: ModelVersion, cohort: Cohort) -> None:
    conditions = conditions_of(cohort, number=3)
    batch = ask(follower, conditions, mode="m2i", prompts=())
    assert set(batch.recipes.values_list("prompt", "mode")) == {("", "m2i")}
    assert batch.recipes.count() == 6


@pytest.mark.parametrize(
    ("mode", "prompts", "masked", "said"),
    [
        ("t2i", PROMPTS, True, "Masks were chosen, but"),
        ("tm2i", PROMPTS, False, "No mask was chosen"),
        ("m2i", PROMPTS, True, "Prompts were written, but"),
        ("tm2i", (), True, "Nothing was asked for"),
    ],
)
def test_a_mode_that_does_not_fit_what_was_given_is_refused(
    follower: ModelVersion,
    cohort: Cohort,
    mode: Mode,
    prompts: tuple[str, ...],
    masked: bool,
    said: str,
) -> None:
    conditions = conditions_of(cohort, number=1) if masked else []
    with pytest.raises(RemediableError, match=said):
        ask(follower, conditions, mode=mode, prompts=prompts)


def test_a_batch_from_masks_only_is_of_no_prompt_set(
    follower: ModelVersion, cohort: Cohort
) -> None:
    prompt_set = create_set("Night", PROMPTS, origin="written")
    with pytest.raises(RemediableError, match="The prompt set Night@1 was chosen, but"):
        create_batch(
            "Masked", model_version=follower, prompts=[], images_per_prompt=1, mode="m2i",
            conditions=conditions_of(cohort, number=1), prompt_set_version=prompt_set,
        )  # fmt: skip
    assert not Batch.objects.exists()


def test_a_version_without_a_control_net_is_refused_early(
    version: ModelVersion, cohort: Cohort
) -> None:
    with pytest.raises(RemediableError, match="“tiny” does not follow masks"):
        ask(version, conditions_of(cohort, number=1))


def test_the_sampler_gets_the_transformed_masks_as_files(
    follower: ModelVersion, cohort: Cohort
) -> None:
    conditions = conditions_of(cohort, number=1, families=("elastic",), variants=1)
    recipes = list(ask(follower, conditions).recipes.prefetch_related("masks__blob"))
    with with_mask_files(recipes) as samples:
        for recipe, sample in zip(recipes, samples, strict=True):
            assert [file.kind for file in sample.masks] == ["lungs", "opacity"]
            control = read_control(sample.masks, (SIDE, SIDE))
            lungs, opacity = recipe.conditioning
            for channel, mask in ((0, lungs), (5, opacity)):
                stored = np.asarray(PIL.Image.open(io.BytesIO(mask.blob.read())))
                assert stored.shape == (SIDE, SIDE)
                assert (control[channel] == (stored == 255)).all()
        folder = Path(samples[0].masks[0].path).parent
        assert len(list(folder.iterdir())) == 4  # shared by the recipes of one mask
    assert not folder.exists()


def test_weights_that_do_not_follow_masks_fail_the_run_clearly(
    follower: ModelVersion, cohort: Cohort
) -> None:
    batch = ask(follower, conditions_of(cohort, number=1))
    run = batch.runs.get()
    execute(run_id=str(run.pk))
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert "no ControlNet" in run.error


# Versions


def test_a_folder_with_a_control_net_follows_masks_and_so_do_its_children(
    db: None, tiny_model: Path, tmp_path: Path
) -> None:
    plain = register("plain", str(tiny_model))
    folder = save_tiny_model(tmp_path / "following", follows_masks=True)
    following = register("following", str(folder))
    assert (plain.follows_masks, following.follows_masks) == (False, True)
    assert following.sha256 != plain.sha256
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "a.safetensors").write_bytes(b"adapter")
    assert register("child", str(adapter), parent=following).follows_masks


# The command


def test_the_command_makes_a_batch_from_masks(
    follower: ModelVersion, cohort: Cohort, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = {"mode": "m2i", "masks": "ward", "queue": True, "steps": 2, "images_per_prompt": 1}
    call_command(
        "generate",
        **wanted,
        mask_kinds=["lungs"],
        mask_number=2,
        transforms=["affine"],
        variants=1,
        without_parents=True,
    )
    told = capsys.readouterr().out
    assert "2 masks to follow, 0 refused." in told
    assert "0 of 2 made" in told
    assert {len(recipe.masks.all()[0].transforms) for recipe in Recipe.objects.all()} == {1}
    call_command("generate", **wanted, mask_images=["ward_train_1.png"])
    assert "0 of 1 made" in capsys.readouterr().out
    for changes, said in (
        ({"masks": "nowhere"}, "no cohort 'nowhere'"),
        ({"masks": None}, "No mask was chosen"),
        ({"mask_kinds": ["liver"]}, "'liver'"),
        ({"transforms": ["flip"]}, "'flip'"),
        ({"mask_images": ["x.png"]}, r"no image “x\.png”"),
        ({"mask_images": ["ward_test_0.png"]}, "of the test split"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("generate", **wanted | changes)
