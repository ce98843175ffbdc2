"""The RSNA Pneumonia Detection Challenge (Shih et al. 2019), whose images are NIH's.

``stage_2_train_labels.csv`` has a row for each box, ``stage_2_detailed_class_info.csv`` what
was seen, ``stage_2_train_images/`` the DICOM files. Which NIH image each one is: the
challenge's own ``pneumonia-challenge-dataset-mappings_2018.json``, or ``nih_map.csv``
(patientId, Image Index). Its boxes can also come in with NIH's own images.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from generation.conditioning.findings import FINDINGS
from generation.datasets.parsed import (
    MISSING,
    Skip,
    Source,
    SourceBox,
    SourceImage,
    is_plain_name,
    place_box,
    require_folder,
)
from generation.datasets.tables import find_table, read_table, stream_table
from generation.errors import RemediableError

LABELS, CLASSES = "stage_2_train_labels.csv", "stage_2_detailed_class_info.csv"
IMAGES = "stage_2_train_images"
PATIENT, TARGET, PLACE = "patientId", "Target", ("x", "y", "width", "height")
CLASS, NORMAL_CLASS = "class", "Normal"
MAP_TABLE, MAP_JSON = "nih_map.csv", "pneumonia-challenge-dataset-mappings_2018.json"
NIH_NAME = "Image Index"
SIDE_PX = 1024
"""Boxes are in pixels of squares of this side."""
FINDING = "lung opacity"
LABELLED = ("pneumonia", FINDING)
"""What readers of the challenge looked for: opacities that suggest pneumonia."""
ORIGIN = "nih"

Boxes = dict[str, list[SourceBox]]


def read_rsna(folder: Path) -> Source:
    """Check the layout, then yield the challenge's training images in the order of its labels.

    Where it is known which NIH image each one is, its patient is NIH's.
    """
    images = require_folder(folder) / IMAGES
    if not images.is_dir():
        raise RemediableError(
            f"{folder} has no folder {IMAGES}.",
            remedy="Give the folder of the challenge as it is distributed, with its DICOM files.",
        )
    boxes, skipped = read_boxes(folder)
    classes = read_classes(folder)
    names = read_nih_names(folder) if has_nih_names(folder) else {}
    patients = {challenge_id: nih_patient(name) for challenge_id, name in names.items()}

    def rows() -> Iterator[SourceImage | Skip]:
        yield from skipped
        for patient, found in boxes.items():
            path = images / f"{patient}.dcm"
            if not is_plain_name(path.name) or not path.is_file():
                yield Skip(file=path.name, reason=MISSING)
                continue
            yield parse_image(
                path,
                patient=patients.get(patient, patient),
                boxes=found,
                seen=classes.get(patient, ""),
                nih_name=names.get(patient, ""),
            )
        for path in sorted(images.iterdir()):
            if path.suffix == ".dcm" and path.stem not in boxes:
                yield Skip(file=path.name, reason=f"has no row in {LABELS}")

    return Source(total=len(boxes), rows=rows(), patients_of=ORIGIN if names else "")


def parse_image(
    path: Path, *, patient: str, boxes: list[SourceBox], seen: str, nih_name: str
) -> SourceImage:
    is_normal = seen == NORMAL_CLASS
    known = FINDINGS if is_normal else LABELLED
    return SourceImage(
        source_id=path.stem,
        path=path,
        patient=patient,
        findings=LABELLED if boxes else (),
        unknown_findings=tuple(finding for finding in FINDINGS if finding not in known),
        is_normal=is_normal and not boxes,
        source_labels={TARGET: str(int(bool(boxes))), CLASS: seen},
        known_as=f"{ORIGIN}:{nih_name}" if nih_name else "",
        boxes=tuple(boxes),
    )


def nih_patient(name: str) -> str:
    """The patient's number as NIH's table writes it, of ``00000061_012.png``."""
    number = name.partition("_")[0]
    if not number.isdecimal():
        raise RemediableError(
            f"The mapping to NIH images has the name {name!r}.",
            remedy="Fetch the mapping again: NIH's names are like 00000061_012.png.",
        )
    return str(int(number))


def read_boxes(folder: Path) -> tuple[Boxes, list[Skip]]:
    """The boxes of each of the challenge's images, none of many, and rows of no use."""
    boxes: Boxes = {}
    skipped: list[Skip] = []
    table = find_table(require_folder(folder), LABELS)
    for row in stream_table(table, columns=(PATIENT, TARGET, *PLACE)):
        found = boxes.setdefault(row[PATIENT], [])
        if row[TARGET].strip() != "1":
            continue
        box = place_box(row, columns=PLACE, side_px=SIDE_PX, finding=FINDING)
        if isinstance(box, str):
            skipped.append(Skip(file=row[PATIENT], what="box", reason=box))
        else:
            found.append(box)
    return boxes, skipped


def read_classes(folder: Path) -> dict[str, str]:
    table = find_table(folder, CLASSES)
    return {row[PATIENT]: row[CLASS] for row in stream_table(table, columns=(PATIENT, CLASS))}


def read_opacity_boxes(folder: Path) -> tuple[Boxes, list[Skip]]:
    """The boxes of each NIH image by its file name, and the rows that cannot be used."""
    names = read_nih_names(require_folder(folder))
    of_patients, skipped = read_boxes(folder)
    boxes: Boxes = defaultdict(list)
    for patient, found in of_patients.items():
        if found and patient in names:
            boxes[names[patient]] += found
        elif found:
            reason = "is not in the mapping to NIH images"
            skipped.append(Skip(file=patient, what="box", reason=reason))
    return boxes, skipped


def has_nih_names(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (MAP_TABLE, MAP_JSON))


def read_nih_names(folder: Path) -> dict[str, str]:
    """The NIH file name of each of the challenge's patient ids."""
    if (folder / MAP_TABLE).is_file():
        rows = read_table(folder / MAP_TABLE, columns=(PATIENT, NIH_NAME))
        return {row[PATIENT]: row[NIH_NAME] for row in rows}
    try:
        entries = json.loads((folder / MAP_JSON).read_text())
        return {entry["subset_img_id"]: entry["img_id"] for entry in entries}
    except FileNotFoundError as error:
        raise RemediableError(
            f"{folder} holds neither {MAP_JSON} nor {MAP_TABLE}.",
            remedy="Fetch the mapping from the challenge's page: it says which NIH image is which.",
        ) from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise RemediableError(
            f"{MAP_JSON} is not the challenge's mapping: {error!r}",
            remedy="Fetch the file again as it is distributed.",
        ) from error
