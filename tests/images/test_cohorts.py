"""Importing cohorts: what comes in, what is reported, what a second time does."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from feedback_app.images.cohorts.services import start_import
from feedback_app.images.models import (
    Blob,
    Box,
    Cohort,
    CohortImage,
    Image,
    ImportSkip,
    Mask,
    Patient,
)
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from generation.datasets.sources import ImportOptions
from generation.datasets.splits import split_of
from tests.images.cohort_folders import (
    HEADER,
    bomb,
    grey,
    import_folder,
    lay_out,
    mask_png,
    png,
    skips,
)

pytestmark = pytest.mark.django_db


def test_images_are_stored_as_they_came(tmp_path: Path) -> None:
    content = grey()
    run = import_folder(lay_out(tmp_path, {"a.png": content}))
    assert run.state == State.SUCCEEDED
    image = CohortImage.objects.get()
    assert image.image.blob_id == hashlib.sha256(content).hexdigest()
    assert image.image.blob.read() == content


def test_a_second_import_changes_nothing_and_says_so(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.png": grey(1), "b.png": grey(2)}, masks={"a.png": mask_png()})
    assert import_folder(folder).result["added"] == {"images": 2, "masks": 1}
    before = set(Image.objects.values_list("pk", "blob_id"))
    again = import_folder(folder)
    assert (again.result["added"], again.result["unchanged"]) == ({}, 2)
    assert set(Image.objects.values_list("pk", "blob_id")) == before
    assert Mask.objects.count() == 1


def test_an_import_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.png": grey(1)})
    import_folder(folder)
    lay_out(tmp_path, {"b.png": grey(2)})
    run = import_folder(folder)
    assert (run.result["added"], run.result["unchanged"]) == ({"images": 1}, 1)


def test_the_same_run_done_twice_changes_nothing(tmp_path: Path) -> None:
    run = import_folder(lay_out(tmp_path, {"a.png": grey()}))
    Run.objects.update(state=State.QUEUED, finished_at=None)
    again = runs.execute(run.pk)
    assert again is not None
    assert (again.state, again.result["unchanged"]) == (State.SUCCEEDED, 1)
    assert Image.objects.count() == 1


def test_bad_files_are_named_and_the_others_come_in(tmp_path: Path) -> None:
    whole = grey(3, side=64)
    folder = lay_out(
        tmp_path,
        {
            "bomb.png": bomb(),
            "cut.png": whole[: len(whole) // 2],
            "empty.png": b"",
            "fine.png": grey(),
            "text.png": b"not a picture",
        },
    )
    skipped = skips(import_folder(folder))
    assert set(skipped) == {"bomb.png", "cut.png", "empty.png", "text.png"}
    assert "not a readable PNG or JPEG" in skipped["cut.png"]
    assert "60000 x 60000" in skipped["bomb.png"] or "bomb" in skipped["bomb.png"].lower()
    assert [image.source_id for image in CohortImage.objects.all()] == ["fine.png"]


def test_a_file_of_too_many_bytes_is_not_read_whole(tmp_path: Path, settings: Settings) -> None:
    settings.IMAGE_MAX_BYTES = 200
    files = {"big.png": grey(side=64), "small.png": grey(side=4)}
    skipped = skips(import_folder(lay_out(tmp_path, files)))
    assert skipped == {"big.png": "has more than the 200 bytes allowed."}


def test_sixteen_bits_are_kept_not_clipped(tmp_path: Path) -> None:
    deep = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    brighter = deep.copy()
    brighter[brighter > 300] += 1  # what clipping to 8 bits could not tell apart
    import_folder(lay_out(tmp_path, {"a.png": png(deep), "b.png": png(brighter)}))
    first, second = CohortImage.objects.all()
    assert first.image.pixels_sha256 != second.image.pixels_sha256
    stored = PIL.Image.open(io.BytesIO(first.image.blob.read()))
    assert (np.asarray(stored) == deep).all()


def test_a_mask_is_kept_as_black_and_white(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.png": grey()}, masks={"a.png": mask_png(high=1)})
    import_folder(folder)
    mask = PIL.Image.open(io.BytesIO(Mask.objects.get().blob.read()))
    assert mask.mode == "L"
    assert (np.unique(np.asarray(mask)) == [0, 255]).all()


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (mask_png(side=8), "has 8 x 8 pixels, its image 16 x 16"),
        (grey(), "grey values; a mask has two, zero and another"),
        (b"broken", "not a readable PNG or JPEG"),
    ],
)
def test_a_bad_mask_is_skipped_and_its_image_comes_in(
    tmp_path: Path, mask: bytes, reason: str
) -> None:
    run = import_folder(lay_out(tmp_path, {"a.png": grey()}, masks={"a.png": mask}))
    assert reason in skips(run)["masks/a.png"]
    assert CohortImage.objects.count() == 1
    assert not Mask.objects.exists()


def test_a_mask_that_was_put_right_comes_in_the_next_time(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.png": grey()}, masks={"a.png": mask_png(side=8)})
    import_folder(folder)
    lay_out(tmp_path, {}, masks={"a.png": mask_png()})
    assert import_folder(folder).result["added"] == {"masks": 1}


def test_changed_labels_are_reported_and_the_image_stays_as_it_was(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.png": grey()})
    (folder / "groups.csv").write_text("file_name,group\na.png,one\n")
    import_folder(folder)
    (folder / "groups.csv").write_text("file_name,group\na.png,two\n")
    assert "kept as it was" in skips(import_folder(folder))["a.png"]
    assert Patient.objects.get().source_id == "one"


def test_images_of_one_group_are_in_one_split_that_a_hash_fixes(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {f"{index}.png": grey(index) for index in range(6)})
    rows = "".join(f"{index}.png,g{index // 3}\n" for index in range(6))
    (folder / "groups.csv").write_text("file_name,group\n" + rows)
    import_folder(folder, name="x")
    for patient in Patient.objects.all():
        assert patient.split == split_of(patient.source_id, cohort="x")
        assert patient.images.count() == 3


def test_boxes_are_scaled_to_the_stored_size(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.png": grey(side=256)})
    (folder / "Data_Entry_2017.csv").write_text(f"{HEADER}\na.png,Edema,1,50,F,PA\n")
    (folder / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h]\na.png,Edema,512,256,128,64\n"
    )
    import_folder(folder, source="nih")
    box = Box.objects.get()
    assert (box.finding, box.x, box.y, box.width, box.height) == ("edema", 128, 64, 32, 16)
    import_folder(folder, source="nih")
    assert Box.objects.count() == 1


def test_boxes_around_opacities_make_a_mask_that_says_so(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.png": grey(1, side=32), "b.png": grey(2, side=32)})
    (folder / "Data_Entry_2017.csv").write_text(
        f"{HEADER}\na.png,Mass|Cardiomegaly,1,50,F,PA\nb.png,Cardiomegaly,2,50,F,PA\n"
    )
    (folder / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h]\n"
        "a.png,Mass,512,256,128,64\na.png,Cardiomegaly,0,0,512,512\nb.png,Cardiomegaly,0,0,9,9\n"
    )
    for _ in range(2):
        import_folder(folder, source="nih")
    mask = Mask.objects.get()
    assert (mask.cohort_image.source_id, mask.kind, mask.is_from_boxes) == (
        "a.png",
        "opacity",
        True,
    )
    pixels = np.asarray(PIL.Image.open(io.BytesIO(mask.blob.read())))
    rows, columns = np.nonzero(pixels)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 9, 16, 19)
    assert set(np.unique(pixels)) == {0, 255}
    counted: Any = Cohort.objects.with_counts().get()
    assert counted.mask_count == 0  # nobody has outlined anything


def test_a_missing_column_is_named_before_anything_is_written(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.png": grey()})
    (folder / "Data_Entry_2017.csv").write_text("Image Index,Finding Labels\na.png,Edema\n")
    run = import_folder(folder, source="nih")
    assert run.state == State.FAILED
    assert "no column 'Patient ID'" in run.error
    assert run.remedy
    assert not Cohort.objects.exists()
    assert not Blob.objects.exists()


def test_a_value_that_the_database_refuses_is_skipped(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.png": grey(1), "b.png": grey(2)})
    patients = f"a.png,Edema,{'9' * 300},50,F,PA\nb.png,Edema,2,50,F,PA\n"
    (folder / "Data_Entry_2017.csv").write_text(f"{HEADER}\n{patients}")
    run = import_folder(folder, source="nih")
    assert skips(run)["a.png"] == "its patient has more than 200 characters"
    assert [image.source_id for image in CohortImage.objects.all()] == ["b.png"]


def test_an_image_whose_mask_cannot_be_stored_is_not_counted(tmp_path: Path) -> None:
    files = {"a.png": grey(1), "b.png": grey(2)}
    folder = lay_out(tmp_path, files, masks={"a.png": mask_png()})
    run = import_folder(folder, options=ImportOptions(mask_kind="k" * 40))
    assert "cannot be stored" in skips(run)["a.png"]
    assert (run.result["added"], run.result["unchanged"]) == ({"images": 1}, 0)
    assert CohortImage.objects.get().source_id == "b.png"


def test_a_name_of_another_source_is_refused(tmp_path: Path) -> None:
    Cohort.objects.create(name="x", source="nih")
    run = import_folder(lay_out(tmp_path, {"a.png": grey()}))
    assert (run.state, "was imported from 'nih'" in run.error) == (State.FAILED, True)


def test_a_cancelled_import_keeps_what_came_in(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {f"{index:02}.png": grey(index) for index in range(25)})
    run = start_import("folder", folder, name="x")
    Run.objects.update(cancel_requested=True)
    runs.execute(run.pk)
    assert Run.objects.get().state == State.CANCELLED
    assert 0 < CohortImage.objects.count() < 25
    assert import_folder(folder).result["added"]["images"] > 0
    assert CohortImage.objects.count() == 25


def test_the_command_prints_what_came_in_and_what_did_not(tmp_path: Path) -> None:
    out = io.StringIO()
    folder = lay_out(tmp_path, {"a.png": grey(), "bad.png": b""})
    call_command("import_cohort", "folder", str(folder), name="x", stdout=out)
    assert "x: added 1 image; 0 images there already; 1 skipped." in out.getvalue()
    assert "skipped image: bad.png" in out.getvalue()
    call_command("import_cohort", "folder", str(folder), name="x", stdout=out)
    assert "x: nothing changed; 1 image there already; 1 skipped." in out.getvalue()


def test_the_command_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"Data_Entry_2017(.|\n)*as it is distributed"):
        call_command("import_cohort", "nih", str(tmp_path))


def test_the_command_can_leave_it_to_a_worker(tmp_path: Path) -> None:
    out = io.StringIO()
    folder = lay_out(tmp_path, {"a.png": grey()})
    call_command("import_cohort", "folder", str(folder), "--name=x", "--queue", stdout=out)
    assert "Queued as run" in out.getvalue()
    assert Run.objects.get().state == State.QUEUED


def test_a_real_cohort_with_masks_comes_in_whole(real_data: Path) -> None:
    run = import_folder(real_data / "covid_lungs", name="covid-lungs")
    assert run.result["added"] == {"images": 52, "masks": 52}
    assert skips(run) == {}
    assert Patient.objects.count() == 31


def test_a_folder_without_one_image_that_can_be_read_fails_and_keeps_its_reasons(
    tmp_path: Path,
) -> None:
    run = import_folder(lay_out(tmp_path, {"a.png": b"", "b.png": b"text"}))
    assert (run.state, run.remedy != "") == (State.FAILED, True)
    assert "Not one image of A folder of your own could be read" in run.error
    assert [skip.file for skip in ImportSkip.objects.filter(run=run)] == ["a.png", "b.png"]


def test_a_name_that_is_no_slug_is_refused_before_anything_is_queued(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="my cohort"):
        call_command("import_cohort", "folder", str(tmp_path), name="my cohort")
    assert not Run.objects.exists()
