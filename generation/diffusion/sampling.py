"""Making candidates: recipes in, 8-bit grey pictures out."""

from collections.abc import Iterator, Sequence
from weakref import WeakKeyDictionary

import numpy as np
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    SchedulerMixin,
    UniPCMultistepScheduler,
)
from transformers import CLIPTokenizer

from generation.conditioning.masks import read_control
from generation.diffusion.controlnet import without_controlnet
from generation.diffusion.loading import Pipeline
from generation.diffusion.repairing import blending, put_in
from generation.errors import RemediableError
from generation.specs import Sampler, SampleSpec
from generation.training.devices import release_memory

KEPT_EMBEDDINGS = 512
LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""ITU-R BT.601 weights of red, green and blue."""
_EMBEDDINGS: WeakKeyDictionary[torch.nn.Module, dict[str, torch.Tensor]] = WeakKeyDictionary()


def sample(
    pipeline: Pipeline, recipes: Sequence[SampleSpec], *, at_once: int | None = None
) -> list[np.ndarray]:
    """Make one picture a recipe, in order: uint8, H x W.

    Every recipe has a random generator of its own on the CPU, so it gives the
    same picture, to rounding, whatever it is batched with. ``at_once`` are made together, by
    default as many as their size allows; where the device's memory does not hold them, half
    as many.
    """
    for recipe in recipes:
        check_recipe(pipeline, recipe)
    pictures: dict[int, np.ndarray] = {}
    for indexes in _batches(recipes, at_once=at_once):
        made = _sample_what_fits(pipeline, [recipes[index] for index in indexes])
        pictures.update(zip(indexes, made, strict=True))
    return [pictures[index] for index in range(len(recipes))]


def _sample_what_fits(pipeline: Pipeline, recipes: Sequence[SampleSpec]) -> list[np.ndarray]:
    """Make all together, or in halves, and halves of halves, where memory runs out."""
    try:
        return _sample_alike(pipeline, recipes)
    except torch.OutOfMemoryError:
        if len(recipes) == 1:
            raise
    release_memory()  # outside of the handler, whose traceback holds the tensors
    middle = (len(recipes) + 1) // 2
    return [
        *_sample_what_fits(pipeline, recipes[:middle]),
        *_sample_what_fits(pipeline, recipes[middle:]),
    ]


def check_recipe(pipeline: Pipeline, recipe: SampleSpec) -> None:
    """Raise a RemediableError where this model cannot follow the recipe to the letter."""
    if (recipe.mode == "t2i") == bool(recipe.masks):
        raise RemediableError(
            f"a recipe of mode {recipe.mode!r} has {len(recipe.masks)} masks",
            remedy="Give masks to the modes m2i and tm2i, and none to t2i.",
        )
    if recipe.masks and getattr(pipeline, "controlnet", None) is None:
        raise RemediableError(
            f"the model cannot follow mode {recipe.mode!r}: it has no ControlNet",
            remedy="Use mode t2i, or a model whose folder has a ControlNet.",
        )
    excess = tokens_too_many(pipeline.tokenizer, recipe.prompt)
    if excess > 0:
        start = recipe.prompt[:60]
        raise RemediableError(
            f"the prompt starting {start!r} is {excess} tokens longer than the"
            f" {pipeline.tokenizer.model_max_length} that the model takes",
            remedy="Shorten the prompt; nothing of it would be cut silently.",
        )


def tokens_too_many(tokenizer: CLIPTokenizer, prompt: str) -> int:
    """Count the tokens by which a prompt exceeds what the model takes; zero or less fits."""
    ids = tokenizer(prompt, truncation=False, verbose=False).input_ids
    return len(ids) - int(tokenizer.model_max_length)


def scheduler_for(sampler: Sampler, pipeline: Pipeline) -> SchedulerMixin:
    """Make a sampler with the model's own noise schedule and prediction type."""
    config = pipeline.scheduler.config
    match sampler:
        case "unipc":
            return UniPCMultistepScheduler.from_config(config)
        case "dpmsolver++":
            return DPMSolverMultistepScheduler.from_config(config, algorithm_type="dpmsolver++")
        case "ddim":
            return DDIMScheduler.from_config(config, clip_sample=False)


