"""Transforms as specs: drawn, written to JSON, read and refused."""

import pytest

from generation.conditioning.transforms import (
    Family,
    Mirror,
    draw,
    dump,
    load,
)
from generation.errors import RemediableError

SHA = "a" * 64


def test_transforms_go_to_json_and_back() -> None:
    drawn = [
        draw("affine", 1),
        draw("elastic", 2),
        draw("thickness", 3),
        Mirror(),
        draw("place", 4, kinds=("lungs", "opacity")),
        draw("interpolate", 5, others=[("lungs", SHA)]),
    ]
    assert list(load(dump(drawn))) == drawn


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([{"family": "affine", "angle_deg": 90}], r"0.affine.angle_deg"),
        ([{"family": "flip"}], "flip"),
        ([{"family": "affine", "colour": 1}], "colour"),
        ([{"family": "elastic", "right": [], "down": []}], "4 x 4 points"),
        ([{"family": "interpolate", "kind": "lungs", "other": "x", "weight": 0.5}], "other"),
        ("no json", "cannot be used"),
    ],
)
def test_transforms_out_of_bounds_are_named(content: object, said: str) -> None:
    with pytest.raises(RemediableError, match=said):
        load(content)


def test_the_same_seed_draws_the_same_transform() -> None:
    assert draw("affine", 7) == draw("affine", 7) != draw("affine", 8)
    assert draw("elastic", 7) == draw("elastic", 7) != draw("elastic", 8)
    # Written down, so that another version of Python or this code cannot change it unseen.
    assert dump([draw("thickness", 7)]) == [
        {"family": "thickness", "kind": "lungs", "distance": -0.014}
    ]


@pytest.mark.parametrize("family", ["mirror", "place", "interpolate"])
def test_a_family_says_what_it_lacks(family: Family) -> None:
    with pytest.raises(RemediableError, match=f"{family}.*cannot be used: there is no"):
        draw(family, 1)
