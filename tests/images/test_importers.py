"""Data sets as they are distributed, from their files to the database."""

import gzip
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from feedback_app.images.models import (
    Blob,
    Cohort,
    CohortImage,
    ImportSkip,
    Mask,
    Patient,
    SharedPicture,
)
from feedback_app.runs.models import LogLine, Run, State
from generation.conditioning.findings import FINDINGS
from generation.datasets.labels import COLUMNS
from generation.datasets.parsed import MISSING
from generation.datasets.rle import encode_chexmask, encode_siim
from generation.datasets.sources import ImportOptions
from tests.generation.dicoms import IDENTIFYING, dicom, gradient, jpeg, jpeg_dicom, write
from tests.images.cohort_folders import import_folder, rows_of

pytestmark = pytest.mark.django_db

SIDE = 1024


def import_from(folder: Path, source: str, **options: Any) -> Run:
    run = import_folder(folder, name=source, source=source, options=ImportOptions(**options))
    assert run.state == State.SUCCEEDED, run.error
    return run


def pixels_of(blob: Blob) -> np.ndarray:
    with blob.open() as file, PIL.Image.open(file) as picture:
        return np.asarray(picture)


def band(kind: int) -> np.ndarray:
    """A mask of SIIM's size, another one for each kind."""
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[100 * kind : 100 * kind + 40, 200:400] = True
    return mask


def reasons(run: Run) -> Counter[tuple[str, str]]:
    return Counter(ImportSkip.objects.filter(run=run).values_list("what", "reason"))


# The real files


def test_siims_one_image_comes_in_and_all_others_are_reported(real_data: Path) -> None:
    run = import_from(real_data / "siim", "siim")
    listed = {row["ImageId"] for row in rows_of(real_data / "siim" / "train-rle.csv")}
    assert run.result["added"] == {"images": 1}
    assert reasons(run) == {("image", MISSING): len(listed) - 1}
    image = CohortImage.objects.get()
    assert (image.image.width, image.findings, image.is_normal) == (1024, [], False)
    assert "pneumothorax" not in image.unknown_findings


def test_chexpert_without_its_images_is_read_to_the_end_and_then_refused(real_data: Path) -> None:
    run = import_folder(
        real_data / "chexpert",
        source="chexpert",
        options=ImportOptions(views="all"),
    )
    assert run.state == State.FAILED
    assert "Not one image of CheXpert could be read" in run.error
    assert run.remedy == "Put the image files where the data set has them, then import again."
    assert reasons(run) == {("image", MISSING): 5_000}


def test_openis_reports_are_all_read_and_its_images_reported(real_data: Path) -> None:
    run = import_folder(real_data / "openi", source="openi")
    assert run.state == State.FAILED
    assert reasons(run) == {
        ("image", MISSING): 7_470,
        ("image", "is a report that names no image"): 3_955 - 3_851,
    }


def test_nihs_images_of_full_size_come_in(real_data: Path) -> None:
    run = import_folder(real_data / "nih_fullsize", name="full", source="nih")
    assert run.result["added"] == {"images": 24}
    assert {image.image.width for image in CohortImage.objects.all()} == {1024}


# Files built as they are distributed


def test_siims_parts_are_united_and_its_masks_lie_where_they_were_drawn(tmp_path: Path) -> None:
    deep = gradient(side=SIDE, bits=12)
    write(
        tmp_path,
        {
            "dicom-images-train/1.2/3.4/1.dcm": dicom(deep, BitsStored=12, HighBit=11),
            "dicom-images-train/2.dcm": jpeg_dicom(gradient(side=SIDE, seed=1)),
            "dicom-images-train/3.dcm": jpeg_dicom(gradient(side=64, seed=2)),
            "dicom-images-train/4.dcm": b"cut off",
            "dicom-images-train/5.dcm": jpeg_dicom(gradient(side=64, seed=3)),
        },
    )
    first, second = encode_siim(band(1)), encode_siim(band(2))
    (tmp_path / "train-rle.csv").write_text(
        f"ImageId, EncodedPixels\n1, {first}\n2, -1\n1, {second}\n3, {first}\n4, -1\n6, -1\n"
    )
    run = import_from(tmp_path, "siim")
    assert run.result["added"] == {"images": 3, "masks": 1}
    assert dict(ImportSkip.objects.filter(run=run).values_list("file", "reason")) == {
        "3": "has 1024 x 1024 pixels, its image 64 x 64",
        "4": "is not a readable DICOM file (InvalidDicomError).",
        "6.dcm": MISSING,
        "5.dcm": "has no row in train-rle.csv",
    }
    mask = Mask.objects.get()
    assert (mask.kind, mask.cohort_image.findings) == ("pneumothorax", ["pneumothorax"])
    assert ((pixels_of(mask.blob) > 0) == (band(1) | band(2))).all()
    assert import_from(tmp_path, "siim").result["added"] == {}


