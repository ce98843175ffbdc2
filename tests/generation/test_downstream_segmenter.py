"""The segmenter: framing, augmentation, training that stops and goes on, pseudo-masks."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from generation.downstream.augmentation import augment_together
from generation.downstream.confidence import Calibration
from generation.downstream.figures import dice_by_chance
from generation.downstream.framing import MaskedSet, load_masked, unframe
from generation.downstream.pseudo_masks import pseudo_masks
from generation.downstream.segmenter import Segmenter, summarise, train_segmenter
from generation.downstream.shapes import Plausibility, without_specks
from generation.errors import RemediableError
from generation.specs import SegmenterSpec, TrainingImage
from generation.statistics.overlap import dice

SPEC = SegmenterSpec(
    manifest="", resolution=32, widths=(8, 16), max_steps=60, evaluate_every=10, batch_size=8
)


def silent(step: int, figures: Mapping[str, float]) -> None:
    pass


def write_discs(folder: Path, count: int) -> list[TrainingImage]:
    """Bright discs on grey, with the discs as masks; every fourth for validation."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :64]
    lines = []
    for number in range(count):
        x, y, radius = (*generator.uniform(22, 42, 1), *generator.uniform(18, 30, 1), 10)
        disc = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
        noise = generator.normal(0, 8, disc.shape)
        image, mask = folder / f"{number}.png", folder / f"{number}-mask.png"
        Image.fromarray((80 + 120 * disc + noise).clip(0, 255).astype(np.uint8)).save(image)
        Image.fromarray((disc * 255).astype(np.uint8)).save(mask)
        lines.append(
            TrainingImage(
                path=str(image),
                image_id=image.name,
                patient=str(number),
                split="validation" if number % 4 == 0 else "train",
                masks={"lungs": str(mask)},
            )
        )
    return lines


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> tuple[MaskedSet, MaskedSet]:
    lines = write_discs(tmp_path_factory.mktemp("data") / "discs", 24)
    training, validation = (
        load_masked(lines, kind="lungs", split=split, resolution=SPEC.resolution)
        for split in ("train", "validation")
    )
    return training, validation


def train(discs: tuple[MaskedSet, MaskedSet], checkpoint: Path, spec: SegmenterSpec) -> Segmenter:
    training, validation = discs
    return train_segmenter(
        training,
        validation,
        spec,
        device=torch.device("cpu"),
        checkpoint=checkpoint,
        report=silent,
    )[0]


@pytest.fixture(scope="module")
def trained(
    discs: tuple[MaskedSet, MaskedSet], tmp_path_factory: pytest.TempPathFactory
) -> Segmenter:
    return train(discs, tmp_path_factory.mktemp("trained") / "state.pt", SPEC)


def test_it_learns_to_draw_what_the_masks_show(
    trained: Segmenter, discs: tuple[MaskedSet, MaskedSet]
) -> None:
    figures = summarise(trained, discs[1])
    assert figures["dice_mean"] == pytest.approx(trained.config.validation_dice, abs=1e-6)
    assert figures["dice_mean"] > 0.8


def test_what_was_saved_draws_the_same_masks(trained: Segmenter, tmp_path: Path) -> None:
    trained.save(tmp_path)
    loaded = Segmenter.load(tmp_path)
    image = np.random.default_rng(1).integers(0, 256, (40, 40), dtype=np.uint8)
    assert torch.equal(loaded.probabilities([image]), trained.probabilities([image]))
    assert loaded.config == trained.config


def test_a_training_that_was_broken_off_comes_to_the_same_weights(
    discs: tuple[MaskedSet, MaskedSet], tmp_path: Path
) -> None:
    spec = replace(SPEC, max_steps=4, evaluate_every=2)
    whole = train(discs, tmp_path / "whole.pt", spec)

    def break_off(step: int, figures: Mapping[str, float]) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_segmenter(
            *discs,
            spec,
            device=torch.device("cpu"),
            checkpoint=tmp_path / "broken.pt",
            report=break_off,
        )
    resumed = train(discs, tmp_path / "broken.pt", spec)
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name])


