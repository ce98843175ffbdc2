"""Two steps of everything on a few small pictures, by the command itself."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import TypeAdapter

from generation.commands.pretrain import pretrain
from generation.commands.run_folder import locked, run_together
from generation.diffusion.loading import load_pipeline
from generation.diffusion.sampling import sample
from generation.measures.nearest_training_image import NearestTrainingImage
from generation.specs import ModelSource, PretrainSpec, SampleSpec, Split, TrainingImage, write_spec
from tests import warm

CHECKOUT = Path(__file__).resolve().parents[2]
SPLITS: tuple[Split, ...] = ("train",) * 6 + ("validation", "test")


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run folder whose spec asks for two steps of every stage."""
    randomness = np.random.default_rng(0)
    lines = []
    for number, split in enumerate(SPLITS):
        path = tmp_path / f"{number}.png"
        Image.fromarray(randomness.integers(0, 256, (40, 40), dtype=np.uint8)).save(path)
        row = TrainingImage(
            path=str(path),
            image_id=path.stem,
            patient=str(number),
            split=split,
            findings=("pneumonia",) if number % 2 else (),
            view="PA",
            sex="F",
            age_years=50,
        )
        lines.append(TypeAdapter(TrainingImage).dump_json(row).decode())
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("\n".join(lines))
    folder = tmp_path / "run"
    folder.mkdir()
    write_spec(_spec(manifest), folder / "spec.json")
    return folder


def _spec(manifest: Path) -> PretrainSpec:
    return PretrainSpec(
        manifest=str(manifest),
        cohort="tiny",
        resolution=32,
        feature_steps=2,
        autoencoder_steps=2,
        latent_versions=2,
        decoder_steps=2,
        denoiser_steps=2,
        batch_size=2,
    )


def test_pretraining_leaves_a_model_that_loads_and_makes_pictures(run_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "generation.commands.pretrain", str(run_folder)],
        cwd=CHECKOUT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=warm.PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    progress = json.loads((run_folder / "progress.json").read_text())
    assert progress["done"] == progress["total"] == 10
    model = json.loads((run_folder / "result.json").read_text())["model"]
    pipeline = load_pipeline(ModelSource(base=model))
    assert pipeline.unet.dtype == pipeline.text_encoder.dtype == torch.float32
    recipe = SampleSpec(prompt="chest x-ray, pneumonia", seed=1, steps=2, width=32, height=32)
    picture = sample(pipeline, [recipe])[0]
    assert picture.shape == (32, 32)
    assert picture.dtype == np.uint8
    nearest = NearestTrainingImage.load(Path(model) / "quality")
    assert nearest.similarity([picture])[0].shape == (1,)


def test_a_killed_pretraining_goes_on_and_ends_at_the_same_step(run_folder: Path) -> None:
    process = warm.start_command("generation.commands.pretrain", run_folder)
    features = run_folder / "checkpoint" / "features.pt"
    deadline_s = time.monotonic() + warm.PATIENCE_S
    while not features.exists():
        assert process.is_alive()
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
    process.kill()
    assert warm.exit_code(process) == -signal.SIGKILL
    kept_at = features.stat().st_mtime_ns
    again = warm.start_command("generation.commands.pretrain", run_folder)
    assert warm.exit_code(again) == 0, (run_folder / "said.txt").read_text()
    assert features.stat().st_mtime_ns == kept_at
    assert json.loads((run_folder / "progress.json").read_text())["done"] == 10
    assert torch.load(run_folder / "checkpoint" / "denoiser.pt")["step"] == 2


def test_a_second_process_in_the_same_folder_is_turned_away(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with locked(run_folder):
        status = run_together(pretrain, [str(run_folder)])
    assert status == 1
    assert "another process works in" in capsys.readouterr().err
    assert not (run_folder / "error.json").exists()


def test_an_unreadable_image_ends_the_run_with_its_name_and_a_remedy(run_folder: Path) -> None:
    (run_folder.parent / "3.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    assert run_together(pretrain, [str(run_folder)]) == 1
    error = json.loads((run_folder / "error.json").read_text())
    assert "3.png" in error["error"]
    assert error["remedy"]
    assert not (run_folder / "result.json").exists()
