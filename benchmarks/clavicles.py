"""Whether clavicles can be learnt at 64 pixels, by the cells that experiments train.

They are thin, and for the first hundreds of steps a U-Net draws none of them: a patience that
counted from the first step would end the training before it begins. Needs the folder ``jsrt`` of
``READING_ROOM_DATA`` (JSRT's radiographs with the SCR's outlines).
"""

import hashlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from pydantic import TypeAdapter

from benchmarks.augmentation.cells import train_once
from benchmarks.rows import Row
from generation.specs import CellSpec, Split, TrainingImage

RESOLUTION = 64
TRAINED, VALIDATED = 131, 30
"""How many of the 247 pairs of JSRT; the others test."""
STEPS = 1_000
WANTED = 0.75
KIND = "lungs"
"""Cells know no clavicles; a mask's kind is only its name to them."""
MASKS = ("left_clavicle", "right_clavicle")


def run() -> list[Row]:
    folder = Path(os.environ["READING_ROOM_DATA"]) / "jsrt"
    pictures = sorted(
        (folder / "images").iterdir(),
        key=lambda path: hashlib.sha256(path.stem.encode()).hexdigest(),
    )
    with TemporaryDirectory(prefix="clavicles-") as name:
        work = Path(name)
        rows = [_row(folder, path, place, work) for place, path in enumerate(pictures)]
        line = TypeAdapter(TrainingImage).dump_json
        (work / "manifest.jsonl").write_bytes(b"".join(line(row) + b"\n" for row in rows))
        spec = CellSpec(
            task="segmentation",
            arm="real",
            real=str(work / "manifest.jsonl"),
            training_ids=tuple(row.image_id for row in rows if row.split == "train"),
            kind=KIND,
            resolution=RESOLUTION,
            max_steps=STEPS,
        )
        found = train_once(spec, work)["figures"]["dice"]
    return [
        Row(name="clavicles_dice", value=found, unit="Dice", baseline=WANTED, ratio=found / WANTED)
    ]


def _row(folder: Path, picture: Path, place: int, work: Path) -> TrainingImage:
    split: Split = "test"
    if place < TRAINED + VALIDATED:
        split = "train" if place < TRAINED else "validation"
    mask = work / f"{picture.stem}.png"
    both = [
        np.asarray(Image.open(folder / kind / f"{picture.stem}.png").convert("L")) > 127
        for kind in MASKS
    ]
    Image.fromarray(np.where(both[0] | both[1], 255, 0).astype(np.uint8)).save(mask)
    return TrainingImage(
        path=str(picture),
        image_id=picture.stem,
        patient=picture.stem,
        split=split,
        masks={KIND: str(mask)},
    )
