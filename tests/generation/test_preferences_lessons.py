"""Readings read and encoded, and the reward that is fitted to them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generation.commands.finetune import finetune
from generation.commands.run_folder import RunFolder
from generation.conditioning.masks import encode_mask
from generation.diffusion.loading import load_pipeline
from generation.diffusion.sampling import embed_prompt
from generation.errors import RemediableError
from generation.measures.features import FeatureNet
from generation.preferences.lessons import encode_lessons, read_readings, texts_in
from generation.preferences.readers_reward import Ridge, learn_reward
from generation.rewards.reward_model import Heads, RewardConfig, RewardModel
from generation.rewards.trunks import load_trunk
from generation.specs import FineTuneSpec, ModelSource, Rating, write_spec
from tests.tiny_model import SIDE, save_tiny_model

PAIR = {"winner": "a", "loser": "b", "prompt": "p", "winner_score": 4, "loser_score": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures, a tiny model, and lines of every kind about them."""
    folder = tmp_path_factory.mktemp("lessons")
    for number, name in enumerate("abc"):
        save_grey(folder / name, seed=number)
    save_tiny_model(folder / "model")
    return folder


def save_grey(path: Path, *, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32), dtype=np.uint8)
    Image.fromarray(pixels).save(path, format="PNG")


def write(path: Path, lines: list[dict[str, Any]]) -> str:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return str(path)


def test_pairs_ratings_and_real_images_share_what_is_encoded_once(
    folder: Path, tmp_path: Path
) -> None:
    a, b, c = (str(folder / name) for name in "abc")
    lines: list[dict[str, Any]] = [
        {**PAIR, "winner": a, "loser": b},
        {**PAIR, "winner": a, "loser": b, "axes": {"text": [4, 1], "mask": [0, 2]}},
        {"image": a, "prompt": "p", "scores": {"mask": 3}},
        {"image": b, "prompt": "q", "is_accepted": False, "reliability": 0.5},
    ]
    rows: list[dict[str, Any]] = [
        {"path": path, "image_id": path, "patient": path, "split": split, "view": "PA"}
        for path, split in ((c, "train"), (a, "test"))
    ]
    spec = FineTuneSpec(
        model=ModelSource(base=str(folder / "model")),
        preferences=write(tmp_path / "readings", lines),
        real_images=write(tmp_path / "real", rows),
    )
    pipeline = load_pipeline(spec.model)
    lessons = encode_lessons(pipeline, spec, cache=tmp_path / "cache.pt")
    assert lessons.pictures.latents.shape == (3, 4, 8, 8)
    assert lessons.pictures.embeddings.shape[0] == 3
    assert not len(lessons.pictures.controls)
    scores = lessons.pairs.winner_score.nan_to_num(nan=-1).tolist()
    assert scores == [[4, -1], [4, 0]]
    assert lessons.pairs.loser_score.nan_to_num(nan=-1).tolist() == [[1, -1], [1, 2]]
    assert lessons.ratings.score.nan_to_num(nan=-1).tolist() == [[-1, 3], [-1, -1]]
    assert lessons.ratings.accepted.nan_to_num(nan=-1).tolist() == [-1, 0]
    assert lessons.ratings.reliability.tolist() == [1, 0.5]
    assert (lessons.reals.image.tolist(), lessons.reals.prompt.tolist()) == ([2], [2])
    again = encode_lessons(None, spec, cache=tmp_path / "cache.pt")
    assert again.pictures.latents.equal(lessons.pictures.latents)


def masked_spec(folder: Path, tmp_path: Path, *, model: Path) -> FineTuneSpec:
    """A pair with text alone, one with text and two masks, and a rating with a mask alone."""
    a, b = (str(folder / name) for name in "ab")
    masks = {"lungs": (slice(4, 20), slice(3, 12)), "opacity": (slice(6, 9), slice(4, 8))}
    paths = {}
    for kind, place in masks.items():
        mask = np.zeros((SIDE, SIDE), dtype=bool)
        mask[place] = True
        paths[kind] = tmp_path / kind
        paths[kind].write_bytes(encode_mask(mask))
    lungs = {"lungs": str(paths["lungs"])}
    lines: list[dict[str, Any]] = [
        {**PAIR, "winner": a, "loser": b},
        {**PAIR, "winner": a, "loser": b, "masks": lungs | {"opacity": str(paths["opacity"])}},
        {"image": a, "scores": {"mask": 3}, "masks": lungs},
    ]
    return FineTuneSpec(
        model=ModelSource(base=str(model)), preferences=write(tmp_path / "x", lines)
    )


