"""Reading a plain folder of images, masks and groups."""

from pathlib import Path

import pytest

from generation.datasets.folder import read_folder
from generation.datasets.parsed import Skip, SourceImage
from generation.errors import RemediableError


def lay_out(
    folder: Path, *, images: tuple[str, ...], masks: tuple[str, ...] = (), groups: str = ""
) -> Path:
    for kind, names in (("images", images), ("masks", masks)):
        (folder / kind).mkdir()
        for name in names:
            (folder / kind / name).write_bytes(b"not looked at")
    if groups:
        (folder / "groups.csv").write_text(groups)
    return folder


def parse(folder: Path) -> tuple[list[SourceImage], list[Skip]]:
    rows = list(read_folder(folder).rows)
    images = [row for row in rows if isinstance(row, SourceImage)]
    return images, [row for row in rows if isinstance(row, Skip)]


def test_without_groups_each_image_is_its_own_group(tmp_path: Path) -> None:
    images, skipped = parse(lay_out(tmp_path, images=("b.png", "a.jpg")))
    assert [(image.source_id, image.patient) for image in images] == [
        ("a.jpg", None),
        ("b.png", None),
    ]
    assert skipped == []


def test_images_of_one_group_share_their_patient(tmp_path: Path) -> None:
    groups = "file_name,group\na.png,one\nb.png,one\n"
    images, _ = parse(lay_out(tmp_path, images=("a.png", "b.png"), groups=groups))
    assert {image.patient for image in images} == {"one"}


def test_a_mask_belongs_to_the_image_of_its_name(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, images=("a.png", "b.png"), masks=("a.png", "c.png"))
    images, skipped = parse(folder)
    assert [[mask.kind for mask in image.masks] for image in images] == [["lungs"], []]
    assert skipped == [
        Skip(file="masks/c.png", what="mask", reason="has no image of the same name")
    ]


def test_every_file_that_does_not_fit_is_named(tmp_path: Path) -> None:
    groups = "file_name,group\na.png,one\ngone.png,two\nb.png,\n"
    folder = lay_out(tmp_path, images=("a.png", "b.png", "notes.txt"), groups=groups)
    images, skipped = parse(folder)
    assert [image.source_id for image in images] == ["a.png"]
    assert {(skip.file, skip.reason) for skip in skipped} == {
        ("notes.txt", "is not a PNG, JPEG or DICOM file: it is a text"),
        ("gone.png", "is listed, but its file is missing"),
        ("b.png", "its row has no group"),
        ("b.png", "has no row in groups.csv"),
    }


def test_a_file_in_two_groups_is_reported(tmp_path: Path) -> None:
    groups = "file_name,group\na.png,one\na.png,two\n"
    images, skipped = parse(lay_out(tmp_path, images=("a.png",), groups=groups))
    assert images[0].patient == "one"
    assert skipped[0].reason == "is listed again with the group 'two'"


def test_groups_without_their_column_are_refused(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, images=("a.png",), groups="file_name,patient\na.png,one\n")
    with pytest.raises(RemediableError, match=r"groups\.csv has no column 'group'"):
        read_folder(folder)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RemediableError, match="no folder images"):
        read_folder(tmp_path)
