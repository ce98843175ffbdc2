"""Tiny VLMs, and a handful of instructions to teach them on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from generation.specs import VlmSpec
from generation.vlm.model.assembly import BACKBONE
from generation.vlm.model.backbone import Backbone
from generation.vlm.model.training import VlmTraining

PICTURES = 6
SIDE = 40


def picture(number: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(number).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)


def write_backbone(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    save_file(Backbone().state_dict(), folder / BACKBONE)
    return folder


def write_instructions(folder: Path) -> Path:
    """Questions of pictures of a made-up source, and of a report."""
    (folder / "train").mkdir(parents=True)
    pictures = folder / "source"
    pictures.mkdir()
    rows = [_row("openi/1", "findings summarisation", "Sum up: lungs are clear.", "Normal.")]
    for number in range(PICTURES):
        Image.fromarray(picture(number)).save(pictures / f"{number}.png")
        shown = {"images": [f"made/{number}.png"], "patient": str(number)}
        is_odd = bool(number % 2)
        rows += [
            _row(f"made/{number}/view classification", "view classification", "Which view?",
                 "PA" if is_odd else "AP", options=["PA", "AP"], **shown),
            _row(f"made/{number}/image classification", "image classification", "What is seen?",
                 "pneumonia" if is_odd else "no finding", **shown),
            _row(f"made/{number}/binary disease classification/pneumonia",
                 "binary disease classification", "Does this show pneumonia?",
                 "yes" if is_odd else "no", **shown),
        ]  # fmt: skip
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "train" / "made.jsonl").write_text(lines)
    (folder / "plan.json").write_text(json.dumps({"folders": {"made": str(pictures)}}))
    return folder


def _row(key: str, task: str, stem: str, answer: str, **more: Any) -> dict[str, Any]:
    options = more.pop("options", [])
    row = {"id": key, "source": key.partition("/")[0], "task": task, "patient": "", "images": [],
           "stem": stem, "answer": answer, "options": options,
           "option": options.index(answer) if options else -1}  # fmt: skip
    return row | more


def tiny_spec(instructions: Path, eye: Path, **settings: Any) -> VlmSpec:
    """Three steps of each stage."""
    steps = dict.fromkeys(
        ("language_steps", "encoder_steps", "bridge_steps", "instruction_steps"), 3
    )
    sizes = {"image_size": 32, "eye_width": 8, "vocabulary": 400, "width": 16, "layers": 1,
             "heads": 2, "batch_size": 4, "checkpoint_every": 2}  # fmt: skip
    return VlmSpec(instructions=str(instructions), eye=str(eye), **{**steps, **sizes, **settings})


def train_tiny(spec: VlmSpec, folder: Path, *, progress: Any = lambda *_: None) -> Path:
    """The model's folder."""
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir(parents=True, exist_ok=True)
    VlmTraining(spec, checkpoint, progress).run(folder / "model")
    return folder / "model"
