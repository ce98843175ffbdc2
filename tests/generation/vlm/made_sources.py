"""Small data sets in the layouts in which they are distributed, made up for tests."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image

from generation.datasets.labels import COLUMNS as CHEXPERT_LABELS
from generation.datasets.rle import encode_siim
from tests.generation.dicoms import dicom, texture

SIDE_PX = 1024


def picture(path: Path, *, seed: int, side: int = 64) -> Path:
    """A picture that looks like no other seed's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(texture(side=side, seed=seed)).save(path)
    return path


def dicom_file(path: Path, *, seed: int, patient: str, side: int = 64) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        dicom(texture(side=side, seed=seed), PatientID=patient, PatientSex="F", PatientAge="058Y",
              ViewPosition="PA")
    )  # fmt: skip
    return path


def table(path: Path, columns: Sequence[str], *rows: Sequence[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def lines(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def block(*, top: int, left: int, side: int = 100) -> np.ndarray:
    """A mask of SIIM's size with one square."""
    mask = np.zeros((SIDE_PX, SIDE_PX), dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def nih(folder: Path, *, seeds: Sequence[int] = range(8)) -> Path:
    """Patient n has the picture of seed n; the even ones are normal, one of the odd has a box."""
    columns = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "Patient Gender",
               "View Position")  # fmt: skip
    rows = []
    for seed in seeds:
        name = f"{seed:08}_000.png"
        picture(folder / "images" / name, seed=seed)
        findings = "No Finding" if seed % 2 == 0 else "Pneumonia|Effusion"
        rows.append((name, findings, seed, 20 + 10 * seed, "FM"[seed % 2], ("PA", "AP")[seed % 2]))
    table(folder / "Data_Entry_2017_v2020.csv", columns, *rows)
    table(
        folder / "BBox_List_2017.csv",
        ("Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"),
        (f"{seeds[1]:08}_000.png", "Effusion", 512, 256, 128, 256),
    )
    return folder


def chexpert(folder: Path) -> Path:
    """Two patients with a frontal and a lateral picture in one study each."""
    columns = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *CHEXPERT_LABELS)
    rows = []
    for patient in (1, 2):
        labels = dict.fromkeys(CHEXPERT_LABELS, "")
        labels["No Finding" if patient == 1 else "Edema"] = "1.0"
        labels["Pneumonia"] = "-1.0" if patient == 2 else ""
        for number, side in ((1, "Frontal"), (2, "Lateral")):
            name = f"train/patient0000{patient}/study1/view{number}_{side.lower()}.jpg"
            picture(folder / name, seed=100 + 10 * patient + number)
            projection = "AP" if side == "Frontal" else ""
            rows.append((f"CheXpert/{name}", ("Female", "Male")[patient - 1], 40 + patient, side,
                         projection, *labels.values()))  # fmt: skip
    table(folder / "train.csv", columns, *rows)
    return folder


REPORT = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___ year old woman with cough.

 FINDINGS:
 The heart is enlarged. Small left pleural effusion is new since the prior study.

 IMPRESSION:
 Small left pleural effusion.
"""


def mimic(folder: Path) -> Path:
    """Patient 10000001 with two studies, the later first in the table; 10000002 with one."""
    studies = (
        ("10000001", "50000002", "21800105", "93000.0", "b", "Pleural Effusion"),
        ("10000001", "50000001", "21800101", "80000.5", "a", "No Finding"),
        ("10000002", "50000003", "21900101", "120000", "c", "Edema"),
    )
    metadata, labels, splits = [], [], []
    for number, (subject, study, date, time, dicom_id, finding) in enumerate(studies):
        place = folder / "files" / f"p{subject[:2]}" / f"p{subject}"
        for view, letter in (("PA", ""), ("LATERAL", "l")):
            name = dicom_id + letter
            seed = 200 + 2 * number + bool(letter)
            picture(place / f"s{study}" / f"{name}.jpg", seed=seed)
            metadata.append((name, subject, study, view, date, time))
            splits.append((name, study, subject, "train" if subject == "10000001" else "test"))
        (place / f"s{study}.txt").write_text(REPORT)
        cells = ["1.0" if column == finding else "" for column in CHEXPERT_LABELS]
        labels.append((subject, study, *cells))
    table(folder / "mimic-cxr-2.0.0-metadata.csv",
          ("dicom_id", "subject_id", "study_id", "ViewPosition", "StudyDate", "StudyTime"),
          *metadata)  # fmt: skip
    table(folder / "mimic-cxr-2.0.0-chexpert.csv",
          ("subject_id", "study_id", *CHEXPERT_LABELS), *labels)  # fmt: skip
    table(folder / "mimic-cxr-2.0.0-split.csv",
          ("dicom_id", "study_id", "subject_id", "split"), *splits)  # fmt: skip
    return folder


def mimic_struct(folder: Path) -> Path:
    folder.mkdir(parents=True)
    told = {
        "findings": {
            "s50000001": "[Cardiac: Heart Size] The heart is normal. [Breathing: Lungs] Clear.",
            "s50000002": "[Cardiac: Heart Size] The heart is normal. "
            "[Breathing: Pleura] The left effusion has increased.",
        },
        "impression": {"s50000002": "[Breathing: Pleura] Larger effusion than before."},
    }
    (folder / "mimic_cxr_struct.json").write_text(json.dumps(told))
    return folder


def mimic_diff_vqa(folder: Path) -> Path:
    columns = ("study_id", "subject_id", "ref_id", "question_type", "question", "answer", "split")
    table(
        folder / "mimic_pair_questions.csv",
        columns,
        ("50000002", "10000001", "50000001", "difference",
         "what has changed compared to the reference image?", "an effusion is new.", "train"),
        ("50000002", "10000001", "50000001", "presence", "is there any effusion?", "yes", "train"),
        ("50000002", "10000001", "50000001", "view", "which view is this image taken?", "PA view",
         "train"),
        ("59999999", "10000009", "50000001", "presence", "is there edema?", "no", "train"),
    )  # fmt: skip
    return folder


def ms_cxr(folder: Path) -> Path:
    columns = ("category_name", "label_text", "path", "x", "y", "w", "h", "image_width",
               "image_height", "dicom_id")  # fmt: skip
    path = "files/p10/p10000001/s50000002/b.jpg"
    phrase = "Small left pleural effusion"
    table(
        folder / "MS_CXR_Local_Alignment_v1.0.0.csv",
        columns,
        ("Pleural Effusion", phrase, path, 500, 600, 250, 200, 1000, 1000, "b"),
        ("Pleural Effusion", phrase, path, 100, 600, 50, 200, 1000, 1000, "b"),
        ("Edema", "edema", "files/p10/p10000009/s59999999/z.jpg", 0, 0, 9, 9, 10, 10, "z"),
    )
    return folder


def padchest(folder: Path) -> Path:
    columns = ("ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth",
               "PatientSex_DICOM", "Projection", "Report", "Labels")  # fmt: skip
    picture(folder / "0" / "one_lateral.png", seed=300)
    picture(folder / "0" / "one.png", seed=301)
    picture(folder / "0" / "two.png", seed=302)
    report = "derrame pleural izquierdo ."
    labels = "['pleural effusion', 'unknown thing', '']"
    table(
        folder / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv",
        columns,
        ("one_lateral.png", "0", "20140915", "S1", "P1", "1930.0", "F", "L", report, labels),
        ("two.png", "0", "20150915", "S2", "P2", "1950.0", "M", "AP_horizontal", "normal .",
         "['normal']"),
        ("one.png", "0", "20140915", "S1", "P1", "1930.0", "F", "PA", report, labels),
        ("gone.png", "0", "20140915", "S3", "P3", "1930.0", "F", "PA", report, labels),
        ("rib.png", "0", "20140915", "S3", "P3", "1930.0", "F", "COSTAL", report, labels),
    )  # fmt: skip
    return folder


def vindr(folder: Path) -> Path:
    """Two of three radiologists agree on an effusion; one alone sees a nodule."""
    columns = ("image_id", "rad_id", "class_name", "x_min", "y_min", "x_max", "y_max")
    dicom_file(folder / "train" / "v1.dicom", seed=400, patient="", side=200)
    dicom_file(folder / "train" / "v2.dicom", seed=401, patient="", side=200)
    dicom_file(folder / "test" / "v3.dicom", seed=402, patient="", side=200)
    table(
        folder / "annotations" / "annotations_train.csv",
        columns,
        ("v1", "R1", "Pleural effusion", 100, 100, 140, 160),
        ("v1", "R2", "Pleural effusion", 104, 100, 144, 160),
        ("v1", "R3", "Nodule/Mass", 10, 10, 20, 20),
        *(("v2", reader, "No finding", "", "", "", "") for reader in ("R1", "R2", "R3")),
        ("gone", "R1", "No finding", "", "", "", ""),
    )
    table(
        folder / "annotations" / "annotations_test.csv",
        ("image_id", "class_name", "x_min", "y_min", "x_max", "y_max"),
        ("v3", "Cardiomegaly", 20, 100, 180, 160),
    )
    return folder


def object_cxr(folder: Path) -> Path:
    picture(folder / "train" / "00001.jpg", seed=500, side=200)
    picture(folder / "train" / "00002.jpg", seed=501, side=200)
    picture(folder / "dev" / "08001.jpg", seed=502, side=200)
    table(
        folder / "train.csv",
        ("image_name", "annotation"),
        ("00001.jpg", "0 20 40 60 80;2 100 100 120 110 110 140"),
        ("00002.jpg", ""),
        ("gone.jpg", ""),
    )
    table(folder / "dev.csv", ("image_name", "annotation"), ("08001.jpg", "1 ten 2 3 4"))
    return folder


def candid(folder: Path) -> Path:
    dicom_file(folder / "dicom" / "1.2.3.dcm", seed=600, patient="C1")
    dicom_file(folder / "dicom" / "1.2.4.dcm", seed=601, patient="C2")
    code = encode_siim(block(top=0, left=512))
    report = "Left pneumothorax. The heart is normal."
    table(folder / "Pneumothorax_reports.csv", ("SOPInstanceUID", "EncodedPixels", "Report"),
          ("1.2.3", code, report), ("1.2.4", "-1", "Normal chest."))  # fmt: skip
    table(folder / "Rib_fracture_mask_rle.csv", ("anon_SOPUID", "mask_rle"))
    table(folder / "chest_tube.csv", ("anon_SOPUID", "mask_rle"), ("1.2.3", code))
    return folder


def siim(folder: Path) -> Path:
    dicom_file(folder / "dicom-images-train" / "a" / "s1.dcm", seed=610, patient="S1")
    dicom_file(folder / "dicom-images-train" / "b" / "s2.dcm", seed=611, patient="S2")
    table(folder / "train-rle.csv", ("ImageId", " EncodedPixels"),
          ("s1", encode_siim(block(top=512, left=0))),
          ("s1", encode_siim(block(top=0, left=900))),
          ("s2", "-1"))  # fmt: skip
    return folder


def slake(folder: Path) -> Path:
    picture(folder / "imgs" / "xmlab1" / "source.jpg", seed=700)

    def row(number: int, question: str, answer: str, **told: object) -> dict[str, object]:
        return {
            "img_id": 1, "img_name": "xmlab1/source.jpg", "question": question, "answer": answer,
            "q_lang": "en", "location": "Lung", "modality": "X-Ray", "answer_type": "OPEN",
            "base_type": "vqa", "content_type": "Organ", "triple": ["vhead", "_", "_"],
            "qid": number,
        } | told  # fmt: skip

    rows = [
        row(1, "Which organ is abnormal?", "Lung"),
        row(2, "Is the lung healthy?", "No", answer_type="CLOSED"),
        row(3, "肺健康吗?", "不", q_lang="zh"),
        row(4, "Is this a brain?", "Yes", location="Brain_Tissue", modality="MRI"),
    ]
    (folder / "train.json").write_text("[]")
    (folder / "validate.json").write_text("[]")
    (folder / "test.json").write_text(json.dumps(rows))
    return folder


def roco(folder: Path) -> Path:
    for part, text in (
        ("train", "ROCO_00001\t Chest X-ray with a left effusion.\nROCO_00002\tCT of the knee.\n"),
        ("validation", "ROCO_00003\tPA chest\tradiograph.\n"),
        ("test", ""),
    ):
        place = folder / part / "radiology"
        place.mkdir(parents=True)
        (place / "captions.txt").write_text(text, encoding="utf-8")
    picture(folder / "train" / "radiology" / "images" / "ROCO_00001.jpg", seed=800)
    return folder


def radnli(folder: Path) -> Path:
    def row(number: int, hypothesis: str, relation: str) -> dict[str, object]:
        return {"pair_id": number, "sentence1": "There is no effusion.", "sentence2": hypothesis,
                "gold_label": relation}  # fmt: skip

    lines(folder / "radnli_dev_v1.jsonl", row(1, "The lungs are clear.", "neutral"))
    lines(
        folder / "radnli_test_v1.jsonl",
        row(2, "An effusion is seen.", "contradiction"),
        row(3, "No pleural fluid.", "entailment"),
        row(4, "Whatever.", "-"),
    )
    return folder


def radgraph(folder: Path) -> Path:
    folder.mkdir(parents=True)
    entities = {
        "2": {"tokens": "effusion", "label": "OBS-DP", "start_ix": 3, "end_ix": 3, "relations": []},
        "1": {"tokens": "left", "label": "ANAT-DP", "start_ix": 2, "end_ix": 2, "relations": []},
    }
    one = {"text": "small left effusion .", "entities": entities, "data_source": "MIMIC-CXR"}
    two = {"text": "small left effusion .", "labeler_1": {"entities": entities},
           "labeler_2": {"entities": {}}}  # fmt: skip
    (folder / "train.json").write_text(json.dumps({"p10/p10000001/s50000001.txt": one}))
    (folder / "dev.json").write_text(json.dumps({}))
    (folder / "test.json").write_text(json.dumps({"p18/p18000009/s5.txt": two}))
    return folder


def rexval(folder: Path) -> Path:
    table(
        folder / "50_samples_gt_and_candidates.csv",
        ("study_id", "gt_report", "radgraph", "bertscore", "s_emb", "bleu"),
        ("s1", "Left effusion.", "Right effusion.", "Left effusion.", "No effusion.", "Effusion."),
    )
    table(
        folder / "6_valid_raters_per_rater_error_categories.csv",
        ("study_number", "candidate_type", "error_category", "rater_index",
         "clinically_significant", "num_errors"),
        ("0", "radgraph", "3", "0", "True", "1"), ("0", "radgraph", "3", "1", "True", "1"),
        ("0", "radgraph", "3", "2", "True", "0"), ("0", "radgraph", "4", "0", "False", "2"),
        ("0", "s_emb", "2", "0", "True", "1"), ("0", "s_emb", "2", "1", "True", "0"),
    )  # fmt: skip
    return folder


MAKERS = {
    "nih": nih, "chexpert": chexpert, "mimic": mimic, "mimic_struct": mimic_struct,
    "mimic_diff_vqa": mimic_diff_vqa, "ms_cxr": ms_cxr, "padchest": padchest, "vindr": vindr,
    "object_cxr": object_cxr, "candid": candid, "siim": siim, "slake": slake, "roco": roco,
    "radnli": radnli, "radgraph": radgraph, "rexval": rexval,
}  # fmt: skip


def make(root: Path, *names: str) -> dict[str, Path]:
    """The folders of these sources, made."""
    return {name: MAKERS[name](root / name) for name in names}
