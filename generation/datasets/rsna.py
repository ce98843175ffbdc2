"""Opacity boxes of the RSNA Pneumonia Detection Challenge, for the NIH images they were drawn on.

``stage_2_train_labels.csv``, and which NIH image each one is: the challenge's own
``pneumonia-challenge-dataset-mappings_2018.json``, or ``nih_map.csv`` (patientId, Image Index).
"""

import json
from collections import defaultdict
from pathlib import Path

from generation.datasets.parsed import Skip, SourceBox, place_box, read_table, require_folder
from generation.errors import RemediableError

LABELS = "stage_2_train_labels.csv"
PATIENT, TARGET, PLACE = "patientId", "Target", ("x", "y", "width", "height")
MAP_TABLE, MAP_JSON = "nih_map.csv", "pneumonia-challenge-dataset-mappings_2018.json"
NIH_NAME = "Image Index"
SIDE_PX = 1024
"""Boxes are in pixels of squares of this side."""
FINDING = "lung opacity"


def read_opacity_boxes(folder: Path) -> tuple[dict[str, list[SourceBox]], list[Skip]]:
    """The boxes of each NIH image by its file name, and the rows that cannot be used."""
    names = read_nih_names(require_folder(folder))
    boxes: dict[str, list[SourceBox]] = defaultdict(list)
    skipped: list[Skip] = []
    for row in read_table(folder / LABELS, columns=(PATIENT, TARGET, *PLACE)):
        if row[TARGET].strip() != "1":
            continue
        name = names.get(row[PATIENT])
        if name is None:
            reason = "is not in the mapping to NIH images"
            skipped.append(Skip(file=row[PATIENT], what="box", reason=reason))
            continue
        box = place_box(row, columns=PLACE, side_px=SIDE_PX, finding=FINDING)
        if isinstance(box, str):
            skipped.append(Skip(file=name, what="box", reason=box))
        else:
            boxes[name].append(box)
    return boxes, skipped


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