CHEXPERT_HEADER = "Path,Sex,Age,Frontal/Lateral,AP/PA," + ",".join(COLUMNS_AS_DISTRIBUTED := (
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion",
    "Edema", "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion",
    "Pleural Other", "Fracture", "Support Devices",
))  # fmt: skip


def chexpert_row(path: str, side: str = "Frontal", **labels: str) -> str:
    cells = [labels.get(name.replace(" ", "_"), "") for name in COLUMNS_AS_DISTRIBUTED]
    view = "AP" if side == "Frontal" else ""
    return ",".join([f"CheXpert-v1.0-small/{path}", "Female", "68", side, view, *cells])


@pytest.fixture
def chexpert(tmp_path: Path) -> Path:
    names = [
        "train/patient00001/study1/view1_frontal.jpg",
        "train/patient00001/study1/view2_lateral.jpg",
        "train/patient00002/study1/view1_frontal.jpg",
        "valid/patient64541/study1/view1_frontal.jpg",
    ]
    write(tmp_path, {name: jpeg(gradient(seed=seed)) for seed, name in enumerate(names)})
    rows = [
        chexpert_row(names[0], Edema="-1.0", Pneumonia="1.0", Lung_Lesion="1.0", Fracture="0.0"),
        chexpert_row(names[1], side="Lateral", Edema="1.0"),
        chexpert_row(names[2], No_Finding="1.0"),
        chexpert_row("train/patient00003/study1/view1_frontal.jpg", Edema="1.0"),
        chexpert_row("../patient00004/study1/view1_frontal.jpg", Edema="1.0"),
    ]
    (tmp_path / "train.csv").write_text("\n".join([CHEXPERT_HEADER, *rows]) + "\n")
    last = chexpert_row(names[3], Edema="2.0", Support_Devices="1.0")
    (tmp_path / "valid.csv").write_text(f"{CHEXPERT_HEADER}\n{last}\n")
    (tmp_path / "CHEXPERT DEMO.csv").write_text(
        "PATIENT,GENDER,AGE_AT_CXR,PRIMARY_RACE,ETHNICITY\n"
        'patient00001,Female,68,"White, non-Hispanic",x\n'
        "patient00002,Female,68,Patient Refused,x\n"
        "patient64541,Female,68,Black or African American,x\n"
    )
    return tmp_path


def test_chexpert_comes_in_with_labels_race_and_the_images_as_they_came(chexpert: Path) -> None:
    run = import_from(chexpert, "chexpert", uncertain="ignore")
    assert run.result["added"] == {"images": 3}
    assert reasons(run) == {
        ("image", MISSING): 1,
        ("image", "is not the path of a file in the data set"): 1,
        ("label", "its Edema is none of 1, 0, -1 and empty"): 1,
    }
    first, second, third = CohortImage.objects.select_related("patient").order_by("source_id")
    assert first.findings == ["pneumonia"]
    assert "edema" in first.unknown_findings and "fracture" not in first.unknown_findings
    assert first.source_labels["Lung Lesion"] == "1.0"
    assert (first.view, first.age_years, first.patient.sex) == ("AP", 68, "F")
    assert (second.is_normal, second.findings) == (True, [])
    assert (third.findings, third.is_normal) == (["support devices"], False)
    assert [row.patient.race for row in (first, second, third)] == ["white", "", "black"]
    assert first.image.blob.read() == (chexpert / first.source_id).read_bytes()


@pytest.mark.parametrize(
    ("policy", "findings"),
    [("ones", ["edema", "pneumonia"]), ("zeros", ["pneumonia"]), ("ignore", ["pneumonia"])],
)
def test_uncertain_labels_are_what_the_policy_says(
    chexpert: Path, policy: str, findings: list[str]
) -> None:
    import_from(chexpert, "chexpert", uncertain=policy)
    first = CohortImage.objects.order_by("source_id").first()
    assert first is not None and first.findings == findings
    assert ("edema" in first.unknown_findings) == (policy == "ignore")


def test_lateral_images_come_in_only_where_all_views_are_asked_for(chexpert: Path) -> None:
    import_from(chexpert, "chexpert")
    assert not CohortImage.objects.filter(view="lateral").exists()
    assert import_from(chexpert, "chexpert", views="all").result["added"] == {"images": 1}
    assert CohortImage.objects.get(view="lateral").patient.images.count() == 2


