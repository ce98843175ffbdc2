"""How well both sides follow the same masks, by hand, and with the segmenter that is bundled."""

import numpy as np
import pytest

from generation.diffusion.loading import BUNDLED_FOLDER
from generation.downstream.segmenter import Segmenter
from generation.quality.gate_rules import MASK_FIDELITY
from generation.quality.mask_following import Following, MaskedPictures, as_changes, mask_figures
from tests.generation.chests import chest_picture, moved_lungs

EVERYTHING = np.arange(3)


def test_masks_of_one_patient_are_not_shuffled_among_each_other() -> None:
    dice = np.array([[0.9, 0.8, 0.4], [0.8, 0.7, 0.2], [0.5, 0.3, 1.0]])
    following = Following.of(dice, patients=["a", "a", "b"])
    assert following.matched.tolist() == [0.9, 0.7, 1.0]
    assert following.shuffled.tolist() == pytest.approx([0.4, 0.2, 0.4])
    # (2.6 / 3 - 1 / 3) / (1 - 1 / 3)
    assert following.specific(EVERYTHING) == pytest.approx(0.8)
    assert following.specific(np.array([0, 1])) == pytest.approx((0.8 - 0.3) / 0.7)


def test_images_that_follow_other_patients_masks_lie_behind_those_that_follow_their_own() -> None:
    masks = [moved_lungs(shift) for shift in (-14, -5, 5, 14)]
    own = [chest_picture(mask, seed=number) for number, mask in enumerate(masks)]
    pictures = MaskedPictures(
        child=own[1:] + own[:1], parent=own, masks={"lungs": masks}, patients=range(4)
    )
    segmenter = Segmenter.load(BUNDLED_FOLDER / "proxy" / "segmenter")
    found = mask_figures({"m2i": pictures}, {"lungs": segmenter})
    row = found["modes"]["m2i"]
    assert (found["patients"], row["images"]) == (4, 4)
    assert row["parent"]["specific"]["low"] > 0.2
    assert row["child"]["specific"]["value"] < 0
    change = as_changes(found)[MASK_FIDELITY["m2i"].name]
    assert change["change"]["value"] == pytest.approx(change["child"] - change["parent"])
    assert change["change"]["value"] < -0.5
