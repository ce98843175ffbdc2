"""Figures of what candidates show, by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch

from generation.quality.fidelity import mask_fidelity
from generation.quality.mask_sheet import (
    COLUMNS,
    TILE_PX,
    read_mask_sheet,
    write_mask_sheet,
)
from generation.statistics.intervals import share
from generation.statistics.overlap import dice_matrix
from generation.statistics.ranking import auroc_of_groups


def strips(*columns: range) -> torch.Tensor:
    """Masks of 1 x 8 with these columns."""
    masks = torch.zeros(len(columns), 1, 8, dtype=torch.bool)
    for mask, chosen in zip(masks, columns, strict=True):
        mask[0, list(chosen)] = True
    return masks


def test_dice_of_every_pair_by_hand() -> None:
    drawn = strips(range(4), range(0))
    given = strips(range(4), range(2, 6), range(0))
    assert dice_matrix(drawn, given).tolist() == [[1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]


def test_fidelity_is_how_far_matched_lies_from_shuffled_to_perfect() -> None:
    drawn = strips(range(4), range(2, 6))
    given = strips(range(4), range(3, 7))
    fidelity = mask_fidelity(drawn, given)
    # Dice: matched 1 and 6/8; shuffled 2/8 and 4/8.
    assert fidelity.matched.value == pytest.approx(0.875)
    assert fidelity.shuffled.value == pytest.approx(0.375)
    assert fidelity.specific.value == pytest.approx(0.8)
    assert 0.75 <= fidelity.matched.low <= fidelity.matched.value <= fidelity.matched.high <= 1


def test_one_average_lung_for_every_mask_has_no_fidelity_of_its_own() -> None:
    given = torch.rand(40, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5
    drawn = (given.float().mean(0) > 0.45).expand_as(given)
    fidelity = mask_fidelity(drawn, given)
    assert fidelity.matched.value > 0.5
    assert abs(fidelity.specific.value) < 0.05


def test_auroc_by_hand_with_an_interval_around_it() -> None:
    found = auroc_of_groups(np.array([0.9, 0.4]), np.array([0.5, 0.1]))
    assert found.value == 0.75  # three of four pairs are in order
    assert found.low <= 0.75 <= found.high


def test_wilson_interval_of_none_of_ten() -> None:
    """Newcombe 1998: 0 of 10 gives 0 to 0.2775."""
    found = share(0, 10)
    assert (found.value, found.low) == (0, pytest.approx(0, abs=1e-9))
    assert found.high == pytest.approx(0.2775, abs=1e-4)


def test_a_sheet_of_masks_comes_back_in_order(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    masks = generator.random((2 * COLUMNS, TILE_PX, TILE_PX)) > 0.5
    write_mask_sheet(list(masks), tmp_path / "masks.png")
    assert (read_mask_sheet(tmp_path / "masks.png") == masks).all()
