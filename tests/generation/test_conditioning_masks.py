"""Reading masks, boxes, and the channels of a control image."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from generation.conditioning.masks import (
    ANATOMY,
    LESIONS,
    MASK_KINDS,
    WITHIN_LUNGS,
    as_kind,
    control_array,
    encode_mask,
    lungs_among,
    rasterise_boxes,
    read_control,
    read_mask,
)
from generation.errors import RemediableError
from generation.specs import MaskFile
from generation.training.images import read_grey


def png(pixels: np.ndarray) -> io.BytesIO:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    file.seek(0)
    return file


def test_the_vocabulary_keeps_its_order() -> None:
    first = ("lungs", "heart", "pneumothorax", "rib_fracture", "tube", "opacity")
    assert (*first, "lungs_without_heart") == MASK_KINDS
    assert lungs_among(["opacity", "lungs_without_heart"]) == "lungs_without_heart"
    assert lungs_among(MASK_KINDS) == "lungs" and lungs_among(["heart"]) is None
    assert not ANATOMY & LESIONS
    assert WITHIN_LUNGS < LESIONS
    assert as_kind("tube") == "tube"
    with pytest.raises(RemediableError, match="no mask kind 'liver'"):
        as_kind("liver")


def test_the_central_square_of_a_mask_is_read() -> None:
    pixels = np.zeros((4, 8), dtype=np.uint8)
    pixels[:, :3] = 255  # columns 2 to 5 are the central square
    mask = read_mask(png(pixels), side=4)
    assert mask.dtype == bool
    assert mask.tolist() == [[True, False, False, False]] * 4


def test_a_mask_is_framed_as_images_are(tmp_path: Path) -> None:
    pixels = np.zeros((90, 130), dtype=np.uint8)
    pixels[20:70, 40:101] = 255
    path = tmp_path / "a.png"
    PIL.Image.fromarray(pixels).save(path)
    for side in (32, 64, 128):
        image = read_grey(path, side=side) >= 128
        assert (read_mask(path, side=side) != image).mean() < 0.01


def test_a_margin_holds_what_lies_around_the_square() -> None:
    pixels = np.zeros((4, 8), dtype=np.uint8)
    pixels[:2, 1:4] = 255  # columns 2 to 5 are the square
    mask = read_mask(png(pixels), side=4, margin=2)
    assert (mask[2:6, 2:6] == read_mask(png(pixels), side=4)).all()
    # To the left what is there, above what goes on at the edge.
    assert mask.astype(int)[[0, 2, 4]].tolist() == [[0, 1, 1, 1, 0, 0, 0, 0]] * 2 + [[0] * 8]


def test_what_is_no_mask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RemediableError, match="other values than 0 and 255"):
        read_mask(png(np.full((4, 4), 7, dtype=np.uint8)), side=4, name="grey.png")
    with pytest.raises(RemediableError, match="other values"):
        read_mask(png(np.zeros((4, 4, 3), dtype=np.uint8)), side=4)
    with pytest.raises(RemediableError, match=r"nowhere\.png cannot be read"):
        read_mask(tmp_path / "nowhere.png", side=4)
    with pytest.raises(RemediableError, match="broken cannot be read"):
        read_mask(io.BytesIO(b"no picture"), side=4, name="broken")


def test_a_mask_is_written_and_read_again() -> None:
    mask = np.random.default_rng(0).random((16, 16)) > 0.5
    assert (read_mask(io.BytesIO(encode_mask(mask)), side=16) == mask).all()


def test_a_pixel_belongs_to_the_box_that_has_its_centre() -> None:
    mask = rasterise_boxes([(1, 0, 2, 1), (0.6, 1.5, 1, 1)], size=(4, 3))
    assert mask.astype(int).tolist() == [[0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert not rasterise_boxes([], size=(4, 3)).any()


def test_a_control_array_has_a_channel_a_kind() -> None:
    lungs = np.array([[True, False, False]] * 2)
    opacity = np.array([[False, True, False]] * 2)
    control = control_array({"opacity": opacity, "lungs": lungs}, (3, 2))
    assert (control.dtype, control.shape) == (np.float32, (7, 2, 3))
    assert (control[0] == lungs).all()
    assert (control[5] == opacity).all()
    assert not control[1:5].any()
    assert not control_array({}, (3, 2)).any()


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(RemediableError, match="mask of rib fracture has 3 x 2 pixels"):
        control_array({"rib_fracture": np.zeros((2, 3), dtype=bool)}, (3, 3))


def test_a_recipes_mask_files_become_its_control_image(tmp_path: Path) -> None:
    mask = np.eye(8, dtype=bool)
    path = tmp_path / "heart.png"
    path.write_bytes(encode_mask(mask))
    control = read_control([MaskFile(kind="heart", path=str(path))], (8, 8))
    assert (control[1] == mask).all()
    assert control.sum() == 8
    with pytest.raises(RemediableError, match="framed to squares"):
        read_control([], (8, 16))
