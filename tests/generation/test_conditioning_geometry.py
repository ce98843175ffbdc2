"""Transforms of masks: values found by hand, and what holds for every seed."""

import hashlib
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from generation.conditioning.geometry import (
    apply,
    bend,
    box_of,
    interpolate,
    mirror,
    move_picture,
    place,
    signed_distance,
    thicken,
    turn,
)
from generation.conditioning.masks import LESIONS, Mask, margin_of, read_mask
from generation.conditioning.plausibility import (
    AREA_LIMITS,
    MAX_LEFT,
    ImplausibleMask,
    outside_share,
    parts_of,
)
from generation.conditioning.transforms import (
    GRID_POINTS,
    Affine,
    Elastic,
    Family,
    Interpolate,
    Mirror,
    Place,
    Thickness,
    draw,
    dump,
    load,
)
from generation.conditioning.variants import Parent, transformed_set, variants
from generation.errors import RemediableError
from generation.specs import MaskKind
from tests.generation.chests import block, chest, dot, ellipse

STILL = ((0.0,) * GRID_POINTS,) * GRID_POINTS
BENT = ((0.02,) * GRID_POINTS,) * GRID_POINTS
SHA = "a" * 64


# By hand


def test_nothing_changes_without_a_change() -> None:
    masks = chest()
    still = apply([Affine(), Elastic(right=STILL, down=STILL)], masks)
    assert all((still[kind] == mask).all() for kind, mask in masks.items())


def test_a_shift_moves_by_a_share_of_the_side() -> None:
    moved = turn(block(100, np.s_[40:60], np.s_[30:50]), Affine(shift_x=0.04, shift_y=-0.02))
    assert (moved == block(100, np.s_[38:58], np.s_[34:54])).all()


def test_scaling_grows_about_the_centre() -> None:
    grown = turn(block(100, np.s_[30:70], np.s_[30:70]), Affine(scale_x=1.1, scale_y=0.9))
    assert (grown == block(100, np.s_[32:68], np.s_[28:72])).all()


def test_a_positive_angle_turns_clockwise() -> None:
    # A bar to the right of the centre goes down: at 40 pixels by 40 tan 7 deg = 4.9.
    bar = block(101, np.s_[49:52], np.s_[51:96])
    rows, columns = np.nonzero(turn(bar, Affine(angle_deg=7)))
    at_90 = rows[columns == 90].mean()
    assert at_90 == pytest.approx(50 + 40 * np.tan(np.radians(7)), abs=0.6)


def test_shear_pushes_what_is_low_to_the_right() -> None:
    pillar = block(101, np.s_[10:91], np.s_[48:53])
    sheared = turn(pillar, Affine(shear=0.05))
    rows, columns = np.nonzero(sheared)
    assert columns[rows == 90].mean() == pytest.approx(50 + 0.05 * 40, abs=0.6)
    assert columns[rows == 10].mean() == pytest.approx(50 - 0.05 * 40, abs=0.6)


def test_an_even_displacement_is_a_shift() -> None:
    moved = bend(block(100, np.s_[40:60], np.s_[30:50]), Elastic(right=BENT, down=STILL))
    assert (moved == block(100, np.s_[40:60], np.s_[32:52])).all()


def test_what_the_frame_cuts_goes_on_beyond_it() -> None:
    cut = block(100, np.s_[40:60], np.s_[0:30])
    moved = turn(cut, Affine(shift_x=0.04))
    assert (moved == block(100, np.s_[40:60], np.s_[0:34])).all()


def test_a_dilation_reaches_a_distance_in_every_direction() -> None:
    grown = thicken(dot(100, (50, 50)), distance_px=2)
    # Within 2 pixels: 1 + 4 at 1 + 4 at sqrt 2 + 4 at 2.
    assert grown.sum() == 13
    assert grown[52, 50] and grown[51, 51] and not grown[52, 51]


def test_an_erosion_takes_as_much_from_every_side() -> None:
    thin = thicken(block(100, np.s_[40:60], np.s_[40:60]), distance_px=-2)
    assert (thin == block(100, np.s_[42:58], np.s_[42:58])).all()
    # Not from where the frame cuts it.
    cut = thicken(block(100, np.s_[0:20], np.s_[40:60]), distance_px=-2)
    assert (cut == block(100, np.s_[0:18], np.s_[42:58])).all()


