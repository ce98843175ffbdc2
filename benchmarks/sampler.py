"""Making candidates against a plain diffusers call on the same checkpoint and machine.

Plain is what published scripts do: one image at a time, 75 steps of UniPC, float32. Ours is
what a worker does. Both make the same prompts with the same seeds, in turns, so that a busy
machine is busy for both. KID is to held-out real images; the bound on its difference is the
upper end of a 95 % interval by half-sampling the images.

``python -m benchmarks.sampler`` prints the figures; on a machine with a GPU they are its.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice

import numpy as np
import torch
from diffusers import StableDiffusionPipeline, UniPCMultistepScheduler

from benchmarks.rows import Row
from generation.conditioning.prompts import default_prompts
from generation.diffusion.loading import BUNDLED_FOLDER, load_pipeline
from generation.diffusion.sampling import as_grey, sample
from generation.measures.features import features_of
from generation.measures.nearest_training_image import NearestTrainingImage
from generation.quality.kid import kid
from generation.specs import BUNDLED, MOST_AT_ONCE, ModelSource, SampleSpec
from generation.training.devices import device, dtype_for

PLAIN_STEPS = 75
PARTS = 2
PARTS_OF_EQUAL_STEPS = 1
RESAMPLES = 400

Make = Callable[[Sequence[SampleSpec]], list[np.ndarray]]


@dataclass
class Maker:
    """A way to make candidates, what it made, and the seconds that it took."""

    make: Make
    made: list[np.ndarray] = field(default_factory=list)
    spent_s: float = 0.0

    def take(self, recipes: Sequence[SampleSpec]) -> None:
        start_s = time.perf_counter()
        self.made += self.make(recipes)
        self.spent_s += time.perf_counter() - start_s

    @property
    def images_per_s(self) -> float:
        return len(self.made) / self.spent_s


def run() -> list[Row]:
    here = device()
    pipeline = load_pipeline(ModelSource(base=BUNDLED), device=str(here), dtype=dtype_for(here))
    plain = Maker(plainly(load_plain(here)))
    ours, equal_steps = (Maker(lambda recipes: sample(pipeline, recipes)) for _ in range(2))
    prompts = islice(cycle(default_prompts()), PARTS * MOST_AT_ONCE)
    recipes = [SampleSpec(prompt=prompt, seed=seed) for seed, prompt in enumerate(prompts)]
    for maker in (plain, ours):  # the first call pays for what no other does
        maker.make([replace(recipe, steps=2) for recipe in recipes[:MOST_AT_ONCE]])
    for number in range(PARTS):
        part = recipes[number * MOST_AT_ONCE : (number + 1) * MOST_AT_ONCE]
        slow = [replace(recipe, sampler="unipc", steps=PLAIN_STEPS) for recipe in part]
        plain.take(slow)
        ours.take(part)
        if number < PARTS_OF_EQUAL_STEPS:
            equal_steps.take(slow)
    difference, bound = kid_difference(ours.made, plain.made)
    return [
        compare("sampler_ratio", ours, plain),
        compare("sampler_equal_steps_ratio", equal_steps, plain),
        Row(name="sampler_kid_difference", value=difference, unit="KID"),
        Row(name="sampler_kid_difference_bound", value=bound, unit="KID"),
    ]


def load_plain(device: torch.device) -> StableDiffusionPipeline:
    pipeline = StableDiffusionPipeline.from_pretrained(
        BUNDLED_FOLDER,
        dtype=torch.float32,
        safety_checker=None,
        requires_safety_checker=False,
    ).to(device)
    pipeline.scheduler = UniPCMultistepScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def plainly(pipeline: StableDiffusionPipeline) -> Make:
    def make(recipes: Sequence[SampleSpec]) -> list[np.ndarray]:
        return [
            as_grey(
                pipeline(
                    recipe.prompt,
                    generator=torch.Generator().manual_seed(recipe.seed),
                    num_inference_steps=recipe.steps,
                    guidance_scale=recipe.guidance_scale,
                    output_type="np",
                ).images[0]
            )
            for recipe in recipes
        ]

    return make


def compare(name: str, maker: Maker, plain: Maker) -> Row:
    return Row(
        name=name,
        value=maker.images_per_s,
        unit="images/s",
        baseline=plain.images_per_s,
        ratio=maker.images_per_s / plain.images_per_s,
    )


def kid_difference(ours: list[np.ndarray], plain: list[np.ndarray]) -> tuple[float, float]:
    """Our KID less the plain one's, and the upper end of its 95 % interval."""
    nearest = NearestTrainingImage.load(BUNDLED_FOLDER / "quality")
    features = [features_of(nearest.net, pictures) for pictures in (ours, plain)]
    heldout = nearest.reference.heldout_features

    def difference(chosen: torch.Tensor) -> float:
        first, second = (kid(found[chosen], heldout).value for found in features)
        return first - second

    count = len(ours)
    generator = torch.Generator().manual_seed(0)
    # Without repeats: an image drawn twice would be like itself, and KID would rise for it.
    halves = [
        difference(torch.randperm(count, generator=generator)[: count // 2])
        for _ in range(RESAMPLES)
    ]
    whole = difference(torch.arange(count))
    # A half of the sample left out at random varies as the whole does (delete-d jackknife).
    return whole, whole + 1.96 * float(np.std(halves))


if __name__ == "__main__":
    from benchmarks.__main__ import print_table

    print_table(run())
