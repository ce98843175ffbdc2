"""The augmentation benchmark's tables, from cells whose truth is known."""

import gzip
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from benchmarks.augmentation import covid
from benchmarks.augmentation.cells import Setting
from benchmarks.augmentation.grid import Experiment
from benchmarks.augmentation.report import Cell, Comparison, section, write_predictions
from generation.conditioning.masks import read_mask
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
    drawn = {"all lungs, drawn": dict.fromkeys(IDS, 0.625)}
    comparison = Comparison(EXPERIMENT, trained, IDS, drawn)
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
    assert "| 5 | 0.625 |" in told


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


def test_look_alikes_of_lesions_have_one_role_and_healthy_pictures_only_test(
    tmp_path: Path,
) -> None:
    folder = tmp_path / covid.FOLDER
    for name in ("images", "infection", "lungs"):
        (folder / name).mkdir(parents=True)
    lines = ["file,class"]
    for number in range(40):
        look = np.random.default_rng(number // 2).integers(0, 256, (8, 8), dtype=np.uint8)
        picture = PIL.Image.fromarray(look).resize((64, 64))
        mask = np.zeros((64, 64), dtype=bool)
        mask[20:44, 12:28] = True
        is_sick = number < 30
        picture.save(folder / "images" / f"{number:02}.png")
        for kind in ("infection", "lungs") if is_sick else ("lungs",):
            PIL.Image.fromarray(mask).save(folder / kind / f"{number:02}.png")
        lines.append(f"{number:02}.png,{covid.SICK if is_sick else covid.HEALTHY}")
    (folder / "labels.csv").write_text("\n".join(lines))
    arms = covid.arm_rows(tmp_path, tmp_path / "work")
    others = covid.generator_rows(tmp_path, tmp_path / "work")
    by_patient = {row.patient: row.split for row in arms}
    assert all(by_patient[row.patient] == row.split for row in arms)
    assert others and not by_patient.keys() & {row.patient for row in others}
    assert {len([one for one in others if one.patient == row.patient]) for row in others} == {2}
    healthy = [row for row in arms if not row.findings]
    assert {row.split for row in healthy} == {"test"}
    masks = [read_mask(Path(row.masks["opacity"]), side=64) for row in (healthy[0], others[0])]
    assert [mask.any() for mask in masks] == [False, True]
