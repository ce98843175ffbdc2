"""Cells: made from a setting and a seed, trained once, kept by their content hash."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from generation.commands.run_folder import run_command
from generation.commands.train_cell import PREDICTIONS_FILE, train
from generation.downstream.cell_hash import cell_hash
from generation.hashing import sha256_of_file
from generation.specs import Arm, CellSpec, Task, TrainingImage, write_spec

ALL = 0
"""The size that stands for all training images."""

known_sha256 = cache(sha256_of_file)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Cells that differ by seed alone; ``ratio`` is synthetic images to real ones."""

    task: Task
    arm: Arm
    size: int
    ratio: float = 0
    pool: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        pool = f" of {self.pool}" if self.pool else ""
        return self.arm + (f" {self.ratio:g}x{pool}" if self.arm != "real" else "") + self.variant

    @property
    def variant(self) -> str:
        """What cells have to share to be compared, beside their size."""
        return ", fixed steps" if self.changes.get("stopping") == "fixed" else ""


def spec_of(
    setting: Setting,
    seed: int,
    *,
    manifest: Path,
    rows: Sequence[TrainingImage],
    pools: Mapping[str, Path],
) -> CellSpec:
    training = [row for row in rows if row.split == "train"]
    ids = draw_ids(training, setting.size, seed=seed)
    return CellSpec(
        task=setting.task,
        arm=setting.arm,
        real=str(manifest),
        training_ids=() if setting.arm == "synthetic" else ids,
        synthetic=str(pools[setting.pool]) if setting.pool else "",
        synthetic_count=round(setting.ratio * len(ids)),
        findings=("pneumonia",) if setting.task == "classification" else (),
        seed=seed,
        **setting.changes,
    )


def draw_ids(training: Sequence[TrainingImage], size: int, *, seed: int) -> tuple[str, ...]:
    """So many image ids by seed, with and without findings in equal number; or all of them."""
    groups = [
        sorted(row.image_id for row in training if bool(row.findings) == has_finding)
        for has_finding in (True, False)
    ]
    if size == ALL:
        return tuple(sorted(groups[0] + groups[1]))
    filled = [group for group in groups if group]
    for group in filled:
        random.Random(seed).shuffle(group)
    share = size // len(filled)
    return tuple(sorted(name for group in filled for name in group[:share]))


def train_once(spec: CellSpec, work: Path) -> dict[str, Any]:
    """Returns the result and predictions of a cell, trained unless it was before."""
    folder = folder_of(spec, work)
    if not (folder / "result.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_spec(spec, folder / "spec.json")
        if run_command(train, [str(folder)]):
            raise SystemExit(f"the cell in {folder} failed")
    kept = kept_result(spec, work)
    assert kept is not None
    return kept


def folder_of(spec: CellSpec, work: Path) -> Path:
    return work / "cells" / cell_hash(spec, sha256_of=known_sha256)


def kept_result(spec: CellSpec, work: Path) -> dict[str, Any] | None:
    """With the cell's predictions; None where it was not trained."""
    folder = folder_of(spec, work)
    if not (folder / "result.json").exists():
        return None
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    predictions = json.loads((folder / PREDICTIONS_FILE).read_text())
    return {
        "hash": folder.name,
        "figures": result["figures"],
        "seconds": result["seconds"],
        "predictions": predictions,
    }
