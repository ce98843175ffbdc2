"""MIMIC-CXR-JPG as it is distributed, with the masks of CheXmask."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from feedback_app.images.models import (
    CohortImage,
    Mask,
    Patient,
)
from feedback_app.runs.models import State
from generation.datasets.labels import COLUMNS
from generation.datasets.parsed import MISSING
from generation.datasets.rle import encode_chexmask
from generation.datasets.sources import ImportOptions
from tests.generation.dicoms import gradient, jpeg, write
from tests.images.cohort_folders import import_folder, import_from, pixels_of, reasons

pytestmark = pytest.mark.django_db

MIMIC_IMAGES = (("10000032", "50414267", "aaa-1"), ("10000032", "50414267", "aaa-2"),
                ("10000764", "57375967", "bbb-1"), ("10000898", "50771383", "ccc-1"))  # fmt: skip


@pytest.fixture
def mimic(tmp_path: Path) -> Path:
    folder = tmp_path / "mimic"
    for seed, (subject, study, name) in enumerate(MIMIC_IMAGES[:3]):
        path = f"files/p{subject[:2]}/p{subject}/s{study}/{name}.jpg"
        write(folder, {path: jpeg(gradient(seed=seed))})
    views = ("PA", "LATERAL", "AP", "PA")
    metadata = "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,"
    metadata += "Columns,StudyDate,StudyTime\n" + "".join(
        f"{name},{subject},{study},CHEST,{view},64,64,21800506,120000.5\n"
        for (subject, study, name), view in zip(MIMIC_IMAGES, views, strict=True)
    )
    with gzip.open(folder / "mimic-cxr-2.0.0-metadata.csv.gz", "wt") as file:
        file.write(metadata)
    labels = {"50414267": {"No Finding": "1.0"}, "57375967": {"Edema": "-1.0", "Fracture": "1.0"}}
    rows = [
        ",".join([subject, study, *(labels[study].get(name, "") for name in COLUMNS)])
        for subject, study in (("10000032", "50414267"), ("10000764", "57375967"))
    ]
    header = ",".join(["subject_id", "study_id", *COLUMNS])
    (folder / "mimic-cxr-2.0.0-chexpert.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "mimic-cxr-2.0.0-split.csv").write_text(
        "dicom_id,study_id,subject_id,split\n"
        + "".join(f"{name},{study},{subject},train\n" for subject, study, name in MIMIC_IMAGES)
    )
    (folder / "hosp").mkdir()
    (folder / "hosp" / "patients.csv").write_text(
        "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod\n"
        "10000032,F,52,2180,2014 - 2016,\n10000764,M,86,2182,2014 - 2016,\n"
    )
    (folder / "hosp" / "admissions.csv").write_text(
        "subject_id,hadm_id,race\n10000032,1,UNKNOWN\n10000032,2,ASIAN - CHINESE\n"
        "10000764,3,BLACK/CAPE VERDEAN\n"
    )
    return folder


def chexmask_row(name: str, quality: float, *, side: int = 64) -> str:
    left, right, heart = np.zeros((3, side, side), dtype=bool)
    left[10:40, 5:20], right[10:40, 40:60], heart[30:50, 20:40] = True, True, True
    codes = ",".join(encode_chexmask(mask) for mask in (left, right, heart))
    return f'{name},{quality},{quality + 0.05},"[[1, 2],\n [3, 4]]",{codes},{side},{side}\n'


def test_mimic_comes_in_with_chexmasks_that_are_good_enough(mimic: Path) -> None:
    masks = mimic / "MIMIC-CXR-JPG.csv"
    masks.write_text(
        "dicom_id,Dice RCA (Mean),Dice RCA (Max),Landmarks,"
        "Left Lung,Right Lung,Heart,Height,Width\n"
        + chexmask_row("aaa-1", 0.7)
        + chexmask_row("bbb-1", 0.69)
        + chexmask_row("aaa-2", 0.9, side=32)
    )
    run = import_from(mimic, "mimic", views="all", chexmask=masks, demographics=mimic / "hosp")
    assert run.result["added"] == {"images": 3, "masks": 2}
    assert reasons(run) == {
        ("image", MISSING): 1,
        ("mask", "its Dice RCA (Mean) is 0.69, below 0.7"): 1,
        ("mask", "has 32 x 32 pixels, its image 64 x 64"): 2,
    }
    first, second, third = CohortImage.objects.select_related("patient").order_by("source_id")
    assert (first.is_normal, first.view, second.view) == (True, "PA", "lateral")
    assert third.findings == ["edema", "fracture"]
    assert (first.patient.sex, first.patient.race, first.age_years) == ("F", "asian", 52)
    assert (third.patient.sex, third.patient.race, third.age_years) == ("M", "black", 84)
    lungs = pixels_of(Mask.objects.get(kind="lungs_without_heart").blob) > 0
    assert (lungs.sum(), lungs[10, 5], lungs[10, 40], lungs[9, 5]) == (30 * 35, True, True, False)
    assert (pixels_of(Mask.objects.get(kind="heart").blob) > 0).sum() == 400


def test_mimics_frontal_images_alone_need_no_other_files(mimic: Path) -> None:
    shutil.rmtree(mimic / "hosp")
    assert import_from(mimic, "mimic").result["added"] == {"images": 2}
    assert Patient.objects.filter(sex="", race="").count() == 2


def test_of_a_chexmask_file_that_is_cut_off_the_whole_rows_are_used(mimic: Path) -> None:
    masks = mimic / "MIMIC-CXR-JPG.csv"
    header = (
        "dicom_id,Dice RCA (Mean),Dice RCA (Max),Landmarks,"
        "Left Lung,Right Lung,Heart,Height,Width\r\n"
    )
    good, bad, cut = (chexmask_row(name, 0.9) for name in ("aaa-1", "x", "aaa-2"))
    masks.write_text(
        f"\ufeff{header}{bad[:-1]}\udcff\n\n{good}{cut[:60]}", errors="surrogateescape"
    )
    run = import_from(mimic, "mimic", chexmask=masks)
    assert run.result["added"] == {"images": 2, "masks": 2}
    assert Mask.objects.filter(cohort_image__source_id="aaa-1").count() == 2
    assert reasons(run)["mask", "has bytes that are not UTF-8"] == 1
    assert [reason for what, reason in reasons(run) if "it is cut off" in reason]
    masks.write_text("dicom_id,Left Lung\n")
    run = import_folder(mimic, source="mimic", options=ImportOptions(chexmask=masks))
    assert "has no column Dice RCA (Mean)" in run.error
    masks.write_bytes(gzip.compress(b""))
    run = import_folder(mimic, source="mimic", options=ImportOptions(chexmask=masks))
    assert (run.state, "is packed" in run.error) == (State.FAILED, True)
