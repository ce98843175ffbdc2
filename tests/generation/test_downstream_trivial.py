"""Masks drawn without a look, by hand; and cells whose steps and threshold are fixed."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from pydantic import TypeAdapter

from generation.downstream.cells import train_cell
from generation.downstream.examples import CellExamples, Examples, read_examples
from generation.downstream.trivial import ALL_LUNGS, MEAN_MASK, trivial_dice
from generation.specs import CellSpec, TrainingImage
from generation.training.images import ImageSet

SIDE = 32


def masked(*columns: int, folder: Path | None = None) -> Examples:
    """Images with a mask of so many columns from the left, and lungs of half the picture."""
    masks = torch.zeros(len(columns), 1, 2 * SIDE, 2 * SIDE, dtype=torch.uint8)
    for mask, width in zip(masks, columns, strict=True):
        mask[..., : 2 * width] = 255
    lungs = np.zeros((2 * SIDE, 2 * SIDE), np.uint8)
    lungs[:, :SIDE] = 255
    if folder is not None:
        PIL.Image.fromarray(lungs).save(folder / "lungs.png")
    rows = tuple(
        TrainingImage(
            path="x",
            image_id=str(number),
            patient=str(number),
            split="test",
            masks={"opacity": "x"} | ({"lungs": str(folder / "lungs.png")} if folder else {}),
        )
        for number in range(len(columns))
    )
    return Examples(ImageSet(torch.full_like(masks, 90), rows), masks)


def test_trivial_masks_by_hand(tmp_path: Path) -> None:
    learnt, test = masked(8, 8, 16), masked(8, 16, folder=tmp_path)
    # Without validation the mean mask is what is mask in half of them: 8 columns.
    found = trivial_dice(test, learnt=learnt, validation=None, kind="opacity")
    assert found[MEAN_MASK] == pytest.approx([1, 2 * 8 / (8 + 16)])
    # Lungs are 16 columns.
    assert found[ALL_LUNGS] == pytest.approx([2 * 8 / (8 + 16), 1])
    # Validation images of 16 columns choose what is mask in a third of them.
    wider = trivial_dice(test, learnt=learnt, validation=masked(16), kind="opacity")
    assert wider[MEAN_MASK] == pytest.approx([2 * 8 / (8 + 16), 1])
    assert ALL_LUNGS not in trivial_dice(masked(8), learnt=learnt, validation=None, kind="opacity")


def test_a_cell_of_fixed_steps_sees_no_validation_image(tmp_path: Path) -> None:
    lines = [
        TrainingImage(path=str(tmp_path / f"{split}.png"), image_id=split, patient=split,
                      split=split, masks={"lungs": str(tmp_path / "mask.png")})
        for split in ("train", "test")
    ]  # fmt: skip
    for line in lines:
        PIL.Image.new("L", (64, 64), 90).save(line.path)
    PIL.Image.fromarray(np.full((64, 64), 255, np.uint8)).save(tmp_path / "mask.png")
    manifest = tmp_path / "real.jsonl"
    dump = TypeAdapter(TrainingImage).dump_json
    manifest.write_bytes(b"".join(dump(line) + b"\n" for line in lines))
    spec = CellSpec(
        task="segmentation", arm="real", real=str(manifest), training_ids=("train",),
        resolution=32, widths=(4, 8), max_steps=3, evaluate_every=2, stopping="fixed",
    )  # fmt: skip
    examples: CellExamples = read_examples(spec)
    assert examples.validation is None
    steps: list[int] = []
    measured, best = train_cell(
        spec, examples, device=torch.device("cpu"), checkpoints=tmp_path / "state",
        report=lambda step, figures: steps.append(step),
    )  # fmt: skip
    assert (best, steps) == (None, [1, 2, 3])
    assert measured.thresholds == {"lungs": 0.5}
    assert measured.predictions[0]["trivial"] == {MEAN_MASK: 1.0}
