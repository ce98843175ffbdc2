"""Repairs: a region is drawn again, and all that lies outside of it stays to the bit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from generation.conditioning.regions import shares_of
from generation.diffusion.loading import Pipeline, load_pipeline
from generation.diffusion.repairing import put_in
from generation.diffusion.sampling import sample
from generation.errors import RemediableError
from generation.specs import MaskFile, ModelSource, RepairSpec, SampleSpec
from tests.tiny_model import SIDE, save_tiny_model

RECIPE = SampleSpec(prompt="chest x-ray, pneumonia", seed=7, steps=3, width=SIDE, height=SIDE)
REGION = ((8.0, 8.0), (24.0, 8.0), (24.0, 20.0), (8.0, 20.0))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = save_tiny_model(tmp_path_factory.mktemp("tiny"), follows_masks=True)
    return load_pipeline(ModelSource(base=str(folder)))


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "original.png"
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("sampler", ["unipc", "dpmsolver++", "ddim"])
@pytest.mark.parametrize("mode", ["t2i", "tm2i"])
def test_pixels_outside_of_the_region_stay_and_those_inside_follow_the_seed(
    pipeline: Pipeline, original: Path, tmp_path: Path, sampler: Any, mode: Any
) -> None:
    Image.new("L", (SIDE, SIDE), 255).save(tmp_path / "mask.png")
    mask = MaskFile(kind="lungs", path=str(tmp_path / "mask.png"))
    repair = RepairSpec(image=str(original), regions=(REGION,))
    recipe = replace(RECIPE, sampler=sampler, mode=mode, repair=repair)
    recipe = replace(recipe, masks=() if mode == "t2i" else (mask,))
    first, other, again = sample(pipeline, [recipe, replace(recipe, seed=8), recipe])
    before = np.asarray(Image.open(original))
    inside = shares_of([REGION], (SIDE, SIDE)) > 0
    for made in (first, other):
        assert np.array_equal(made[~inside], before[~inside])
        assert (made[10:18, 10:22] != before[10:18, 10:22]).mean() > 0.5
    assert np.abs(first.astype(int) - other).max() > 1
    assert np.abs(first.astype(int) - again).max() <= 1


def test_a_whole_image_is_drawn_as_without_an_original(pipeline: Pipeline, original: Path) -> None:
    """Nothing of the original is left where all of it is drawn again."""
    whole = ((0.0, 0.0), (SIDE, 0.0), (float(SIDE), float(SIDE)), (0.0, float(SIDE)))
    repair = RepairSpec(image=str(original), regions=(whole,))
    repaired, plain = sample(pipeline, [replace(RECIPE, repair=repair), RECIPE])
    assert np.abs(repaired.astype(int) - plain).max() <= 1


def test_the_rim_leads_from_the_one_to_the_other(tmp_path: Path) -> None:
    """At 64 pixels the rim is two wide: half at its first pixel, all of it from the second."""
    path = tmp_path / "black.png"
    Image.new("L", (64, 64)).save(path)
    region = ((16.0, 16.0), (48.0, 16.0), (48.0, 48.0), (16.0, 48.0))
    put = put_in(RepairSpec(image=str(path), regions=(region,)), np.full((64, 64), 200, np.uint8))
    assert put[32, 14:20].tolist() == [0, 0, 100, 200, 200, 200]
    with pytest.raises(RemediableError, match="64 x 64 pixels cannot be repaired"):
        put_in(RepairSpec(image=str(path), regions=(region,)), np.zeros((32, 32), np.uint8))
