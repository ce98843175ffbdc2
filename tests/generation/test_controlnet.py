"""A ControlNet beside the model: what it changes, what it leaves alone, how it is trained."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionControlNetPipeline
from PIL import Image
from safetensors.torch import load_file

from generation.conditioning.masks import MASK_KINDS
from generation.diffusion.conditioned_images import ConditionedImages, load_masks
from generation.diffusion.controlnet import build_controlnet
from generation.diffusion.controlnet_training import ControlNetTraining, draw_context, draw_control
from generation.diffusion.loading import Pipeline, load_pipeline
from generation.diffusion.sampling import sample
from generation.errors import RemediableError
from generation.specs import ControlNetSpec, MaskFile, Mode, ModelSource, SampleSpec, TrainingImage
from tests.tiny_model import SIDE, save_tiny_controlnet, save_tiny_model

BOX = (slice(4, 20), slice(3, 12))


def save_mask(path: Path, *, side: int = SIDE, place: tuple[slice, slice] = BOX) -> Path:
    mask = np.zeros((side, side), dtype=np.uint8)
    mask[place] = 255
    Image.fromarray(mask).save(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, and a version under it whose ControlNet changes something."""
    folder = tmp_path_factory.mktemp("controlnet")
    save_tiny_model(folder / "tiny")
    pipeline = load_pipeline(ModelSource(base=str(folder / "tiny")))
    save_tiny_controlnet(pipeline, folder / "masks")
    save_mask(folder / "left.png")
    save_mask(folder / "right.png", place=(slice(4, 20), slice(20, 29)))
    return folder


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> Pipeline:
    source = ModelSource(base=str(folder / "tiny"), adapters=(str(folder / "masks"),))
    return load_pipeline(source)


def recipe(
    folder: Path, mode: Mode, *, mask: str = "left.png", prompt: str = "chest x-ray"
) -> SampleSpec:
    masks = () if mode == "t2i" else (MaskFile(kind="lungs", path=str(folder / mask)),)
    return SampleSpec(
        prompt=prompt, seed=1, steps=2, width=SIDE, height=SIDE, mode=mode, masks=masks
    )


def test_a_version_with_a_controlnet_follows_masks_and_its_parent_does_not(
    folder: Path, pipeline: Pipeline
) -> None:
    parent = load_pipeline(ModelSource(base=str(folder / "tiny")))
    assert isinstance(pipeline, StableDiffusionControlNetPipeline)
    with pytest.raises(RemediableError, match="has no ControlNet"):
        sample(parent, [recipe(folder, "m2i")])


def test_text_alone_gives_what_the_parent_gives(folder: Path, pipeline: Pipeline) -> None:
    parent = load_pipeline(ModelSource(base=str(folder / "tiny")))
    (theirs,) = sample(parent, [recipe(folder, "t2i")])
    (ours,) = sample(pipeline, [recipe(folder, "t2i")])
    assert (theirs == ours).all()


@pytest.mark.parametrize("mode", ["m2i", "tm2i"])
def test_another_mask_gives_another_picture(folder: Path, pipeline: Pipeline, mode: Mode) -> None:
    left, right = (recipe(folder, mode, mask=name) for name in ("left.png", "right.png"))
    first, second = sample(pipeline, [left, right])
    assert (first != second).any()


def test_only_without_text_the_prompt_changes_nothing(folder: Path, pipeline: Pipeline) -> None:
    prompts = ("chest x-ray, no finding", "chest x-ray, pneumonia")
    by_mask = sample(pipeline, [recipe(folder, "m2i", prompt=prompt) for prompt in prompts])
    by_both = sample(pipeline, [recipe(folder, "tm2i", prompt=prompt) for prompt in prompts])
    assert (by_mask[0] == by_mask[1]).all()
    assert (by_both[0] != by_both[1]).any()


