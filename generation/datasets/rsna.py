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
from generation.datasets.files import (
    find_file,
    legible,
    places_below,
    without_suffix,
)
from generation.datasets.labels import read_label
from generation.datasets.parsed import (
    SHOWN_CHARACTERS,
    Skip,
    Source,
    SourceBox,
    SourceImage,
    place_box,
    require_folder,
)
from generation.datasets.scattered import Scattered, find_folder, key_of
from generation.datasets.spellings import RSNA_CLASSES as CLASSES
from generation.datasets.spellings import RSNA_IMAGES as IMAGES
from generation.datasets.spellings import RSNA_LABELS as LABELS
from generation.datasets.tables import find_table, read_table, stream_table
from generation.errors import RemediableError

PATIENT, TARGET, PLACE = "patientId", "Target", ("x", "y", "width", "height")
CLASS, NORMAL_CLASS = "class", "Normal"
CLASSES_KNOWN = frozenset({"", NORMAL_CLASS, "Lung Opacity", "No Lung Opacity / Not Normal"})
MAP_TABLE, MAP_JSON = "nih_map.csv", "pneumonia-challenge-dataset-mappings_2018.json"
NIH_NAME = "Image Index"
SIDE_PX = 1024
"""Boxes are in pixels of squares of this side."""
FINDING = "lung opacity"
LABELLED = ("pneumonia", FINDING)
"""What readers of the challenge looked for: opacities that suggest pneumonia."""
ORIGIN = "nih"

Boxes = dict[str, list[SourceBox] | None]
"""By image; None where a row says neither that there is an opacity nor that there is none."""


def read_rsna(folder: Path) -> Source:
    """Check the layout, then yield the challenge's training images in the order of its labels.

    Where it is known which NIH image each one is, its patient is NIH's.
    """
    apart = find_folder(require_folder(folder), *IMAGES)
    images = Scattered(apart or folder)
    boxes, skipped = read_boxes(folder)
    classes = read_classes(folder, skips=skipped)
    names = read_nih_names(folder, skips=skipped) if has_nih_names(folder) else {}
    patients = {challenge_id: nih_patient(name) for challenge_id, name in names.items()}

    def rows() -> Iterator[SourceImage | Skip]:
        yield from skipped
        for patient, found in boxes.items():
            name = f"{patient}.dcm"
            path = images.find(patient)
            if path is None:
                yield Skip(file=name, reason=images.reason(patient))
                continue
            if (seen := classes.get(patient, "")) not in CLASSES_KNOWN:
                reason = f"the class {seen[:SHOWN_CHARACTERS]!r} is not known"
                yield Skip(file=name, what="label", reason=reason)
            yield parse_image(
                path,
                patient=patients.get(patient, patient),
                boxes=found,
                seen=seen,
                nih_name=names.get(patient, ""),
            )
        listed = {key_of(name) for name in boxes}
        for name in sorted(images.names() - listed) if apart else ():
            yield Skip(file=f"{legible(name)}.dcm", reason=f"has no row in {LABELS[0]}")

    return Source(total=len(boxes), rows=rows(), patients_of=ORIGIN if names else "")


def parse_image(
    path: Path, *, patient: str, boxes: list[SourceBox] | None, seen: str, nih_name: str
) -> SourceImage:
    """Returns an image; where ``boxes`` is None, nothing is known of what readers looked for."""
    is_normal = seen == NORMAL_CLASS and boxes is not None
    known = FINDINGS if is_normal else () if boxes is None else LABELLED
    return SourceImage(
        source_id=without_suffix(path.name),
        path=path,
        patient=patient,
        findings=LABELLED if boxes else (),
        unknown_findings=tuple(finding for finding in FINDINGS if finding not in known),
        is_normal=is_normal and not boxes,
        source_labels={TARGET: "" if boxes is None else str(int(bool(boxes))), CLASS: seen},
        known_as=f"{ORIGIN}:{nih_name}" if nih_name else "",
        boxes=tuple(boxes or ()),
    )


