"""Data sets as they are distributed, from their files to the database."""

from pathlib import Path

import numpy as np
import pytest

from feedback_app.images.models import (
    Cohort,
    CohortImage,
    ImportSkip,
    Mask,
    Patient,
    SharedPicture,
)
from feedback_app.runs.models import LogLine, Run, State
from generation.datasets.parsed import MISSING
from generation.datasets.rle import encode_siim
from generation.datasets.sources import ImportOptions
from tests.generation.dicoms import IDENTIFYING, dicom, gradient, jpeg, jpeg_dicom, write
from tests.images.cohort_folders import (
    SIDE,
    gradient_png,
    import_folder,
    import_from,
    pixels_of,
    reasons,
    rows_of,
)

pytestmark = pytest.mark.django_db


def band(kind: int) -> np.ndarray:
    """A mask of SIIM's size, another one for each kind."""
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[100 * kind : 100 * kind + 40, 200:400] = True
    return mask


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
        "4": "is not a readable DICOM file: it is a text.",
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
            "NLMCXR_png/CXR1_IM-0001-3001.png": gradient_png(1),
            "NLMCXR_png/CXR2.png": gradient_png(2),
        },
    )
    run = import_from(tmp_path, "openi")
    assert (run.result["added"], reasons(run)) == ({"images": 2}, {("image", MISSING): 1})
    first, second = CohortImage.objects.order_by("source_id")
    assert first.findings == ["pleural thickening", "lung opacity"]
    assert first.source_labels["IMPRESSION"] == "Pneumonia."
    assert (second.is_normal, second.patient.source_id) == (True, "2")


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
            "f.dcm": dicom(gradient(seed=4), PatientID="another", ImagerPixelSpacing=[0.2, 0.1]),
        },
    )
    assert all(value.encode() in kept for value in IDENTIFYING)
    with caplog.at_level("DEBUG"):
        import_from(tmp_path, "folder")
    assert CohortImage.objects.count() == 4
    assert CohortImage.objects.filter(spacing_mm=[0.2, 0.1]).count() == 1
    assert Patient.objects.count() == 2
    told = [caplog.text, *map(str, LogLine.objects.values_list("text", flat=True))]
    for model in (Cohort, CohortImage, Patient, ImportSkip, Run):
        told += [repr(row) for row in model.objects.values()]
    stored = [file.read_bytes() for file in storage.rglob("*") if file.is_file()]
    for value in IDENTIFYING:
        assert not [text for text in told if value in text]
        assert not [content for content in stored if value.encode() in content]


# A table of one's own


# Errors of layout


@pytest.mark.parametrize("source", ["chexpert", "rsna", "siim", "candid", "mimic", "openi", "nih"])
def test_an_empty_folder_is_refused_with_what_it_lacks(tmp_path: Path, source: str) -> None:
    run = import_folder(tmp_path, source=source)
    assert (run.state, str(tmp_path) in run.error, run.remedy != "") == (State.FAILED, True, True)
    assert not Cohort.objects.exists()


def test_shared_pictures_of_one_cohort_alone_are_no_matter(chexpert: Path) -> None:
    import_from(chexpert, "chexpert")
    assert not SharedPicture.objects.exists()
