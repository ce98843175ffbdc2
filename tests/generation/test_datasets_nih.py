"""Reading NIH ChestX-ray14 as it is distributed."""

from pathlib import Path

import pytest

from generation.datasets.attributes import parse_age
from generation.datasets.nih import map_findings, read_nih
from generation.datasets.parsed import Skip, SourceBox, SourceImage
from generation.errors import RemediableError
from tests.generation.nih_folders import lay_out, parse_with


def parse(folder: Path) -> tuple[list[SourceImage], list[Skip]]:
    return parse_with(folder, rsna=None)


def test_a_row_becomes_an_image_with_what_is_known_of_it(tmp_path: Path) -> None:
    row = "a.png,Edema|Pleural_Thickening,0,61,077Y,F,AP"
    images, skipped = parse(lay_out(tmp_path, row, files=("a.png",)))
    assert skipped == []
    (image,) = images
    assert image.patient == "61"
    assert image.findings == ("edema", "pleural thickening")
    assert (image.sex, image.age_years, image.view) == ("F", 77, "AP")
    assert image.source_labels["Finding Labels"] == "Edema|Pleural_Thickening"


def test_no_finding_is_an_empty_set_of_findings() -> None:
    assert map_findings(["No Finding"]) == ((), [])


def test_an_unknown_finding_is_reported_and_the_image_comes_in(tmp_path: Path) -> None:
    row = "a.png,Edema|Sneezing,0,61,77,F,AP"
    images, skipped = parse(lay_out(tmp_path, row, files=("a.png",)))
    assert images[0].findings == ("edema",)
    assert skipped == [
        Skip(file="a.png", what="label", reason="the finding 'Sneezing' is not known")
    ]


@pytest.mark.parametrize(
    ("text", "years"),
    [("58", 58), ("058Y", 58), ("011M", 0), ("030M", 2), ("003D", 0), ("414", None), ("", None)],
)
def test_ages_of_both_releases_are_whole_years(text: str, years: int | None) -> None:
    assert parse_age(text) == years


def test_a_row_without_its_file_and_a_file_without_its_row_are_skipped(tmp_path: Path) -> None:
    folder = lay_out(
        tmp_path,
        "gone.png,Edema,0,1,50,F,PA",
        "here.png,Edema,0,2,50,M,PA",
        files=("here.png", "unlisted.png"),
    )
    images, skipped = parse(folder)
    assert [image.source_id for image in images] == ["here.png"]
    assert {(skip.file, skip.reason) for skip in skipped} == {
        ("gone.png", "is listed, but its file is missing"),
        ("unlisted.png", "has no row in the data entry file"),
    }


def test_a_file_listed_twice_comes_in_once(tmp_path: Path) -> None:
    row = "a.png,Edema,0,1,50,F,PA"
    images, skipped = parse(lay_out(tmp_path, row, row, files=("a.png",)))
    assert len(images) == 1
    assert skipped[0].reason == "is listed more than once: only the first row counts"


def test_a_name_cannot_lead_out_of_the_images_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"")
    images, skipped = parse(lay_out(tmp_path, "../secret.png,Edema,0,1,50,F,PA"))
    assert images == []
    assert skipped[0].reason == "is not the name of a file in the images folder"


def test_a_box_is_a_fraction_of_the_1024_pixels_it_was_drawn_on(tmp_path: Path) -> None:
    folder = lay_out(
        tmp_path,
        "a.png,Infiltration,0,1,50,F,PA",
        files=("a.png",),
        boxes=("a.png,Infiltrate,512,256,128,64,",),
    )
    assert parse(folder)[0][0].boxes == (
        SourceBox(finding="infiltration", x=0.5, y=0.25, width=0.125, height=0.0625),
    )


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ("a.png,Edema,1000,0,128,64,", "its box does not lie within 1024 x 1024 pixels"),
        ("a.png,Edema,nan,0,128,64,", "its box does not lie within 1024 x 1024 pixels"),
        ("a.png,Edema,left,0,128,64,", "its box is not four numbers"),
        ("a.png,Sneezing,0,0,128,64,", "the finding 'Sneezing' of its box is not known"),
        ("b.png,Edema,0,0,128,64,", "its image is not listed"),
    ],
)
def test_a_bad_box_is_skipped_and_its_image_comes_in(tmp_path: Path, box: str, reason: str) -> None:
    folder = lay_out(tmp_path, "a.png,Edema,0,1,50,F,PA", files=("a.png",), boxes=(box,))
    images, skipped = parse(folder)
    assert images[0].boxes == ()
    assert [(skip.what, skip.reason) for skip in skipped] == [("box", reason)]


def test_a_csv_without_its_column_is_refused_by_the_columns_name(tmp_path: Path) -> None:
    (tmp_path / "Data_Entry_2017.csv").write_text("Image Index,Finding Labels\n")
    with pytest.raises(RemediableError, match="no column 'Patient ID'"):
        read_nih(tmp_path)


def test_a_box_list_without_its_column_is_refused_too(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, "a.png,Edema,0,1,50,F,PA", files=("a.png",))
    (folder / "BBox_List_2017.csv").write_text("Image Index,x,y,w,h\n")
    with pytest.raises(RemediableError, match=r"BBox_List_2017\.csv has no column 'Finding Label'"):
        read_nih(folder)


def test_a_folder_without_its_csv_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RemediableError, match="Data_Entry_2017"):
        read_nih(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RemediableError, match="There is no folder"):
        read_nih(tmp_path / "nowhere")


def test_a_csv_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Data_Entry_2017.csv").write_bytes(b"\xff\xfe\x00\x01\n" * 5)
    with pytest.raises(RemediableError, match="not a CSV file in UTF-8"):
        read_nih(tmp_path)


def test_images_of_the_twelve_archives_are_found(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, "a.png,Edema,0,1,50,F,PA")
    (folder / "images_012" / "images").mkdir(parents=True)
    (folder / "images_012" / "images" / "a.png").write_bytes(b"")
    assert parse(folder)[0][0].path.parent.parent.name == "images_012"


def test_of_two_files_of_one_name_the_first_counts_and_the_other_is_reported(
    tmp_path: Path,
) -> None:
    folder = lay_out(tmp_path, "a.png,Edema,0,1,50,F,PA", files=("a.png",))
    (folder / "images_001" / "images").mkdir(parents=True)
    (folder / "images_001" / "images" / "a.png").write_bytes(b"another one")
    images, skipped = parse(folder)
    assert [image.path for image in images] == [folder / "images" / "a.png"]
    assert skipped == [Skip(file="images_001/images/a.png", reason="is in another folder too")]