def _batches(recipes: Sequence[SampleSpec], *, at_once: int | None) -> Iterator[list[int]]:
    """Give indexes of recipes that differ in prompt, masks and seed only, ``at_once`` at most."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for index, recipe in enumerate(recipes):
        settings = (
            recipe.mode,
            recipe.sampler,
            recipe.steps,
            recipe.guidance_scale,
            recipe.width,
            recipe.height,
            recipe.repair is None,
        )
        alike.setdefault(settings, []).append(index)
    for indexes in alike.values():
        size = at_once or recipes[indexes[0]].at_once
        for start in range(0, len(indexes), size):
            yield indexes[start : start + size]


@torch.inference_mode()
def _sample_alike(pipeline: Pipeline, recipes: Sequence[SampleSpec]) -> list[np.ndarray]:
    """Mode t2i goes by the model alone: it was trained on text without a ControlNet beside it."""
    first = recipes[0]
    made_with = without_controlnet(pipeline) if first.mode == "t2i" else pipeline
    made_with.scheduler = scheduler_for(first.sampler, pipeline)
    repairs = [recipe.repair for recipe in recipes if recipe.repair]
    generators = [torch.Generator().manual_seed(recipe.seed) for recipe in recipes]
    images = made_with(
        **_conditions(pipeline, recipes),
        **(blending(pipeline, repairs, generators=generators) if repairs else {}),
        generator=generators,
        num_inference_steps=first.steps,
        guidance_scale=1.0 if first.mode == "m2i" else first.guidance_scale,
        width=first.width,
        height=first.height,
        output_type="np",
    ).images
    made = [as_grey(image) for image in images]
    return list(map(put_in, repairs, made)) if repairs else made


def _conditions(pipeline: Pipeline, recipes: Sequence[SampleSpec]) -> dict[str, object]:
    """Encode what recipes of one mode are made from; in mode m2i the text embedding is zero."""
    empty = embed_prompt(pipeline, "")
    if recipes[0].mode == "m2i":
        embeddings = torch.zeros_like(empty).repeat(len(recipes), 1, 1)
    else:
        embeddings = torch.cat([embed_prompt(pipeline, recipe.prompt) for recipe in recipes])
    conditions: dict[str, object] = {
        "prompt_embeds": embeddings,
        "negative_prompt_embeds": empty.repeat(len(recipes), 1, 1),
    }
    if recipes[0].mode != "t2i":
        controls = [read_control(recipe.masks, (recipe.width, recipe.height)) for recipe in recipes]
        conditions["image"] = torch.from_numpy(np.stack(controls))
    return conditions


def embed_prompt(pipeline: Pipeline, prompt: str) -> torch.Tensor:
    """Returns a prompt's embedding, 1 x L x D; it is encoded once while the text encoder lives."""
    kept = _EMBEDDINGS.setdefault(pipeline.text_encoder, {})
    if prompt not in kept:
        if len(kept) >= KEPT_EMBEDDINGS:
            kept.pop(next(iter(kept)))
        embedded, _ = pipeline.encode_prompt(
            prompt, pipeline.device, 1, do_classifier_free_guidance=False
        )
        kept[prompt] = embedded
    return kept[prompt]


def as_grey(image: np.ndarray) -> np.ndarray:
    """Turn a picture H x W x 1 or H x W x 3 in [0, 1] into 8-bit grey, H x W."""
    grey = image[..., 0] if image.shape[-1] == 1 else image @ LUMINANCE
    if not np.isfinite(grey).all():
        raise RemediableError(
            "the model made a picture with values that are no numbers",
            remedy="Load the model in float32 or bfloat16; float16 overflows on some devices.",
        )
    return (grey * 255).round().clip(0, 255).astype(np.uint8)
