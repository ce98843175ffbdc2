"""Kind 3: one picture, one orientation; a mask's shape is found where it was drawn."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from feedback_app.images.blobs.services import open_picture
from feedback_app.images.cohorts.mask_shapes import hardened, has_several_colours, shape_of
from feedback_app.images.cohorts.preparing import MAY_BE_INVERTED, SEVERAL_COLOURS, SMOOTH
from generation.errors import RemediableError
from tests.cases.importing import bring_in, image_counts, images, pixels_of, skips
from tests.generation.dicoms import texture

pytestmark = pytest.mark.django_db

SHAPE_PIXELS = 1_200
TURN_BACK = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_90,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_270,
}
"""What was done to an upright picture that has this EXIF orientation."""


def test_pictures_and_their_masks_lie_upright_on_one_another(hard_cases: Path) -> None:
    run = bring_in(hard_cases / "exif_read")
    assert image_counts()[:2] == (5, 5), skips(run)
    upright = pixels_of(images()["cxr_o1.jpg"].image.blob)
    for row in images().values():
        picture = pixels_of(row.image.blob)
        mask = pixels_of(row.masks.get().blob)
        assert (row.image.height, row.image.width) == picture.shape == mask.shape == (400, 300)
        assert np.abs(picture.astype(int) - upright).max() < 60
        with row.image.blob.open() as file, PIL.Image.open(file) as stored:
            assert stored.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("orientation", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
@pytest.mark.parametrize(("kind", "mode"), [("PNG", "L"), ("PNG", "I;16"), ("JPEG", "CMYK")])
def test_every_orientation_is_turned_back(orientation: int, kind: str, mode: str) -> None:
    upright = PIL.Image.fromarray(texture()[:40]).convert(mode.replace("I;16", "I"))
    if mode == "I;16":
        upright = PIL.Image.fromarray(np.asarray(upright, dtype=np.uint16) * 257)
    turned = TURN_BACK.get(orientation)
    stored = upright.transpose(turned) if turned is not None else upright
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    stored.save(file, kind, exif=exif)
    found = open_picture(file.getvalue(), name="x")
    assert found.size == upright.size
    wanted = np.asarray(upright.convert("RGB") if mode == "CMYK" else upright, dtype=int)
    got = np.asarray(found.convert("RGB") if mode == "CMYK" else found, dtype=int)
    assert np.abs(wanted - got).mean() < 8  # a JPEG of noise


def test_a_broken_exif_refuses_no_picture() -> None:
    file = io.BytesIO()
    PIL.Image.fromarray(texture()).save(file, "PNG", exif=b"Exif\0\0II")
    assert open_picture(file.getvalue(), name="x").size == (64, 64)


def test_masks_of_all_kinds_show_their_shape_or_are_refused(hard_cases: Path) -> None:
    run = bring_in(hard_cases / "masks_kinds")
    drawn = {
        name: int((pixels_of(row.masks.get().blob) > 0).sum())
        for name, row in images().items()
        if row.masks.exists()
    }
    inverted = {"inverted.png": 2_896, "palette_white_bg.png": 2_896}
    whole = {"all_black.png": 0, "all_white.png": 4_096, "smooth.png": 1_192} | inverted
    shaped = (
        *("alpha_black.png", "alpha_red.png", "alpha_white.png", "la_alpha.png"),
        *("one_bit.png", "palette_voc.png", "plain.png", "sixteen.png", "trns.png"),
        *("two_colours.png", "zero_one.png"),
    )
    assert drawn == whole | dict.fromkeys(shaped, SHAPE_PIXELS)
    refused = skips(run, "mask")
    assert refused["masks/palette_all_black.png"] == "has several values in one and the same colour"
    assert refused["masks/labels_1_2.png"] == "has 3 grey values; a mask has two, zero and another"
    assert {*refused} == {
        *("masks/labels_1_2.png", "masks/other_size.png", "masks/palette_all_black.png"),
    }
    doubtful = dict.fromkeys(("all_white.png", *inverted), MAY_BE_INVERTED)
    told = {f"masks/{name}": reason for name, reason in doubtful.items()}
    told |= {"masks/smooth.png": SMOOTH, "masks/two_colours.png": SEVERAL_COLOURS}
    assert skips(run, "warning") == told


def disc() -> np.ndarray:
    rows, columns = np.mgrid[:64, :64]
    return (rows - 30) ** 2 + (columns - 20) ** 2 < 200


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
@pytest.mark.parametrize("grey", [0, 7, 255])
def test_a_shape_in_transparency_alone_is_found(mode: str, grey: int) -> None:
    alpha = PIL.Image.fromarray(np.where(disc(), 255, 0).astype(np.uint8))
    picture = PIL.Image.new("L", (64, 64), grey).convert(mode.removesuffix("A").replace("P", "RGB"))
    picture.putalpha(alpha)
    assert (shape_of(picture.convert(mode)) == disc()).all()


def test_smooth_edges_are_cut_at_half_and_nothing_else_is() -> None:
    edge = np.clip(128 + 60 * (14 - np.hypot(*np.mgrid[-30:34, -20:44])), 0, 255).astype(np.uint8)
    noisy = edge + np.random.default_rng(0).integers(0, 9, edge.shape) * (edge < 200)
    third_label = np.where(disc(), 255, 0).astype(np.uint8)
    third_label[45:60, 45:60] = 128
    for levels, is_cut in ((edge, True), (noisy.astype(np.uint8), True), (third_label, False)):
        picture = PIL.Image.fromarray(levels)
        hard, was_cut = hardened(picture)
        assert was_cut == is_cut
        if is_cut:
            assert (shape_of(hard) == (levels > 127)).all()
        else:
            assert hard is picture


def test_colours_of_what_is_transparent_do_not_count() -> None:
    junk = np.random.default_rng(0).integers(0, 255, (64, 64, 4), dtype=np.uint8)
    junk[disc()] = 255
    junk[~disc(), 3] = 0
    assert (shape_of(PIL.Image.fromarray(junk)) == disc()).all()


def test_two_shapes_and_soft_edges_are_refused() -> None:
    both = np.zeros((64, 64, 4), dtype=np.uint8)
    both[10:30, 10:30, :3] = 255
    both[20:50, 20:50, 3] = 255
    soft = np.zeros((64, 64, 4), dtype=np.uint8)
    soft[..., 3] = np.arange(64)
    for picture, reason in ((both, "one shape in its colours"), (soft, "64 degrees of")):
        with pytest.raises(RemediableError, match=reason):
            shape_of(PIL.Image.fromarray(picture))


@pytest.mark.parametrize("kind", ["RGB", "P", "RGBA", "JPEG", "smooth"])
def test_structures_in_several_colours_are_told(kind: str) -> None:
    picture = PIL.Image.new("RGB", (128, 128))
    picture.paste("red", (8, 8, 48, 48))
    assert not has_several_colours(drawn_as(picture, kind))
    assert shape_of(hardened(drawn_as(picture, kind))[0]).any()
    for second in ("lime", "yellow", "blue"):
        picture.paste(second, (64, 64, 104, 104))
        assert has_several_colours(drawn_as(picture, kind))


@pytest.mark.parametrize("kind", ["RGB", "P", "RGBA", "JPEG"])
@pytest.mark.parametrize("ground", ["white", "blue"])
def test_a_shape_on_another_colour_than_black_is_refused(kind: str, ground: str) -> None:
    picture = PIL.Image.new("RGB", (128, 128), ground)
    picture.paste("red", (8, 8, 48, 48))
    with pytest.raises(RemediableError, match="none of them is black"):
        shape_of(hardened(drawn_as(picture, kind))[0])


def drawn_as(picture: PIL.Image.Image, kind: str) -> PIL.Image.Image:
    if kind == "smooth":
        return picture.resize((100, 100), PIL.Image.Resampling.LANCZOS)
    if kind != "JPEG":
        return picture.convert(kind)
    file = io.BytesIO()
    picture.save(file, kind, quality=92)
    return PIL.Image.open(file)