def test_candids_three_kinds_of_masks_come_in_with_reports(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            f"dataset/{name}.dcm": jpeg_dicom(gradient(side=SIDE, seed=seed), PatientID=name)
            for seed, name in enumerate(("1.1", "1.2"))
        },
    )
    (tmp_path / "Pneumothorax_reports.csv").write_text(
        "SOPInstanceUID,EncodedPixels,Report\n"
        f'1.1,{encode_siim(band(1))},"A small\npneumothorax, right."\n1.2,-1,Clear.\n1.3,-1,Gone.\n'
    )
    (tmp_path / "Rib_fracture_mask_rle.csv").write_text(
        f"anon_SOPUID,annotation_ref,mask_rle\n1.1,a,{encode_siim(band(2))}\n"
        f"1.1,b,{encode_siim(band(3))}\n9.9,c,{encode_siim(band(2))}\n"
    )
    (tmp_path / "chest_tube.csv").write_text(f"anon_SOPUID,mask_rle\n1.2,{encode_siim(band(4))}\n")
    run = import_from(tmp_path, "candid")
    assert run.result["added"] == {"images": 2, "masks": 3}
    assert reasons(run) == {
        ("image", MISSING): 1,
        ("mask", "is not listed in Pneumothorax_reports.csv"): 1,
    }
    drawn = {
        (mask.cohort_image.source_id, mask.kind): pixels_of(mask.blob) > 0
        for mask in Mask.objects.all()
    }
    assert (drawn["1.1", "pneumothorax"] == band(1)).all()
    assert (drawn["1.1", "rib_fracture"] == (band(2) | band(3))).all()
    assert (drawn["1.2", "tube"] == band(4)).all()
    first, second = CohortImage.objects.order_by("source_id")
    assert first.findings == ["pneumothorax", "fracture"]
    assert first.source_labels["Report"] == "A small\npneumothorax, right."
    assert second.findings == ["support devices"] and not second.is_normal
    assert Patient.objects.count() == 2


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
    lungs = pixels_of(Mask.objects.get(kind="lungs").blob) > 0
    assert (lungs.sum(), lungs[10, 5], lungs[10, 40], lungs[9, 5]) == (30 * 35, True, True, False)
    assert (pixels_of(Mask.objects.get(kind="heart").blob) > 0).sum() == 400


def test_mimics_frontal_images_alone_need_no_other_files(mimic: Path) -> None:
    shutil.rmtree(mimic / "hosp")
    assert import_from(mimic, "mimic").result["added"] == {"images": 2}
    assert Patient.objects.filter(sex="", race="").count() == 2


def test_a_chexmask_file_that_is_cut_off_is_refused(mimic: Path) -> None:
    masks = mimic / "MIMIC-CXR-JPG.csv"
    header = "dicom_id,Dice RCA (Mean),Left Lung,Right Lung,Heart,Height,Width\n"
    masks.write_text(header + "aaa-1,0.9,1 5,")
    run = import_folder(mimic, source="mimic", options=ImportOptions(chexmask=masks))
    assert (run.state, "is cut off" in run.error) == (State.FAILED, True)
    masks.write_text("dicom_id,Left Lung\n")
    run = import_folder(mimic, source="mimic", options=ImportOptions(chexmask=masks))
    assert "has no column Dice RCA (Mean)" in run.error


def test_openis_images_come_in_with_their_reports(tmp_path: Path) -> None:
    report = """<eCitation><AbstractText Label="FINDINGS">Opacity.</AbstractText>
        <AbstractText Label="IMPRESSION">Pneumonia.</AbstractText>
        <MeSH><major>Opacity/lung/base/left</major><major>Thickening/pleura</major></MeSH>
        <parentImage id="CXR1_IM-0001-3001"/><parentImage id="CXR1_IM-0001-4001"/></eCitation>"""
    normal = "<eCitation><MeSH><major>normal</major></MeSH><parentImage id='CXR2'/></eCitation>"
    write(
        tmp_path,
        {
            "ecgen-radiology/1.xml": report.encode(),
            "ecgen-radiology/2.xml": normal.encode(),
            "NLMCXR_png/CXR1_IM-0001-3001.png": dicom_free_png(1),
            "NLMCXR_png/CXR2.png": dicom_free_png(2),
        },
    )
    run = import_from(tmp_path, "openi")
    assert (run.result["added"], reasons(run)) == ({"images": 2}, {("image", MISSING): 1})
    first, second = CohortImage.objects.order_by("source_id")
    assert first.findings == ["pleural thickening", "lung opacity"]
    assert first.source_labels["IMPRESSION"] == "Pneumonia."
    assert (second.is_normal, second.patient.source_id) == (True, "2")


def dicom_free_png(seed: int) -> bytes:
    import io

    file = io.BytesIO()
    PIL.Image.fromarray(gradient(seed=seed)).save(file, "PNG")
    return file.getvalue()


# Privacy