def test_masks_become_channels_and_without_a_prompt_the_text_is_zero(
    folder: Path, tmp_path: Path
) -> None:
    model = save_tiny_model(tmp_path / "model", follows_masks=True)
    spec = masked_spec(folder, tmp_path, model=model)
    pipeline = load_pipeline(spec.model)
    lessons = encode_lessons(pipeline, spec, cache=tmp_path / "cache.pt")
    controls = lessons.pictures.controls
    assert (controls.shape, controls.dtype) == ((3, 7, SIDE, SIDE), torch.uint8)
    of_kinds = controls.sum(dim=(2, 3)).tolist()
    assert of_kinds == [[0] * 7, [144, 0, 0, 0, 0, 12, 0], [144, 0, 0, 0, 0, 0, 0]]
    assert lessons.pairs.control.tolist() == [0, 1]
    assert lessons.ratings.control.tolist() == [2]
    assert texts_in(spec) == ["p", None]
    assert lessons.ratings.prompt.tolist() == [1]
    text, nothing = lessons.pictures.embeddings
    assert text.abs().sum() > 0 and not nothing.any()
    torch.testing.assert_close(text[None], embed_prompt(pipeline, "p"))


def test_a_masked_reading_needs_a_control_net(folder: Path, tmp_path: Path) -> None:
    spec = masked_spec(folder, tmp_path, model=folder / "model")
    with pytest.raises(RemediableError, match="without a ControlNet"):
        encode_lessons(load_pipeline(spec.model), spec, cache=tmp_path / "cache.pt")


@pytest.mark.parametrize(
    "line", [{**PAIR, "loser_score": 4}, {"image": "a", "prompt": "p"}, {"picture": "a"}]
)
def test_a_line_that_says_nothing_is_named(tmp_path: Path, line: dict[str, Any]) -> None:
    path = write(tmp_path / "x", [PAIR, line])
    with pytest.raises(RemediableError, match="line 2"):
        read_readings(Path(path))


def test_an_old_file_of_pairs_alone_is_read(tmp_path: Path) -> None:
    found = read_readings(Path(write(tmp_path / "x", [PAIR | {"reliability": 1.0}])))
    assert (len(found.preferences), len(found.ratings)) == (1, 0)


def test_a_ridge_without_penalty_is_least_squares() -> None:
    features = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])
    scores = 2 * features[:, 0] - features[:, 1] + 0.5
    ridge = Ridge.fit(features, scores, penalty=1e-9)
    torch.testing.assert_close(ridge(features), scores, atol=1e-4, rtol=1e-4)
    assert ridge(torch.tensor([[10.0, 0.0]])).item() == pytest.approx(20.5, abs=1e-3)


def test_the_reward_has_gradients_down_to_the_picture(tmp_path: Path) -> None:
    torch.manual_seed(0)
    ratings = []
    for number in range(20):
        save_grey(tmp_path / str(number), seed=number)
        ratings.append(
            Rating(
                image=str(tmp_path / str(number)),
                prompt=f"p{number % 5}",
                scores={"text": number % 6},
            )
        )
    reward = learn_reward(FeatureNet().eval(), ratings)
    picture = torch.zeros(1, 1, 64, 64, requires_grad=True)
    reward(picture, torch.zeros(1).long()).sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0
    assert -1 <= reward.heldout_correlation <= 1
    with pytest.raises(RemediableError, match="too few for a reward"):
        learn_reward(FeatureNet().eval(), ratings[:10])


def test_draft_climbs_the_reward_model_that_it_is_given(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("generation.preferences.draft.SAMPLING_STEPS", 2)
    trunk = "tests.generation.bright_pairs:Brightness"
    shape = RewardConfig(trunk=trunk, features=2, members=2, hidden=2, temperature=1.0)
    torch.manual_seed(0)
    model = RewardModel(load_trunk(trunk), Heads(2, members=2, hidden=2), shape)
    model.save(tmp_path / "reward", trunk=trunk)
    images = [{"image": str(folder / name), "prompt": "p", "scores": {"text": 3}} for name in "ab"]
    spec = FineTuneSpec(
        model=ModelSource(base=str(folder / "model")),
        preferences=write(tmp_path / "readings", images),
        method="draft",
        steps=2,
        batch_size=2,
        rank=2,
        reward_model=str(tmp_path / "reward"),
    )
    write_spec(spec, tmp_path / "spec.json")
    result = finetune(RunFolder(tmp_path))
    assert 0 < result["reward"] < 5
    assert "reward_heldout_correlation" not in result
    assert f"climbs the reward model in {tmp_path / 'reward'}" in capsys.readouterr().out
    write_spec(replace(spec, reward_model=""), tmp_path / "spec.json")
    save_quality(folder / "model")
    with pytest.raises(RemediableError, match="2 scored images of 1 prompts are too few"):
        finetune(RunFolder(tmp_path))


def save_quality(model: Path) -> None:
    torch.manual_seed(0)
    FeatureNet().save(model / "quality")