def test_modes_can_be_asked_for_together_in_any_order(folder: Path, pipeline: Pipeline) -> None:
    recipes = [recipe(folder, mode) for mode in ("tm2i", "t2i", "m2i")]
    together = sample(pipeline, recipes)
    alone = [sample(pipeline, [each])[0] for each in recipes]
    for one, other in zip(together, alone, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1


def test_a_base_folder_with_a_controlnet_in_it_follows_masks(folder: Path, tmp_path: Path) -> None:
    base = save_tiny_model(tmp_path / "base")
    controlnet = build_controlnet(load_pipeline(ModelSource(base=str(base))), seed=0)
    controlnet.save_pretrained(base / "controlnet")
    source = ModelSource(base=str(base))
    assert len(sample(load_pipeline(source), [recipe(folder, "m2i")])) == 1


def test_a_controlnet_for_other_channels_is_refused(folder: Path, tmp_path: Path) -> None:
    config = json.loads((folder / "masks" / "controlnet" / "config.json").read_text())
    pipeline = load_pipeline(ModelSource(base=str(folder / "tiny")))
    other = type(build_controlnet(pipeline, seed=0)).from_config(
        config | {"conditioning_channels": 3}
    )
    other.save_pretrained(tmp_path / "controlnet")
    with pytest.raises(RemediableError, match="takes 3 channels"):
        load_pipeline(ModelSource(base=str(folder / "tiny"), adapters=(str(tmp_path),)))


def test_one_taught_before_the_last_kinds_came_follows_the_kinds_that_it_knows(
    folder: Path, pipeline: Pipeline, tmp_path: Path
) -> None:
    narrow = type(pipeline.controlnet).from_config(
        dict(pipeline.controlnet.config) | {"conditioning_channels": 6}
    )
    state = pipeline.controlnet.state_dict()
    name = "controlnet_cond_embedding.conv_in.weight"
    narrow.load_state_dict(state | {name: state[name][:, :6]})
    narrow.save_pretrained(tmp_path / "controlnet")
    source = ModelSource(base=str(folder / "tiny"), adapters=(str(tmp_path),))
    earlier = load_pipeline(source)
    assert earlier.controlnet.config.conditioning_channels == len(MASK_KINDS)
    asked = recipe(folder, "m2i")
    new = MaskFile(kind="lungs_without_heart", path=str(folder / "left.png"))
    other = MaskFile(kind="heart", path=str(folder / "left.png"))
    made = [
        [
            sample(one, [replace(asked, masks=masks)])[0].astype(int)
            for masks in (asked.masks, (new, other), (other,))
        ]
        for one in (earlier, pipeline)
    ]
    assert np.abs(made[0][0] - made[1][0]).max() <= 1
    assert np.abs(made[0][1] - made[0][2]).max() == 0  # the new kind is not followed
    assert np.abs(made[1][1] - made[1][2]).max() > 1


def test_a_new_controlnet_changes_nothing_yet(folder: Path) -> None:
    """Its outputs are zero, whatever it is shown (Zhang et al. 2023, section 3.1)."""
    pipeline = load_pipeline(ModelSource(base=str(folder / "tiny")))
    controlnet = build_controlnet(pipeline, seed=0)
    down, middle = controlnet(
        torch.randn(1, 4, SIDE // 4, SIDE // 4),
        torch.tensor([500]),
        encoder_hidden_states=torch.randn(1, 4, 16),
        controlnet_cond=torch.ones(1, len(MASK_KINDS), SIDE, SIDE),
        return_dict=False,
    )
    assert all((part == 0).all() for part in (*down, middle))


# Training.


def conditioned(folder: Path) -> ConditionedImages:
    rows = tuple(
        TrainingImage(
            path="",
            image_id=str(number),
            patient=str(number),
            split="train",
            masks={"lungs": str(folder / "left.png")} if number else {},
        )
        for number in range(2)
    )
    placements = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]).expand(1, 2, 2, 3).clone()
    placements[0, 1, 0, 2] = 0.5  # looks half of half the width, a quarter of it, further right
    return ConditionedImages(
        torch.zeros(1, 2, 4, 8, 8), placements, load_masks(rows, side=SIDE), rows
    )