def test_what_looks_at_no_image_is_as_good_as_the_best_of_its_masks() -> None:
    """The left half is mask in both training masks, the lower left quarter in one more."""
    learnt = torch.zeros(2, 4, 4, dtype=torch.bool)
    learnt[:, :, :2] = True
    quarter = torch.zeros(1, 4, 4, dtype=torch.bool)
    quarter[:, :2, :2] = True
    assert dice_by_chance(learnt, learnt) == pytest.approx(1)
    assert dice_by_chance(learnt, quarter) == pytest.approx(2 * 4 / (8 + 4))
    assert dice_by_chance(learnt, torch.zeros(1, 4, 4, dtype=torch.bool)) == pytest.approx(1)


def test_a_manifest_without_masks_of_the_kind_is_refused(tmp_path: Path) -> None:
    lines = write_discs(tmp_path / "discs", 2)
    with pytest.raises(RemediableError, match="'heart'"):
        load_masked(lines, kind="heart", split="train", resolution=32)


def test_a_folder_without_a_segmenter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RemediableError, match="holds no segmenter"):
        Segmenter.load(tmp_path)


def test_masks_move_with_their_images() -> None:
    square = torch.zeros(4, 1, 64, 64, dtype=torch.uint8)
    square[:, :, 20:44, 20:44] = 255
    images, masks = augment_together(square, square, torch.Generator().manual_seed(0))
    assert masks is not None and images.shape == masks.shape == (4, 1, 32, 32)
    for image, mask in zip(images, masks, strict=True):
        assert image[mask > 0].mean() > image[mask == 0].mean() + 0.5


def test_dice_counts_the_overlap_twice() -> None:
    first, second = torch.zeros(2, 2, 4, 4, dtype=torch.bool)
    first[0, :2] = True  # 8 pixels
    second[0, 1:2] = True  # 4 of them
    assert dice(first, second).tolist() == pytest.approx([2 * 4 / 12, 1.0])


def test_a_calibration_is_the_line_of_least_squares() -> None:
    line = Calibration.fit(torch.tensor([0.6, 0.8, 1.0]), torch.tensor([0.4, 0.8, 0.9]))
    assert line.slope == pytest.approx(1.25)
    assert line.expected_dice(torch.tensor([0.8, 0.0])).tolist() == pytest.approx([0.7, 0.0])


def test_a_mask_is_put_back_where_its_square_was() -> None:
    whole = unframe(torch.ones(8, 8), width=20, height=10)
    assert whole[:, 5:15].all() and not whole[:, :5].any() and not whole[:, 15:].any()


def test_specks_and_holes_are_cleaned_away() -> None:
    mask = np.zeros((40, 40), bool)
    mask[5:20, 5:20] = True
    mask[10, 10] = False
    mask[30, 30] = True
    cleaned = without_specks(mask)
    assert cleaned[10, 10] and not cleaned[30, 30]


def test_a_mask_of_one_part_is_not_plausible_where_real_ones_have_two() -> None:
    two = np.zeros((40, 40), bool)
    two[10:30, 5:15] = two[10:30, 25:35] = True
    one = two.copy()
    one[10:30, 25:35] = False
    uneven = two.copy()
    uneven[14:30, 25:35] = False
    rule = Plausibility.of([two])
    assert rule.holds_for(two) and not rule.holds_for(one) and not rule.holds_for(uneven)


def test_of_too_many_parts_the_largest_are_kept() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:30, 5:15] = mask[10:30, 25:35] = True
    spotted = mask.copy()
    spotted[33:38, 0:5] = True
    assert (Plausibility.of([mask]).clean(spotted) == mask).all()


def test_pseudo_masks_have_their_images_sizes_and_a_confidence(
    trained: Segmenter, discs: tuple[MaskedSet, MaskedSet]
) -> None:
    clear = np.asarray(Image.open(discs[1].images.rows[0].path))
    nothing = np.full((48, 64), 80, np.uint8)
    sure, unsure = pseudo_masks(trained, [clear, nothing])
    assert sure.mask.shape == clear.shape and sure.is_usable
    assert not unsure.is_usable
