"""A cell for a process of its own, which has to be importable without pytest's help."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pydantic import TypeAdapter

from generation.commands.run_folder import run_command
from generation.commands.train_cell import train
from generation.specs import CellSpec, Split, TrainingImage, write_spec

MASS = CellSpec(
    task="classification",
    arm="real",
    real="real.jsonl",
    training_ids=("0",),
    findings=("mass",),
    resolution=32,
    network="tiny",
    max_steps=100,
    evaluate_every=25,
    learning_rate=2e-2,
)


def write_cohort(folder: Path) -> tuple[Path, Path]:
    """Images with discs and their masks as manifests: real ones of all splits, synthetic ones."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :48]

    def write(name: str, *, split: Split, has_mass: bool) -> TrainingImage:
        x, y = generator.uniform(18, 30, 2)
        disc = (rows - y) ** 2 + (columns - x) ** 2 < (12 if has_mass else 8) ** 2
        image = 80 + 120 * disc + generator.normal(0, 8, disc.shape)
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{name}.png")
        Image.fromarray((disc * 255).astype(np.uint8)).save(folder / f"{name}-mask.png")
        return TrainingImage(
            path=str(folder / f"{name}.png"),
            image_id=name,
            patient=name,
            split=split,
            findings=("mass",) if has_mass else (),
            masks={"lungs": str(folder / f"{name}-mask.png")},
            sex="F" if has_mass else "M",
            age_years=50,
        )

    splits: tuple[Split, ...] = ("train", "validation", "test")
    real = [
        write(f"{split}-{n}", split=split, has_mass=n % 2 == 0)
        for split in splits
        for n in range(6)
    ]
    synthetic = [write(f"made-{n}", split="train", has_mass=n % 2 == 0) for n in range(8)]
    return (
        write_manifest(real, folder / "real.jsonl"),
        write_manifest(synthetic, folder / "synthetic.jsonl"),
    )


def write_manifest(rows: list[TrainingImage], path: Path) -> Path:
    line_of = TypeAdapter(TrainingImage)
    path.write_bytes(b"\n".join(line_of.dump_json(row) for row in rows))
    return path


def write_pretrained(folder: Path, cohort: tuple[Path, Path]) -> None:
    """A run folder with the spec of a cell in two phases."""
    real, synthetic = cohort
    spec = replace(
        MASS,
        arm="pretrained",
        real=str(real),
        training_ids=tuple(f"train-{number}" for number in range(4)),
        synthetic=str(synthetic),
        synthetic_count=6,
        max_steps=60,
        evaluate_every=2,
        patience=60,
        batch_size=4,
    )
    folder.mkdir()
    write_spec(spec, folder / "spec.json")


def train_in(folder: Path) -> None:
    torch.set_num_threads(1)
    assert run_command(train, [str(folder)]) == 0