def test_masks_move_with_their_images_and_one_without_a_mask_has_none(folder: Path) -> None:
    control = conditioned(folder).control(torch.tensor([0, 0]), torch.tensor([0, 1]))
    expected = torch.zeros(SIDE, SIDE)
    expected[4:20, 0:4] = 1  # columns 3 to 11, moved 8 to the left
    assert (control[0] == 0).all()
    assert (control[1, MASK_KINDS.index("lungs"), :, : SIDE // 2] == expected[:, : SIDE // 2]).all()


def test_a_mask_of_an_unknown_kind_is_refused(folder: Path) -> None:
    row = TrainingImage(
        path="", image_id="1", patient="1", split="train", masks={"liver": "liver.png"}
    )
    with pytest.raises(RemediableError, match="'liver', for which there is no channel"):
        load_masks((row,), side=SIDE)


def spec_of(**settings: float) -> ControlNetSpec:
    return ControlNetSpec(model=ModelSource(base=""), manifest="", cohort="", **settings)  # type: ignore[arg-type]


def test_what_is_told_of_masks_follows_the_shares() -> None:
    control = torch.ones(4_000, 2, 1, 1)
    spec = spec_of(untold_kind_share=0.2, no_mask_share=0.25)
    told = draw_control(control, spec, torch.Generator().manual_seed(0))[:, :, 0, 0]
    assert told.mean().item() == pytest.approx(0.8 * 0.75, abs=0.02)
    none = (told.sum(1) == 0).float().mean().item()
    assert none == pytest.approx(0.25 + 0.75 * 0.04, abs=0.02)


def test_what_is_told_in_words_follows_the_shares(folder: Path) -> None:
    pipeline = load_pipeline(ModelSource(base=str(folder / "tiny")))
    chosen = torch.zeros(400, dtype=torch.long)
    spec = spec_of(empty_prompt_share=0.25, zero_text_share=0.25)
    generator = torch.Generator().manual_seed(0)
    context = draw_context(pipeline, conditioned(folder), chosen, spec, generator)
    empty = pipeline.encode_prompt("", "cpu", 1, do_classifier_free_guidance=False)[0]
    shares = [
        (context == 0).all(dim=(1, 2)).float().mean().item(),
        torch.isclose(context, empty, atol=1e-5).all(2).all(1).float().mean().item(),
    ]
    assert shares == pytest.approx([0.25, 0.25], abs=0.06)


@pytest.fixture
def spec(folder: Path, tmp_path: Path) -> ControlNetSpec:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    save_mask(tmp_path / "mask.png", side=64)
    row = {
        "path": str(tmp_path / "image.png"),
        "image_id": "1",
        "patient": "1",
        "split": "train",
        "masks": {"lungs": str(tmp_path / "mask.png")},
    }
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("\n".join([json.dumps(row)] * 3))
    return ControlNetSpec(
        model=ModelSource(base=str(folder / "tiny")),
        manifest=str(manifest),
        cohort="noise",
        steps=4,
        latent_versions=2,
        batch_size=2,
    )


class Killed(Exception):
    pass


def test_a_killed_training_ends_with_the_weights_of_an_undisturbed_one(
    spec: ControlNetSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.diffusion.controlnet_training.CHECKPOINT_EVERY", 1)

    def train(name: str, *, killed_at: int | None = None) -> bytes:
        def progress(done: int, total: int, stage: str, figures: Mapping[str, float]) -> None:
            if done == killed_at:
                raise Killed

        training = ControlNetTraining(spec, tmp_path / name, progress)
        training.run(tmp_path / f"{name}-model")
        weights = tmp_path / f"{name}-model/controlnet/diffusion_pytorch_model.safetensors"
        return weights.read_bytes()

    undisturbed = train("undisturbed")
    with pytest.raises(Killed):
        train("killed", killed_at=4)
    assert train("killed") == undisturbed


def test_one_trained_further_begins_with_what_there_is(
    spec: ControlNetSpec, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(RemediableError, match="no ControlNet that could be trained further"):
        ControlNetTraining(replace(spec, further=True), tmp_path, lambda *_: None).run(tmp_path)
    source = ModelSource(base=str(folder / "tiny"), adapters=(str(folder / "masks"),))
    further = replace(spec, model=source, further=True, learning_rate=1e-6)
    ControlNetTraining(further, tmp_path / "state", lambda *_: None).run(tmp_path / "model")
    before, after = (
        load_file(one / "controlnet" / "diffusion_pytorch_model.safetensors")
        for one in (folder / "masks", tmp_path / "model")
    )
    changes = [(before[name] - after[name].float()).abs().max().item() for name in before]
    assert 0 < max(changes) < 1e-3


def test_a_manifest_without_masks_is_refused(spec: ControlNetSpec, tmp_path: Path) -> None:
    manifest = Path(spec.manifest)
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    manifest.write_text("\n".join(json.dumps(row | {"masks": {}}) for row in rows))
    with pytest.raises(RemediableError, match="no training image has a mask"):
        ControlNetTraining(spec, tmp_path, lambda *_: None).run(tmp_path / "model")
