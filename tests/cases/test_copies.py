"""Kind 5: data sets as they are copied from hand to hand, unpacked, renamed and converted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from generation.datasets.labels import COLUMNS as LABELS
from generation.datasets.parsed import RunLengthMask, Skip, SourceImage
from generation.datasets.sources import ImportOptions, read_source

NIH = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n"
    "00000001_000.png,Cardiomegaly,0,00000001,058Y,M,PA\n"
)
NIH_TABLE, NIH_PICTURE = "Data_Entry_2017.csv", "00000001_000.png"
CHEXPERT_PICTURE = "train/patient00001/study1/view1_frontal.jpg"
CHEXPERT = (
    f"Path,Sex,Age,Frontal/Lateral,AP/PA,{','.join(LABELS)}\n"
    f"CheXpert-v1.0-small/{CHEXPERT_PICTURE},Female,58,Frontal,PA,"
    f"{','.join('1.0' if name == 'Cardiomegaly' else '' for name in LABELS)}\n"
)
RSNA_LABELS = "patientId,x,y,width,height,Target\nabc-2,264.0,152.0,213.0,379.0,1\n"
RSNA_CLASSES = "patientId,class\nabc-2,lung opacity\n"
UID = "1.2.276.0.7230010.3.1.4.8323329.1000.1517875201"
SIIM = f"ImageId, EncodedPixels\n{UID}, 10 5 1019 5\n"
MIMIC = {
    "metadata": "dicom_id,subject_id,study_id,ViewPosition,StudyDate\nd1,100,504,pa,21800506\n",
    "chexpert": f"subject_id,study_id,{','.join(LABELS)}\n"
    f"100,504,{','.join('1.0' if name == 'Cardiomegaly' else '' for name in LABELS)}\n",
    "split": "dicom_id,study_id,subject_id,split\nd1,504,100,train\n",
}
MIMIC_PICTURE = "files/p10/p100/s504/d1.jpg"
HEART = "cardiomegaly"


def mimic(
    folder: str = "", *, version: str = "2.0.0", picture: str = MIMIC_PICTURE, labels: str = ""
) -> dict[str, str]:
    tables = {
        f"{folder}mimic-cxr-{version}-{labels if labels and part == 'chexpert' else part}.csv": text
        for part, text in MIMIC.items()
    }
    return tables | {folder + picture: ""}


COPIES: dict[str, tuple[str, Mapping[str, str]]] = {
    "nih: both releases of its table": (
        "nih",
        {
            NIH_TABLE: NIH.replace("Cardiomegaly", "Hernia"),
            "Data_Entry_2017_v2020.csv": NIH.replace("Gender", "Sex"),
            f"images/{NIH_PICTURE}": "",
        },
    ),
    "nih: a folder an archive": ("nih", {NIH_TABLE: NIH, f"images_001/{NIH_PICTURE}": ""}),
    "nih: scaled down": ("nih", {NIH_TABLE: NIH, f"images-224/images-224/{NIH_PICTURE}": ""}),
    "nih: beside the table": ("nih", {NIH_TABLE: NIH, NIH_PICTURE: ""}),
    "nih: Kaggle's sample": (
        "nih",
        {"sample_labels.csv": NIH, f"sample/images/{NIH_PICTURE}": ""},
    ),
    "nih: as JPEG": ("nih", {NIH_TABLE: NIH, "images/00000001_000.jpg": ""}),
    "chexpert: the folder above": (
        "chexpert",
        {"CheXpert-v1.0-small/train.csv": CHEXPERT, f"CheXpert-v1.0-small/{CHEXPERT_PICTURE}": ""},
    ),
    "chexpert: Stanford's batches": (
        "chexpert",
        {
            "CheXpert-v1.0 batch 1 (validate & csv)/train.csv": CHEXPERT,
            f"CheXpert-v1.0 batch 2 (train 1)/{CHEXPERT_PICTURE.removeprefix('train/')}": "",
        },
    ),
    "chexpert: paths of elsewhere": (
        "chexpert",
        {
            "train.csv": CHEXPERT.replace("CheXpert-v1.0-small/", "../input/chexpert/small/"),
            CHEXPERT_PICTURE: "",
        },
    ),
    "chexpert: paths of Windows": (
        "chexpert",
        {
            "train.csv": CHEXPERT.replace(
                f"CheXpert-v1.0-small/{CHEXPERT_PICTURE}",
                f"C:\\data\\{CHEXPERT_PICTURE}".replace("/", "\\"),
            ),
            CHEXPERT_PICTURE: "",
        },
    ),
    "chexpert: other labels, as PNG": (
        "chexpert",
        {"train_cheXbert.csv": CHEXPERT, CHEXPERT_PICTURE.replace(".jpg", ".png"): ""},
    ),
    "rsna: first stage": (
        "rsna",
        {
            "stage_1_train_labels.csv": RSNA_LABELS,
            "stage_1_detailed_class_info.csv": RSNA_CLASSES,
            "stage_1_train_images/abc-2.dcm": "",
        },
    ),
    "rsna: a folder within itself, as PNG": (
        "rsna",
        {
            "stage_2_train_labels.csv": RSNA_LABELS,
            "stage_2_detailed_class_info.csv": RSNA_CLASSES,
            "stage_2_train_images/stage_2_train_images/abc-2.png": "",
        },
    ),
    "siim: as PNG": ("siim", {"train-rle.csv": SIIM, f"train_png/{UID}.png": ""}),
    "siim: PNG and masks": (
        "siim",
        {"train-rle.csv": SIIM, f"images/{UID}.png": "", f"masks/{UID}.png": ""},
    ),
    "siim: ids with suffixes": (
        "siim",
        {"stage_2_train.csv": SIIM.replace("201,", "201.dcm,"), f"stage_2_images/{UID}.dcm": ""},
    ),
    "mimic: fetched by wget": ("mimic", mimic("physionet.org/files/mimic-cxr-jpg/2.0.0/")),
    "mimic: the later release, NegBio's labels": (
        "mimic",
        mimic(version="2.1.0", labels="negbio"),
    ),
    "mimic: ids of a data frame, as PNG": (
        "mimic",
        {
            name: text.replace("100,504", "100.0,504.0").replace(",504,", ",504.0,")
            for name, text in mimic(picture=MIMIC_PICTURE.replace(".jpg", ".png")).items()
        },
    ),
}


def lay(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def rows_of(source: str, folder: Path, **options: Any) -> tuple[list[SourceImage], list[Skip]]:
    rows = list(read_source(source, folder, ImportOptions(**options)).rows)
    images = [row for row in rows if isinstance(row, SourceImage)]
    return images, [row for row in rows if isinstance(row, Skip)]


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_of_a_data_set_is_that_data_set(tmp_path: Path, name: str) -> None:
    source, files = COPIES[name]
    (image,), skips = rows_of(source, lay(tmp_path, files))
    assert not skips
    wanted = {"rsna": ("pneumonia", "lung opacity"), "siim": ("pneumothorax",)}
    assert image.findings == wanted.get(source, (HEART,))
    if source in {"nih", "chexpert"}:
        sex = {"nih": "M", "chexpert": "F"}[source]
        assert (image.age_years, image.view, image.sex) == (58, "PA", sex)
    patients = {"nih": "1", "chexpert": "patient00001", "rsna": "abc-2", "mimic": "100"}
    assert image.patient == patients.get(source)
    (mask,) = image.masks or (None,)
    assert source != "siim" or (isinstance(mask, RunLengthMask) and mask.decode().sum() == 10)


def test_of_two_pictures_of_a_name_none_is_guessed(tmp_path: Path) -> None:
    files = {"train-rle.csv": SIIM, f"a/{UID}.png": "", f"b/{UID}.png": ""}
    images, skips = rows_of("siim", lay(tmp_path, files))
    assert not images
    assert "2 pictures of its name" in skips[0].reason


def test_a_table_with_a_row_for_each_finding_loses_none(tmp_path: Path) -> None:
    """As VinDr-CXR has them: ids without suffix, and rows of several readers."""
    lay(
        tmp_path,
        {
            "map.toml": 'table = "train.csv"\nimages = "train"\nfile = "image_id"\n'
            '[labels]\ncolumn = "class_name"\nseparator = ""\n'
            '[labels.names]\n"No finding" = ""\n"Cardiomegaly" = "cardiomegaly"\n'
            '"Pleural effusion" = "effusion"\n',
            "train.csv": "image_id,class_name,rad_id\nv1,No finding,R1\nv1,No finding,R2\n"
            "v2,Cardiomegaly,R1\nv2,Pleural effusion,R2\nv3,Cardiomegaly,R1\nv3,Mass,R2\n",
            "train/v1.dicom": "",
            "train/v2.dicom": "",
            "train/v3.dicom": "",
        },
    )
    images, skips = rows_of("folder", tmp_path, mapping=tmp_path / "map.toml")
    found = {
        image.source_id: (set(image.findings), set(image.unknown_findings)) for image in images
    }
    assert found["v1"][0] == set() and "effusion" not in found["v1"][1]
    assert found["v2"][0] == {HEART, "effusion"}
    assert found["v3"][0] == {HEART} and "effusion" in found["v3"][1]
    assert [(skip.file, skip.what) for skip in skips] == [("v1", "image"), ("v3", "label")]


def test_a_spreadsheet_that_is_not_read_is_named(tmp_path: Path) -> None:
    files = {"train.csv": CHEXPERT, CHEXPERT_PICTURE: "", "CHEXPERT DEMO.xlsx": ""}
    images, skips = rows_of("chexpert", lay(tmp_path, files))
    assert len(images) == 1
    assert [skip.file for skip in skips] == ["CHEXPERT DEMO.xlsx"]
