from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from generation.diffusion.loading import load_pipeline
from generation.diffusion.sampling import as_grey, sample, tokens_too_many
from generation.errors import RemediableError
from generation.specs import MOST_AT_ONCE, MaskFile, ModelSource, SampleSpec
from tests.tiny_model import SIDE, save_tiny_model

RECIPE = SampleSpec(prompt="chest x-ray, pneumonia", seed=7, steps=3, width=SIDE, height=SIDE)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionPipeline:
    folder = save_tiny_model(tmp_path_factory.mktemp("tiny"))
    return load_pipeline(ModelSource(base=str(folder)))


def _difference(first: np.ndarray, second: np.ndarray) -> int:
    return int(np.abs(first.astype(int) - second.astype(int)).max())


@pytest.mark.parametrize("sampler", ["unipc", "dpmsolver++", "ddim"])
def test_a_recipe_gives_the_same_picture_in_any_batch(
    pipeline: StableDiffusionPipeline, sampler: Any
) -> None:
    recipe = replace(RECIPE, sampler=sampler)
    alone = sample(pipeline, [recipe])[0]
    others = [replace(recipe, seed=seed, prompt="chest x-ray, no finding") for seed in range(4)]
    among = sample(pipeline, [*others, recipe], at_once=5)[-1]
    apart = sample(pipeline, [*others, recipe], at_once=2)[-1]
    assert _difference(alone, among) <= 1
    assert _difference(alone, apart) <= 1


def test_pictures_come_in_the_order_of_their_recipes_whatever_their_settings(
    pipeline: StableDiffusionPipeline,
) -> None:
    recipes = [RECIPE, replace(RECIPE, steps=4), replace(RECIPE, seed=8), replace(RECIPE, width=64)]
    together = sample(pipeline, recipes)
    for recipe, picture in zip(recipes, together, strict=True):
        assert picture.shape == (recipe.height, recipe.width)
        assert _difference(picture, sample(pipeline, [recipe])[0]) <= 1


def test_another_seed_gives_another_picture(pipeline: StableDiffusionPipeline) -> None:
    first, second = sample(pipeline, [RECIPE, replace(RECIPE, seed=8)])
    assert _difference(first, second) > 1


def test_making_pictures_leaves_the_global_random_state_alone(
    pipeline: StableDiffusionPipeline,
) -> None:
    before = torch.get_rng_state()
    sample(pipeline, [RECIPE])
    assert torch.equal(before, torch.get_rng_state())


def test_a_prompt_that_is_too_long_is_refused_not_cut(pipeline: StableDiffusionPipeline) -> None:
    recipe = replace(RECIPE, prompt="chest x-ray, " + "pneumonia " * 60)
    with pytest.raises(RemediableError, match="tokens longer than the 48") as caught:
        sample(pipeline, [RECIPE, recipe])
    assert "Shorten" in caught.value.remedy


def test_a_prompt_of_just_the_longest_length_is_taken(pipeline: StableDiffusionPipeline) -> None:
    prompt = " ".join(["pneumonia"] * 46)
    assert tokens_too_many(pipeline.tokenizer, prompt) == 0
    assert len(sample(pipeline, [replace(RECIPE, prompt=prompt)])) == 1


def test_a_mode_that_the_model_cannot_follow_is_refused(pipeline: StableDiffusionPipeline) -> None:
    lungs = MaskFile(kind="lungs", path="lungs.png")
    with pytest.raises(RemediableError, match="'m2i': it has no ControlNet"):
        sample(pipeline, [replace(RECIPE, mode="m2i", masks=(lungs,))])
    with pytest.raises(RemediableError, match="mode 'tm2i' has 0 masks"):
        sample(pipeline, [replace(RECIPE, mode="tm2i")])
    with pytest.raises(RemediableError, match="mode 't2i' has 1 masks"):
        sample(pipeline, [replace(RECIPE, masks=(lungs,))])


def test_colour_becomes_luminance() -> None:
    """0.299 + 0.587 of 255 is 225.93."""
    yellow = np.array([[[1.0, 1.0, 0.0]]], dtype=np.float32)
    assert as_grey(yellow).tolist() == [[226]]


def test_a_picture_of_no_numbers_is_refused() -> None:
    with pytest.raises(RemediableError, match="no numbers"):
        as_grey(np.full((2, 2, 1), np.nan, dtype=np.float32))


def test_where_memory_runs_out_half_as_many_are_made_at_a_time(
    pipeline: StableDiffusionPipeline,
) -> None:
    recipes = [replace(RECIPE, seed=seed, guidance_scale=1.5) for seed in range(5)]
    whole = sample(pipeline, recipes)
    sizes: list[int] = []

    def hold_four(_: torch.nn.Module, arguments: tuple[torch.Tensor, ...]) -> None:
        sizes.append(len(arguments[0]))
        if sizes[-1] > 4:  # two images, each with and without its prompt
            raise torch.OutOfMemoryError

    hook = pipeline.unet.register_forward_pre_hook(hold_four)
    try:
        halved = sample(pipeline, recipes)
    finally:
        hook.remove()
    assert max(_difference(a, b) for a, b in zip(whole, halved, strict=True)) <= 1
    assert (sizes[0], max(sizes[2:])) == (10, 4)


def test_memory_that_does_not_hold_one_image_is_an_error(pipeline: StableDiffusionPipeline) -> None:
    def hold_none(*_: object) -> None:
        raise torch.OutOfMemoryError

    hook = pipeline.unet.register_forward_pre_hook(hold_none)
    try:
        with pytest.raises(torch.OutOfMemoryError):
            sample(pipeline, [RECIPE, replace(RECIPE, seed=8)])
    finally:
        hook.remove()


def test_a_prompt_is_encoded_once(pipeline: StableDiffusionPipeline) -> None:
    encoded: list[object] = []
    hook = pipeline.text_encoder.register_forward_hook(lambda *_: encoded.append(None))
    prompt = "chest x-ray, edema"
    try:
        sample(pipeline, [replace(RECIPE, prompt=prompt, seed=seed) for seed in range(3)])
        sample(pipeline, [replace(RECIPE, prompt=prompt, seed=9)])
    finally:
        hook.remove()
    assert len(encoded) == 1


def test_large_images_are_made_few_at_a_time() -> None:
    counts = [
        SampleSpec(prompt="", seed=0, width=s, height=s).at_once for s in (64, 512, 1024, 2048)
    ]
    assert counts == [MOST_AT_ONCE, 8, 2, 1]