def test_signed_distance_is_positive_within() -> None:
    line = block(5, np.s_[:], np.s_[0:2])
    assert signed_distance(line)[0].tolist() == [2, 1, -1, -2, -3]


def test_half_way_between_two_blocks_lies_the_middle() -> None:
    left = block(40, np.s_[10:30], np.s_[4:20])
    right = block(40, np.s_[10:30], np.s_[12:28])
    between = interpolate(left, right, weight=0.5)
    columns = np.flatnonzero(between[20])
    # The border lies where both distances cancel: 4 pixels in, 4 pixels before the other.
    assert (columns[0], columns[-1]) == (8, 23)
    assert (interpolate(left, right, weight=0.01) == left).mean() > 0.98


def test_a_mirrored_lesion_lies_at_the_same_place_of_the_other_lung() -> None:
    # Lungs of 20 x 60 and 10 x 30 pixels; a lesion at a quarter across, half down.
    lungs = block(100, np.s_[20:80], np.s_[10:30]) | block(100, np.s_[30:60], np.s_[60:70])
    lesion = block(100, np.s_[44:56], np.s_[12:18])
    masks: dict[MaskKind, Mask] = {"lungs": lungs, "opacity": lesion}
    mirrored = mirror(masks)
    assert (mirrored["lungs"] == lungs).all()
    rows, columns = box_of(mirrored["opacity"])
    # Columns 12 to 18 of 10 to 30 are 0.1 to 0.4 across, mirrored 0.6 to 0.9: 66 to 69.
    assert (columns.start, columns.stop) == (66, 69)
    assert (rows.start, rows.stop) == (42, 48)


def test_lesions_of_both_sides_are_exchanged() -> None:
    lungs = block(100, np.s_[20:80], np.s_[10:40]) | block(100, np.s_[20:80], np.s_[60:90])
    low = block(100, np.s_[60:70], np.s_[20:30])
    high = block(100, np.s_[30:36], np.s_[70:80])
    mirrored = mirror({"lungs": lungs, "opacity": low | high})["opacity"]
    expected = block(100, np.s_[60:70], np.s_[70:80]) | block(100, np.s_[30:36], np.s_[20:30])
    assert (mirrored == expected).all()


def test_an_opacity_is_placed_unchanged_next_to_the_wanted_point() -> None:
    lungs = block(100, np.s_[20:80], np.s_[10:40]) | block(100, np.s_[20:80], np.s_[60:90])
    opacity = block(100, np.s_[30:40], np.s_[15:25])
    middle = place(opacity, lungs, Place(side="right", across=0.5, down=0.5))
    assert (middle == block(100, np.s_[45:55], np.s_[70:80])).all()
    corner = place(opacity, lungs, Place(side="right", across=1, down=0))
    assert (corner == block(100, np.s_[20:30], np.s_[80:90])).all()


def test_what_the_frame_cuts_comes_in_whole_from_the_margin() -> None:
    beyond = block(120, np.s_[40:60], np.s_[7:40])  # the frame begins at 10
    moved = apply([Affine(shift_x=0.04)], {"opacity": beyond}, margin=10)["opacity"]
    assert (moved == block(100, np.s_[30:50], np.s_[1:34])).all()
    even = Elastic(right=BENT, down=STILL)
    assert (apply([even], {"opacity": beyond}, margin=10)["opacity"]).sum() == 20 * 32


# Refusals


