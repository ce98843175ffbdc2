"""Cells of an experiment: what each arm learns from, planted truths, taking up again."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from generation.commands.run_folder import run_command
from generation.commands.train_cell import train
from generation.downstream.cells import phases_of, train_cell
from generation.downstream.draws import draw_balanced, drawn_images
from generation.downstream.examples import (
    CellExamples,
    Examples,
    chosen_rows,
    read_examples,
    refuse_leaks,
)
from generation.errors import RemediableError
from generation.specs import (
    ARMS,
    ARMS_OF_REAL_IMAGES,
    Arm,
    CellSpec,
    Split,
    TrainingImage,
    write_spec,
)
from generation.training.images import ImageSet
from tests.generation.cell_trainees import MASS, write_cohort

LUNGS = CellSpec(
    task="segmentation",
    arm="real",
    real="real.jsonl",
    training_ids=("0",),
    resolution=32,
    widths=(8, 16),
    max_steps=6,
    evaluate_every=3,
    batch_size=4,
)
COUNT = 4
TEST_COUNT = 120
HELD_BACK = 120


def silent(step: int, figures: Mapping[str, float]) -> None:
    pass


def row(number: int, *findings: str, split: Split = "train", path: str = "") -> TrainingImage:
    return TrainingImage(
        path=path or f"{split}-{number}.png",
        image_id=f"{split}-{number}",
        patient=f"{split}-{number}",
        split=split,
        findings=findings,
    )


def masses(count: int, *, split: Split, seed: int) -> Examples:
    """Half of them with a mass: a faint bright disc, anywhere on grey noise."""
    generator = np.random.default_rng(seed)
    pixels = generator.normal(110, 25, (count, 64, 64))
    rows, columns = np.mgrid[:64, :64]
    for image in pixels[::2]:
        x, y = generator.uniform(20, 44, 2)
        image[(rows - y) ** 2 + (columns - x) ** 2 < 8**2] += 16
    lines = tuple(row(n, *(["mass"] if n % 2 == 0 else []), split=split) for n in range(count))
    whole = torch.from_numpy(pixels.clip(0, 255).astype(np.uint8))[:, None]
    return Examples(ImageSet(whole, lines))


def noise_for(examples: Examples) -> Examples:
    """Pure noise under the labels of these."""
    generator = torch.Generator().manual_seed(7)
    shape = examples.images.pixels.shape
    pixels = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    return Examples(ImageSet(pixels, examples.rows))


def measured_auroc(arm: Arm, synthetic: Examples | None, folder: Path) -> float:
    """Mean of two seeds."""
    values = []
    for seed in range(2):
        examples = CellExamples(
            real=masses(COUNT, split="train", seed=seed),
            synthetic=synthetic,
            validation=masses(40, split="validation", seed=100),
            test=masses(TEST_COUNT, split="test", seed=200),
        )
        spec = (
            replace(MASS, arm=arm, seed=seed) if arm == "real" else with_synthetic(MASS, arm, seed)
        )
        measured, _ = train_cell(
            spec,
            examples,
            device=torch.device("cpu"),
            checkpoints=folder / f"{seed}",
            report=silent,
        )
        values.append(measured.figures["auroc"])
    return sum(values) / len(values)


def with_synthetic(spec: CellSpec, arm: Arm, seed: int = 0) -> CellSpec:
    return replace(
        spec,
        arm=arm,
        seed=seed,
        synthetic="" if arm in ARMS_OF_REAL_IMAGES else "synthetic.jsonl",
        synthetic_count=0 if arm == "real" else HELD_BACK,
        training_ids=() if arm == "synthetic" else ("0",),
    )


@pytest.fixture(scope="module")
def real_alone(tmp_path_factory: pytest.TempPathFactory) -> float:
    return measured_auroc("real", None, tmp_path_factory.mktemp("real"))


def test_held_back_real_images_as_synthetic_ones_are_a_gain(
    real_alone: float, tmp_path: Path
) -> None:
    held_back = masses(HELD_BACK, split="train", seed=300)
    assert measured_auroc("unfiltered", held_back, tmp_path) > real_alone + 0.1


def test_noise_as_synthetic_images_is_no_gain(real_alone: float, tmp_path: Path) -> None:
    noise = noise_for(masses(HELD_BACK, split="train", seed=300))
    assert measured_auroc("unfiltered", noise, tmp_path) < real_alone


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_cohort(tmp_path_factory.mktemp("cohort") / "discs")


def on_disk(spec: CellSpec, arm: Arm, cohort: tuple[Path, Path]) -> CellSpec:
    real, synthetic = cohort
    return replace(
        spec,
        arm=arm,
        real=str(real),
        training_ids=() if arm == "synthetic" else tuple(f"train-{n}" for n in range(4)),
        synthetic="" if arm in ARMS_OF_REAL_IMAGES else str(synthetic),
        synthetic_count=0 if arm == "real" else 6,
    )


def run(spec: CellSpec, folder: Path) -> tuple[dict, list[dict]]:
    folder.mkdir(exist_ok=True)
    write_spec(spec, folder / "spec.json")
    assert run_command(train, [str(folder)]) == 0
    result = json.loads((folder / "result.json").read_text())
    return result, json.loads((folder / "predictions.json").read_text())


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_tells_the_findings_of_test_images(
    arm: Arm, cohort: tuple[Path, Path], tmp_path: Path
) -> None:
    spec = replace(on_disk(MASS, arm, cohort), max_steps=4, evaluate_every=2, batch_size=4)
    result, predictions = run(spec, tmp_path)
    assert set(result["figures"]) == {
        "macro_f1",
        *(f"{name}{end}" for name in ("f1", "auroc", "average_precision") for end in ("", "_mass")),
    }
    assert [line["image_id"] for line in predictions] == [f"test-{n}" for n in range(6)]
    threshold = result["thresholds"]["mass"]
    for number, line in enumerate(predictions):
        assert line["truth"] == {"mass": int(number % 2 == 0)}
        assert line["said"] == {"mass": int(line["probability"]["mass"] >= threshold)}
        assert (line["sex"], line["age_years"]) == ("F" if number % 2 == 0 else "M", 50)


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_draws_the_masks_of_test_images(
    arm: Arm, cohort: tuple[Path, Path], tmp_path: Path
) -> None:
    result, predictions = run(on_disk(LUNGS, arm, cohort), tmp_path)
    assert result["figures"]["dice"] == pytest.approx(
        sum(line["dice"] for line in predictions) / len(predictions)
    )
    assert 0 < result["thresholds"]["lungs"] < 1
    assert all(line["is_positive"] for line in predictions) and len(predictions) == 6


def test_arms_learn_from_what_they_are_named_after(cohort: tuple[Path, Path]) -> None:
    def sizes(arm: Arm) -> list[int]:
        spec = on_disk(LUNGS, arm, cohort)
        return [len(phase) for phase in phases_of(spec, read_examples(spec))]

    assert {arm: sizes(arm) for arm in ARMS} == {
        "real": [4],
        "unfiltered": [10],
        "own_generator": [10],
        "curated": [10],
        "finetuned_curated": [10],
        "pretrained": [6, 4],
        "synthetic": [6],
        "transformed": [10],
    }


def test_transformed_copies_move_with_their_masks(cohort: tuple[Path, Path]) -> None:
    spec = on_disk(LUNGS, "transformed", cohort)
    (learnt,) = phases_of(spec, read_examples(spec))
    assert learnt.masks is not None
    originals = {
        row.image_id: mask for row, mask in zip(learnt.rows[:4], learnt.masks[:4], strict=True)
    }
    for pixels, mask in zip(learnt.images.pixels, learnt.masks, strict=True):
        assert pixels[mask > 0].float().mean() > pixels[mask == 0].float().mean() + 80
    for row, mask in zip(learnt.rows[4:], learnt.masks[4:], strict=True):
        assert not mask.equal(originals[row.image_id])


@pytest.mark.parametrize("arm", ["curated", "pretrained"])
def test_a_cell_that_was_broken_off_comes_to_the_same_figures(
    arm: Arm, cohort: tuple[Path, Path], tmp_path: Path
) -> None:
    spec = replace(on_disk(MASS, arm, cohort), max_steps=8, evaluate_every=2, batch_size=4)
    whole = run(spec, tmp_path / "whole")

    def break_off(step: int, figures: Mapping[str, float]) -> None:
        if step == 7:
            raise KeyboardInterrupt

    broken = tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt):
        train_cell(
            spec,
            read_examples(spec),
            device=torch.device("cpu"),
            checkpoints=broken / "checkpoint",
            report=break_off,
        )
    assert without_time(run(spec, broken)) == without_time(whole)


def without_time(ran: tuple[dict, list[dict]]) -> tuple[dict, list[dict]]:
    result, predictions = ran
    return {key: value for key, value in result.items() if key != "seconds"}, predictions


def test_cells_follow_from_their_seed_and_not_from_the_order_of_lines(
    cohort: tuple[Path, Path], tmp_path: Path
) -> None:
    real, _ = cohort
    turned = tmp_path / "turned.jsonl"
    turned.write_text("\n".join(reversed(real.read_text().splitlines())))
    spec = replace(on_disk(MASS, "curated", cohort), max_steps=2, evaluate_every=2)
    first, again, other = (
        run(changed, tmp_path / name)[1]
        for name, changed in (
            ("first", spec),
            ("again", replace(spec, real=str(turned))),
            ("other", replace(spec, seed=1)),
        )
    )
    assert first == again != other


def test_float32_is_as_good_as_said(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    """bfloat16 has three decimal digits; float32 figures are near, and not the same."""
    spec = replace(on_disk(MASS, "real", cohort), max_steps=1, evaluate_every=1)
    half, whole = (
        np.array([line["probability"]["mass"] for line in run(changed, tmp_path / name)[1]])
        for name, changed in (("half", spec), ("whole", replace(spec, precision="float32")))
    )
    assert half == pytest.approx(whole, abs=0.02) and (half != whole).any()


def test_draws_are_balanced_and_the_smaller_begins_the_larger() -> None:
    rows = [row(n, "mass") for n in range(20)] + [row(n) for n in range(20, 26)]
    six, twelve = (draw_balanced(rows, count, findings=("mass",), seed=3) for count in (6, 12))
    assert twelve[:6] == six
    assert sum("mass" in one.findings for one in twelve) == 6
    with pytest.raises(RemediableError, match="only 6 of none"):
        draw_balanced(rows, 14, findings=("mass",), seed=3)


def test_draws_follow_from_what_a_manifest_says_alone() -> None:
    masked = [replace(row(n), masks={"lungs": f"{n}.png"}) for n in range(12)]
    rows = [*masked, row(12), row(13)]
    drawn = drawn_images(rows, 8, findings=(), kind="lungs", seed=1)
    assert drawn == drawn_images(rows[::-1], 8, findings=(), kind="lungs", seed=1)
    assert drawn != drawn_images(rows, 8, findings=(), kind="lungs", seed=2)
    assert all(one.masks for one in drawn_images(rows, 12, findings=(), kind="lungs", seed=1))


def test_only_training_images_are_learnt_from() -> None:
    rows = [row(0), row(1, split="test")]
    assert chosen_rows(rows, ["train-0"]) == rows[:1]
    with pytest.raises(RemediableError, match="'test-1' is no image of the training split"):
        chosen_rows(rows, ["train-0", "test-1"])


@pytest.mark.parametrize("shared", ["patient", "path"])
def test_synthetic_images_of_a_held_out_patient_are_refused(shared: str) -> None:
    held_out = row(1, split="test")
    leaking = replace(row(5), **{shared: getattr(held_out, shared)})
    with pytest.raises(RemediableError, match="is held out"):
        refuse_leaks([row(4), leaking], [row(0), held_out])
    refuse_leaks([row(0)], [row(0), held_out])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arm": "curated"}, "needs synthetic images"),
        ({"synthetic": "made.jsonl"}, "has no synthetic images"),
        ({"synthetic_count": 3}, "has to be 0"),
        ({"arm": "transformed"}, "has to be above 0"),
        ({"training_ids": ()}, "has to be filled|have to be filled"),
        ({"findings": ()}, "names the findings"),
        ({"findings": ("mass", "mass")}, "names something twice"),
        ({"task": "segmentation"}, "is about no findings"),
    ],
)
def test_a_spec_that_is_none_is_refused(changes: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        replace(MASS, **changes)
