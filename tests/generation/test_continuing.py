"""A model that is trained further: what learns, what stays, and a training that is cut off."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from generation.diffusion.continuing import ContinuedTraining
from generation.specs import ContinueSpec, ModelSource
from tests.tiny_model import save_tiny_model

SPLITS = ("train", "train", "validation", "test")


class Killed(Exception):
    pass


@pytest.fixture
def spec(tmp_path: Path) -> ContinueSpec:
    save_tiny_model(tmp_path / "tiny")
    rows = []
    for number, split in enumerate(SPLITS):
        pixels = np.random.default_rng(number).integers(0, 255, (64, 64), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        rows.append(
            {
                "path": str(tmp_path / f"{number}.png"),
                "image_id": str(number),
                "patient": str(number),
                "split": split,
            }
        )
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return ContinueSpec(
        model=ModelSource(base=str(tmp_path / "tiny")),
        manifest=str(tmp_path / "manifest.jsonl"),
        cohort="noise",
        steps=3,
        latent_versions=2,
        batch_size=2,
        learning_rate=1e-2,
    )


def weights_of(folder: Path, part: str) -> dict[str, torch.Tensor]:
    (file,) = (folder / part).glob("*.safetensors")
    return {name: value.float() for name, value in load_file(file).items()}


def test_the_denoiser_learns_the_autoencoder_stays_and_a_cut_changes_nothing(
    spec: ContinueSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.diffusion.continuing.CHECKPOINT_EVERY", 1)

    def train(name: str, *, killed_at: int | None = None) -> Path:
        def progress(done: int, total: int, stage: str, figures: Mapping[str, float]) -> None:
            if done == killed_at:
                raise Killed

        ContinuedTraining(spec, tmp_path / name, progress).run(tmp_path / f"{name}-model")
        return tmp_path / f"{name}-model"

    model = train("undisturbed")
    for part, learns in (("unet", True), ("text_encoder", True), ("vae", False)):
        before, after = weights_of(tmp_path / "tiny", part), weights_of(model, part)
        change = max((before[name] - after[name]).abs().max().item() for name in before)
        assert (change > 1e-3) == learns, part
    with pytest.raises(Killed):
        train("cut", killed_at=4)
    again = weights_of(train("cut"), "unet")
    assert all(torch.equal(again[name], value) for name, value in weights_of(model, "unet").items())