@pytest.mark.parametrize(
    ("masks", "transform", "said"),
    [
        (
            {
                "lungs": block(100, np.s_[20:80], np.s_[20:47])
                | block(100, np.s_[20:80], np.s_[50:80])
            },
            Thickness(kind="lungs", distance=0.02),
            "'thickness' is refused: the mask of lungs has run together into 1 part instead of 2",
        ),
        (
            {"lungs": block(100, np.s_[2:80], np.s_[20:40])},
            Affine(shift_y=-0.04),
            "lungs is cut by the upper edge",
        ),
        (
            {"opacity": block(100, np.s_[40:42], np.s_[40:80])},
            Thickness(kind="opacity", distance=-0.02),
            "opacity is empty",
        ),
        (
            {"opacity": block(100, np.s_[40:46], np.s_[40:46])},
            Thickness(kind="opacity", distance=0.02),
            None,
        ),
        (
            {"tube": block(100, np.s_[40:42], np.s_[20:80])},
            Thickness(kind="tube", distance=0.02),
            "tube has 310% of its area before, which may be 50% to 200%",
        ),
        (
            {
                "lungs": block(100, np.s_[20:80], np.s_[10:40]),
                "opacity": block(100, np.s_[40:50], np.s_[12:38]),
            },
            Thickness(kind="opacity", distance=0.02),
            None,
        ),
        (
            {
                "lungs": block(100, np.s_[20:80], np.s_[10:40]),
                "opacity": block(100, np.s_[40:44], np.s_[10:40]),
            },
            Thickness(kind="opacity", distance=0.02),
            "opacity leaves the lungs with",
        ),
        (
            {"lungs": block(100, np.s_[20:80], np.s_[10:40]), "opacity": dot(100, (30, 30))},
            Mirror(),
            "does not show two",
        ),
        ({"opacity": dot(100, (30, 30))}, Mirror(), "there is no mask of lungs"),
        ({"lungs": dot(100, (30, 30))}, Mirror(), "there is no lesion"),
        ({"opacity": dot(9, (3, 3)), "tube": dot(9, (3, 3))}, Mirror(), "tube would stay"),
        ({"lungs": dot(9, (3, 3))}, Place(side="left", across=0, down=0), "no mask of opacity"),
        (
            {
                "lungs": block(100, np.s_[20:80], np.s_[10:40])
                | block(100, np.s_[20:80], np.s_[60:65]),
                "opacity": block(100, np.s_[40:50], np.s_[20:30]),
            },
            Place(side="right", across=0.5, down=0.5),
            "fits nowhere into the right lung",
        ),
        (
            {"lungs": dot(9, (3, 3))},
            Interpolate(kind="lungs", other=SHA, weight=0.5),
            "mask aaaaaaaaaa is not at hand",
        ),
    ],
)
def test_what_no_chest_shows_is_refused_and_named(
    masks: dict[MaskKind, Mask], transform: Affine, said: str | None
) -> None:
    if said is None:
        apply([transform], masks)
        return
    with pytest.raises(ImplausibleMask, match=said):
        apply([transform], masks)


def test_a_mask_that_is_empty_or_full_is_refused_as_it_is() -> None:
    with pytest.raises(ImplausibleMask, match="The mask is refused: the mask of lungs is empty"):
        apply([], {"lungs": np.zeros((8, 8), dtype=bool)})
    with pytest.raises(ImplausibleMask, match="covers the whole picture"):
        apply([], {"lungs": np.ones((8, 8), dtype=bool)})


def test_small_steps_do_not_add_up_to_a_large_one() -> None:
    masks: dict[MaskKind, Mask] = {"tube": block(100, np.s_[40:46], np.s_[20:80])}
    once = Thickness(kind="tube", distance=0.0151)
    apply([once], masks)
    with pytest.raises(ImplausibleMask, match="tube has"):
        apply([once, once, once], masks)


# For every seed


def assert_plausible(masks: Mapping[MaskKind, Mask], parents: Mapping[MaskKind, Mask]) -> None:
    for kind, mask in masks.items():
        ratio = mask.sum() / parents[kind].sum()
        assert AREA_LIMITS[kind][0] <= ratio <= AREA_LIMITS[kind][1]
        if kind not in LESIONS:
            assert len(parts_of(mask)) == len(parts_of(parents[kind]))
    if "opacity" in masks:
        assert outside_share(masks["opacity"], masks["lungs"]) <= MAX_LEFT


@pytest.mark.parametrize("family", ["affine", "elastic", "thickness", "mirror", "place"])
def test_transforms_of_many_seeds_stay_plausible(family: Family) -> None:
    masks = chest(128)
    refused = 0
    for seed in range(40):
        transform = draw(family, seed, kinds=tuple(masks))
        try:
            once, again = (apply([transform], masks) for _ in range(2))
        except ImplausibleMask:
            refused += 1
            continue
        assert all((once[kind] == again[kind]).all() for kind in masks)
        assert_plausible(once, masks)
        assert any((once[kind] != masks[kind]).any() for kind in masks)
    assert refused <= 4


