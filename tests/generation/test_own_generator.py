"""A generator that knows a few images alone: what it makes, and that it goes on where it was."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from generation.commands.own_generator import make
from generation.commands.run_folder import run_command
from generation.conditioning.masks import encode_mask, read_mask
from generation.diffusion.own_generator import MANIFEST, models_in_turn
from generation.specs import OwnGeneratorSpec, Split, TrainingImage, write_spec
from generation.training.images import read_manifest
from tests.generation.cell_trainees import write_manifest

SIDE = 32


def pairs(folder: Path, *, split: Split = "train") -> list[TrainingImage]:
    rows = []
    for number in range(2):
        picture = np.random.default_rng(number).integers(0, 256, (64, 64), dtype=np.uint8)
        mask = np.zeros((64, 64), dtype=bool)
        mask[20:44, 16 + number : 40] = True
        paths = folder / f"{number}.png", folder / f"mask-{number}.png"
        PIL.Image.fromarray(picture).save(paths[0])
        paths[1].write_bytes(encode_mask(mask))
        rows.append(
            TrainingImage(
                path=str(paths[0]),
                image_id=f"{number}",
                patient=f"{number}",
                split=split,
                masks={"opacity": str(paths[1])},
            )
        )
    return rows


@pytest.mark.slow
def test_images_follow_moved_masks_of_what_was_learnt_from(tmp_path: Path) -> None:
    manifest = write_manifest(pairs(tmp_path), tmp_path / "real.jsonl")
    spec = OwnGeneratorSpec(
        manifest=str(manifest),
        count=3,
        kind="opacity",
        resolution=SIDE,
        autoencoder_steps=2,
        latent_versions=1,
        decoder_steps=1,
        denoiser_steps=2,
        controlnet_steps=2,
        batch_size=2,
    )
    write_spec(spec, tmp_path / "spec.json")
    assert run_command(make, [str(tmp_path)]) == 0
    made = read_manifest(tmp_path / MANIFEST)
    pixels = [Path(row.path).read_bytes() for row in made]
    assert len(made) == len(set(pixels)) == 3
    first, _, third = (read_mask(Path(row.masks["opacity"]), side=2 * SIDE) for row in made)
    assert first.any() and (first != third).any()  # of the same image, moved otherwise
    Path(made[0].path).unlink()
    assert run_command(make, [str(tmp_path)]) == 0
    assert [Path(row.path).read_bytes() for row in made[1:]] == pixels[1:]
    assert Path(made[0].path).exists()


def test_held_out_images_are_never_learnt_from(tmp_path: Path) -> None:
    manifest = write_manifest(pairs(tmp_path, split="test"), tmp_path / "real.jsonl")
    spec = OwnGeneratorSpec(manifest=str(manifest), count=1, resolution=SIDE)
    write_spec(spec, tmp_path / "spec.json")
    assert run_command(make, [str(tmp_path)]) != 0
    assert "held out" in (tmp_path / "error.json").read_text()


def test_every_finding_is_made_as_often_as_each_other() -> None:
    rows = [
        TrainingImage(
            path="", image_id=f"{number}", patient="", split="train",
            findings=("pneumonia",) if number == 0 else (),
        )
        for number in range(4)
    ]  # fmt: skip
    spec = OwnGeneratorSpec(manifest="-", count=6, findings=("pneumonia",))
    shown = [bool(row.findings) for row in models_in_turn(rows, spec)]
    assert shown in ([True, False] * 3, [False, True] * 3)
