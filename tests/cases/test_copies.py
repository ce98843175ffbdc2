"""Kind 5: data sets as they are copied from hand to hand, unpacked, renamed and converted."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from generation.datasets.labels import COLUMNS as LABELS
from generation.datasets.parsed import RunLengthMask, Skip, SourceImage
from generation.datasets.sources import ImportOptions, read_source
from generation.errors import RemediableError

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
OPENI = (
    "<eCitation><MeSH><major>Cardiomegaly/mild</major></MeSH>"
    '<parentImage id="CXR1_1_IM-0001-3001"/></eCitation>'
)
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
    "nih: tables in a folder of their own": (
        "nih",
        {f"labels/{NIH_TABLE}": NIH, f"Images_001/images/{NIH_PICTURE}": ""},
    ),
    "nih: columns in other capitals": (
        "nih",
        {
            NIH_TABLE: NIH.replace("Image Index", "image_index").replace("Patient ID", "PatientId"),
            f"images/{NIH_PICTURE.replace('.png', '.PNG')}": "",
        },
    ),
    "chexpert: Azure's folder, its table beside the batches": (
        "chexpert",
        {
            "chexpertchestxrays-u20210408/train_cheXbert.csv": CHEXPERT,
            "chexpertchestxrays-u20210408/CheXpert-v1.0 batch 2 (train 1)/"
            + CHEXPERT_PICTURE.removeprefix("train/"): "",
        },
    ),
    "chexpert: tables in a folder of their own, pictures in capitals": (
        "chexpert",
        {
            "csv/train.csv": CHEXPERT.replace("Frontal/Lateral", "frontal/lateral"),
            "Train/patient00001/Study1/VIEW1_frontal.JPG": "",
        },
    ),
    "rsna: pictures in a folder of another name, other columns' capitals": (
        "rsna",
        {
            "Stage_2_Train_Labels.csv": RSNA_LABELS.replace("patientId", "PatientID"),
            "stage_2_detailed_class_info.csv": RSNA_CLASSES,
            "input/images/abc-2.DCM": "",
        },
    ),
    "rsna: unpacked twice, converted": (
        "rsna",
        {
            "stage_2_train_labels.csv/stage_2_train_labels.csv": RSNA_LABELS,
            "stage_2_detailed_class_info.csv": RSNA_CLASSES,
            "Stage_2_Train_Images/a/abc-2.dcm.png": "",
            "Stage_2_Train_Images/b/abc-2.dcm.png": "",
        },
    ),
    "siim: both stages' tables": (
        "siim",
        {
            "train-rle.csv": "ImageId,EncodedPixels\n",
            "stage_2_train.csv": SIIM.replace(" EncodedPixels", "encoded pixels"),
            f"pneumothorax/dicom-images-train/{UID}.1/{UID}.2/{UID}.dcm": "",
        },
    ),
    "siim: converted beside masks": (
        "siim",
        {"train-rle.csv": SIIM, f"images/{UID}.dcm.png": "", f"png_masks/{UID}.png": ""},
    ),
    "mimic: without its folders": ("mimic", mimic(picture="images_512/d1.png")),
    "mimic: tables apart": (
        "mimic",
        {
            ("data/" if "files" in name else "tables/") + name: text
            for name, text in mimic().items()
        },
    ),
    "openi: Kaggle's tables": (
        "openi",
        {
            "indiana_reports.csv": "uid,MeSH,indication,comparison,findings,impression\n"
            "1,Cardiomegaly/borderline;Pulmonary Artery/enlarged,x,y,Large.,Large.\n",
            "indiana_projections.csv": "uid,filename,projection\n"
            "1,1_IM-0001-4001.dcm.png,Frontal\n",
            "images/images_normalized/1_IM-0001-4001.dcm.png": "",
        },
    ),
    "openi: reports unpacked twice, DICOM": (
        "openi",
        {"a/1.xml": OPENI, "b/1.xml": OPENI, "NLMCXR_dcm/1/1_IM-0001-3001.dcm": ""},
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
    patients = {
        "nih": "1",
        "chexpert": "patient00001",
        "rsna": "abc-2",
        "mimic": "100",
        "openi": "1",
    }
    assert image.patient == patients.get(source)
    (mask,) = image.masks or (None,)
    assert source != "siim" or (isinstance(mask, RunLengthMask) and mask.decode().sum() == 10)


def test_of_two_pictures_of_a_name_none_is_guessed(tmp_path: Path) -> None:
    files = {"train-rle.csv": SIIM, f"a/{UID}.png": "one", f"b/{UID}.png": "another"}
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


def test_a_single_table_may_be_packed_as_kaggle_sends_it(tmp_path: Path) -> None:
    lay(tmp_path, {NIH_PICTURE: ""})
    with zipfile.ZipFile(tmp_path / f"{NIH_TABLE}.zip", "w") as archive:
        archive.writestr(NIH_TABLE, NIH)
        archive.writestr(f"__MACOSX/._{NIH_TABLE}", "x")
    assert rows_of("nih", tmp_path)[0][0].findings == (HEART,)
    with zipfile.ZipFile(tmp_path / f"{NIH_TABLE}.zip", "a") as archive:
        archive.writestr("test.csv", NIH)
    with pytest.raises(RemediableError, match="2 tables: unpack it"):
        rows_of("nih", tmp_path)
    (tmp_path / f"{NIH_TABLE}.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(RemediableError, match="cut off or damaged"):
        rows_of("nih", tmp_path)


def test_where_pictures_are_missing_archives_and_broken_downloads_are_named(tmp_path: Path) -> None:
    files = {NIH_TABLE: NIH, "images_001.tar.gz": "x", "images_002.zip.crdownload": "x"}
    images, skips = rows_of("nih", lay(tmp_path, files))
    assert not images
    told = {skip.file: skip.reason for skip in skips if skip.what == "warning"}
    assert told.keys() == {"images_001.tar.gz", "images_002.zip.crdownload"}
    assert "unpack it" in told["images_001.tar.gz"]
    lay(tmp_path, {NIH_PICTURE: ""})
    assert not [skip for skip in rows_of("nih", tmp_path)[1] if skip.what == "warning"]


def test_a_refused_folder_is_told_what_it_has(tmp_path: Path) -> None:
    lay(tmp_path, {"Data_Entry_2017_v2020 (1).csv": NIH, "data/train_df.csv.gz": ""})
    with pytest.raises(RemediableError) as raised:
        rows_of("nih", tmp_path)
    assert "It holds Data_Entry_2017_v2020 (1).csv, train_df.csv.gz" in str(raised.value)
    lay(tmp_path, {NIH_TABLE: "<!DOCTYPE html><html>Sign in</html>"})
    with pytest.raises(RemediableError, match="web page"):
        rows_of("nih", tmp_path)


def test_chexperts_test_part_has_labels_alone(tmp_path: Path) -> None:
    picture = CHEXPERT_PICTURE.replace("train", "test")
    table = CHEXPERT.replace(CHEXPERT_PICTURE, picture).replace(",Female,58,Frontal,PA", "")
    table = table.replace(",Sex,Age,Frontal/Lateral,AP/PA", "")
    lateral = picture.replace("frontal", "lateral")
    row = table.splitlines()[1].replace(picture, lateral)
    (image,), skips = rows_of(
        "chexpert", lay(tmp_path, {"test_labels.csv": f"{table}{row}\n", picture: "", lateral: ""})
    )
    assert (image.source_id, image.findings, image.sex, image.age_years) == (
        picture, (HEART,), "", None,
    )  # fmt: skip
    assert not skips


def test_a_tables_names_are_found_in_folders_below_but_never_a_mask_of_the_name(
    tmp_path: Path,
) -> None:
    """PadChest's pictures lie in numbered folders, which its table has in another column."""
    mapping = (
        'table = "t.csv"\nfile = "ImageID"\n'
        '[findings]\nHeart = "cardiomegaly"\n'
        '[[masks]]\nkind = "lungs"\nfolder = "lungs"\n'
    )
    names = ("a.png", "b.png", "c.png", "p1/d.png")
    rows = "".join(f"{name},1\n" for name in names)
    files = {"map.toml": mapping, "t.csv": f"ImageID,Heart\n{rows}"}
    files |= dict.fromkeys(("0/a.png", "lungs/b.png", "54/c.jpg", "p2/d.png"), "")
    images, skips = rows_of("folder", lay(tmp_path, files), mapping=tmp_path / "map.toml")
    assert [image.source_id for image in images] == ["a.png"]
    assert [skip.file for skip in skips] == ["b.png", "c.png", "p1/d.png"]
