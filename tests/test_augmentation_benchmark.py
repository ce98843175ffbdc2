"""The augmentation benchmark's tables, from cells whose truth is known."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.augmentation.cells import Setting
from benchmarks.augmentation.grid import Experiment
from benchmarks.augmentation.report import Cell, Comparison, section, write_predictions
from generation.specs import Arm

PATIENTS = 40
IDS = {f"image-{number:02}" for number in range(PATIENTS)}
EXPERIMENT = Experiment(
    name="planted",
    task="segmentation",
    cohort="made up",
    figure="dice",
    pools=(),
    settings=(),
    primary=(5, "curated 4x of pool"),
)


def cells(arm: Arm, *, better_by: float, seeds: int = 10) -> list[Cell]:
    setting = Setting(task="segmentation", arm=arm, size=5, ratio=4, pool="pool")
    if arm == "real":
        setting = Setting(task="segmentation", arm=arm, size=5)
    if arm == "transformed":
        setting = Setting(task="segmentation", arm=arm, size=5, ratio=4)
    return [
        Cell(
            setting=setting,
            seed=seed,
            hash="",
            figures={},
            seconds=1.0,
            predictions=[line(number, dice) for number, dice in enumerate(drawn)],
        )
        for seed in range(seeds)
        for drawn in [np.random.default_rng(seed).normal(0.8 + better_by, 0.01, PATIENTS + 1)]
    ]


def line(number: int, dice: float) -> dict[str, object]:
    """The last one is of no held-out image."""
    return {
        "image_id": f"image-{number:02}",
        "patient": str(number),
        "dice": dice,
        "hd95": 1.0,
        "is_positive": True,
    }


def test_a_planted_gain_is_found_and_said_to_be_one() -> None:
    trained = [
        *cells("real", better_by=0),
        *cells("curated", better_by=0.05),
        *cells("transformed", better_by=0.02),
    ]
    comparison = Comparison(EXPERIMENT, trained, IDS)
    real, curated, moved = comparison.compared
    assert real.gain is None and curated.gain is not None
    assert curated.gain.value == pytest.approx(0.05)
    assert curated.gain.low > 0 and curated.p_holm is not None and curated.p_holm < 0.001
    told = section(comparison, "test split")
    assert f"{PATIENTS} images of {PATIENTS} patients" in told
    assert "**curated 4x of pool**" in told and "It is better" in told
    assert curated.beyond_moved is not None and moved.beyond_moved is None
    assert curated.beyond_moved.value == pytest.approx(0.03)
    value = f"{real.figures['dice'][0]:.3f}"
    assert f"| 5 | {value} | not known | {value} |" in told


def test_every_prediction_is_kept(tmp_path: Path) -> None:
    write_predictions(cells("real", better_by=0, seeds=1), tmp_path / "kept.json.gz")
    kept = json.loads(gzip.decompress((tmp_path / "kept.json.gz").read_bytes()))
    assert len(kept["images"]) == len(kept["cells"][""]) == PATIENTS + 1
    assert kept["cells"][""][0][1] == 1.0


def test_corrections_count_the_comparisons_that_were_made() -> None:
    trained = [
        *cells("real", better_by=0),
        *cells("curated", better_by=0.001),
        *cells("unfiltered", better_by=0),
        *cells("pretrained", better_by=0, seeds=1),
    ]
    _, curated, unfiltered, alone = Comparison(EXPERIMENT, trained, IDS).compared
    assert curated.gain is not None and unfiltered.gain is not None
    assert unfiltered.p_holm is not None and curated.p_holm is not None
    # The one that was named is corrected alone, the other for both.
    assert curated.p_holm == pytest.approx(curated.gain.p_value)
    assert unfiltered.p_holm >= unfiltered.gain.p_value
    assert alone.gain is None and alone.p_holm is None