def test_no_identifying_value_reaches_database_storage_or_log(
    tmp_path: Path, storage: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = jpeg_dicom(gradient())
    write(
        tmp_path / "images",
        {
            "a.dcm": kept,
            "b.dcm": dicom(gradient(seed=1, bits=12), BitsStored=12, HighBit=11),
            "c.dcm": jpeg_dicom(gradient(seed=2), PatientAge="Erika"),
            "d.dcm": kept[: len(kept) // 2],
            "e.dcm": jpeg_dicom(gradient(seed=3), NumberOfFrames=2, StudyDate="Mustermann"),
            "f.dcm": dicom(gradient(seed=4), PatientID="another"),
        },
    )
    assert all(value.encode() in kept for value in IDENTIFYING)
    with caplog.at_level("DEBUG"):
        import_from(tmp_path, "folder")
    assert CohortImage.objects.count() == 4
    assert Patient.objects.count() == 2
    told = [caplog.text, *map(str, LogLine.objects.values_list("text", flat=True))]
    for model in (Cohort, CohortImage, Patient, ImportSkip, Run):
        told += [repr(row) for row in model.objects.values()]
    stored = [file.read_bytes() for file in storage.rglob("*") if file.is_file()]
    for value in IDENTIFYING:
        assert not [text for text in told if value in text]
        assert not [content for content in stored if value.encode() in content]


# A table of one's own


def test_a_table_of_ones_own_is_read_by_its_mapping(tmp_path: Path) -> None:
    files = {f"pictures/{name}.png": dicom_free_png(seed) for seed, name in enumerate("abc")}
    write(tmp_path, files)
    mask = np.zeros((64, 64), dtype=bool)
    mask[4:9, 30:50] = True
    (tmp_path / "table.csv").write_text(
        "name,pid,sex,age,eff,words,code\n"
        f"a.png,1,female,44,1,Edema;Device,{encode_siim(mask)}\n"
        "b.png,1,male,x,0,,-1\nc.png,2,,31,-1,Other,-1\nd.png,3,,31,,,\n"
    )
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        """
        table = "table.csv"
        images = "pictures"
        file = "name"
        patient = "pid"
        sex = "sex"
        age = "age"
        [findings]
        eff = "effusion"
        [labels]
        column = "words"
        separator = ";"
        [labels.names]
        Edema = "edema"
        Device = "support devices"
        [[masks]]
        kind = "pneumothorax"
        column = "code"
        width = 64
        height = 64
        """
    )
    run = import_from(tmp_path, "folder", mapping=mapping)
    assert run.result["added"] == {"images": 3, "masks": 1}
    assert reasons(run) == {
        ("image", MISSING): 1,
        ("label", "the age 'x' is not plausible"): 1,
    }
    first, second, third = CohortImage.objects.select_related("patient").order_by("source_id")
    assert first.findings == ["edema", "effusion", "support devices"]
    assert set(FINDINGS) - set(first.unknown_findings) == set(first.findings)
    assert "effusion" in third.unknown_findings and "effusion" not in second.unknown_findings
    assert first.patient == second.patient != third.patient
    assert (first.patient.sex, first.age_years) == ("F", 44)
    assert ((pixels_of(Mask.objects.get().blob) > 0) == mask).all()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("table = 'x.csv'", "file: Field required"),
        ("table = 'none.csv'\nfile = 'f'", "There is no"),
        ("table = 't.csv'\nfile = 'f'\n[findings]\nf = 'sneezing'", "'sneezing' is no finding"),
        ("table = 't.csv'\nfile = 'g'", "has no column 'g'"),
        ("table = 't.csv'\nfile = 'f'\ncolour = 'f'", "colour: Unexpected keyword"),
        ("not toml", "is no mapping that can be used"),
        ("table = 't.csv'\nfile = 'f'\n[[masks]]\nkind = 'lungs'", "needs a folder or a column"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_with_what_is_wrong(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "t.csv").write_text("f\na.png\n")
    (tmp_path / "m.toml").write_text(text)
    run = import_folder(tmp_path, options=ImportOptions(mapping=tmp_path / "m.toml"))
    assert (run.state, reason in run.error) == (State.FAILED, True), run.error


# Errors of layout


@pytest.mark.parametrize("source", ["chexpert", "rsna", "siim", "candid", "mimic", "openi", "nih"])
def test_an_empty_folder_is_refused_with_what_it_lacks(tmp_path: Path, source: str) -> None:
    run = import_folder(tmp_path, source=source)
    assert (run.state, str(tmp_path) in run.error, run.remedy != "") == (State.FAILED, True, True)
    assert not Cohort.objects.exists()


def test_shared_pictures_of_one_cohort_alone_are_no_matter(chexpert: Path) -> None:
    import_from(chexpert, "chexpert")
    assert not SharedPicture.objects.exists()