def nih_patient(name: str) -> str:
    """Returns the patient's number as NIH's table writes it, of ``00000061_012.png``."""
    number = name.partition("_")[0]
    if not number.isdecimal():
        raise RemediableError(
            f"The mapping to NIH images has the name {name!r}.",
            remedy="Fetch the mapping again: NIH's names are like 00000061_012.png.",
        )
    return str(int(number))


def read_boxes(folder: Path) -> tuple[Boxes, list[Skip]]:
    """Returns the boxes of each of the challenge's images, none of many, and rows of no use."""
    boxes: Boxes = {}
    skipped: list[Skip] = []
    table = find_table(require_folder(folder), *LABELS)
    for row in stream_table(table, columns=(PATIENT, TARGET, *PLACE), skips=skipped):
        found = boxes.setdefault(row[PATIENT], [])
        target = read_label(row[TARGET]) if row[TARGET].strip() else None
        if target not in {0, 1}:
            boxes[row[PATIENT]] = None
            reason = f"its {TARGET} is neither 1 nor 0"
            skipped.append(Skip(file=row[PATIENT], what="label", reason=reason))
        if target != 1 or found is None:
            continue
        box = place_box(row, columns=PLACE, side_px=SIDE_PX, finding=FINDING)
        if isinstance(box, str):
            skipped.append(Skip(file=row[PATIENT], what="box", reason=box))
        else:
            found.append(box)
    return boxes, skipped


def read_classes(folder: Path, *, skips: list[Skip]) -> dict[str, str]:
    table = find_table(folder, *CLASSES)
    rows = stream_table(table, columns=(PATIENT, CLASS), skips=skips, what="label")
    known = {name.casefold(): name for name in CLASSES_KNOWN}
    told = ((row[PATIENT], row[CLASS].strip()) for row in rows)
    return {patient: known.get(seen.casefold(), seen) for patient, seen in told}


def read_opacity_boxes(folder: Path) -> tuple[dict[str, list[SourceBox]], list[Skip]]:
    """Returns the boxes of each NIH image by its file name, and the rows that cannot be used."""
    of_patients, skipped = read_boxes(require_folder(folder))
    names = read_nih_names(folder, skips=skipped)
    boxes: dict[str, list[SourceBox]] = defaultdict(list)
    for patient, found in of_patients.items():
        if found and patient in names:
            boxes[names[patient]] += found
        elif found:
            reason = "is not in the mapping to NIH images"
            skipped.append(Skip(file=patient, what="box", reason=reason))
    return boxes, skipped


def has_nih_names(folder: Path) -> bool:
    return bool(_map_in(folder, MAP_TABLE) or _map_in(folder, MAP_JSON))


def _map_in(folder: Path, name: str) -> Path | None:
    return next(
        (found for place in places_below(folder) if (found := find_file(place, name))), None
    )


def read_nih_names(folder: Path, *, skips: list[Skip]) -> dict[str, str]:
    """Returns the NIH file name of each of the challenge's patient ids."""
    if table := _map_in(folder, MAP_TABLE):
        rows = read_table(table, columns=(PATIENT, NIH_NAME), skips=skips, what="label")
        return {row[PATIENT]: row[NIH_NAME] for row in rows}
    mapping = _map_in(folder, MAP_JSON) or folder / MAP_JSON
    try:
        entries = json.loads(mapping.read_text(encoding="utf-8-sig"))
        return {str(entry["subset_img_id"]): str(entry["img_id"]) for entry in entries}
    except FileNotFoundError as error:
        raise RemediableError(
            f"{folder} holds neither {MAP_JSON} nor {MAP_TABLE}.",
            remedy="Fetch the mapping from the challenge's page: it says which NIH image is which.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RemediableError(
            f"{MAP_JSON} is not the challenge's mapping: {error!r}",
            remedy="Fetch the file again as it is distributed.",
        ) from error