def test_anatomy_and_lesion_move_together() -> None:
    masks = chest()
    for seed in range(20):
        together = apply([draw("affine", seed), draw("elastic", seed)], masks)
        # What was in the lung, off its edge, is in the lung still.
        assert outside_share(together["opacity"], together["lungs"]) < 0.01


def test_interpolated_lungs_are_two_still() -> None:
    masks: dict[MaskKind, Mask] = {"lungs": chest()["lungs"]}
    other = ellipse(96, x=0.32, y=0.45, width=0.13, height=0.28)
    other |= ellipse(96, x=0.72, y=0.47, width=0.16, height=0.3)
    for seed in range(30):
        transform = draw("interpolate", seed, others=[("lungs", SHA)])
        assert_plausible(apply([transform], masks, others={SHA: other}), masks)


def parent_of(masks: dict[MaskKind, Mask]) -> Parent:
    hashes = {kind: hashlib.sha256(mask.tobytes()).hexdigest() for kind, mask in masks.items()}
    return Parent(masks, hashes)


def test_a_parents_variants_do_not_depend_on_the_other_parents() -> None:
    parent = parent_of(chest(64))
    one = next(variants(parent, ["elastic", "affine"], seed=3, others={}))
    assert [transform.family for transform in one.transforms] == ["affine", "elastic"]
    (_, same), _ = transformed_set(
        [parent, parent_of({"lungs": chest(64)["lungs"]})], ["affine", "elastic"], size=2, seed=3
    )
    assert same.transforms == one.transforms


def test_a_mask_without_any_plausible_variant_is_named() -> None:
    hopeless = parent_of({"lungs": block(64, np.s_[1:60], np.s_[1:62])})
    with pytest.raises(RemediableError, match="No plausible variant of mask"):
        transformed_set([hopeless], ["affine"], size=50, seed=1)
    with pytest.raises(RemediableError, match="no masks"):
        transformed_set([], ["affine"], size=1, seed=1)


# Real masks


@pytest.fixture(scope="module")
def real_parents(real_data: Path) -> list[Parent]:
    files = sorted((real_data / "covid_lungs" / "masks").glob("*.png"))
    return [
        Parent(
            {"lungs": read_mask(path, side=96, margin=margin_of(96))},
            {"lungs": hashlib.sha256(path.read_bytes()).hexdigest()},
            margin_of(96),
        )
        for path in files
    ]


def test_a_hundred_variants_of_real_lungs_are_plausible_and_differ(
    real_parents: list[Parent],
) -> None:
    families: tuple[Family, ...] = ("affine", "elastic")
    made = transformed_set(real_parents, families, size=100, seed=1)
    assert len({variant.masks["lungs"].tobytes() for _, variant in made if variant.masks}) == 100
    for parent, variant in made:
        assert variant.masks is not None
        assert_plausible(variant.masks, parent.framed)
        again = apply(load(dump(variant.transforms)), parent.masks, margin=parent.margin)
        assert (again["lungs"] == variant.masks["lungs"]).all()


def test_few_of_the_transforms_of_real_lungs_are_refused(real_parents: list[Parent]) -> None:
    shares: dict[Family, float] = {"affine": 0.45, "elastic": 0.3, "thickness": 0.2}
    for family, most in shares.items():
        drawn = [
            variant
            for parent in real_parents
            for variant in islice(variants(parent, [family], seed=5, others={}), 2)
        ]
        refused = [variant.refusal for variant in drawn if variant.masks is None]
        assert len(refused) <= most * len(drawn), refused


def test_pictures_move_as_their_masks_do() -> None:
    transforms = (draw("affine", 3), draw("elastic", 3))
    lungs = chest()["lungs"]
    (moved,) = apply(transforms, {"lungs": lungs}).values()
    picture = move_picture(transforms, np.where(lungs, np.uint8(255), np.uint8(0)))
    assert ((picture >= 128) != moved).mean() < 0.01 and (moved != lungs).mean() > 0.01


def test_a_transform_of_masks_alone_moves_no_picture() -> None:
    with pytest.raises(RemediableError, match="'thickness' changes a mask"):
        move_picture([Thickness(kind="lungs", distance=0.01)], np.zeros((32, 32), np.uint8))
