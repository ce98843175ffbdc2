"""PadChest (Bustos et al. 2020): reports in Spanish, labels, views; an exam is a study."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from generation.conditioning.findings import FINDINGS
from generation.datasets.attributes import LATERAL, MAX_AGE_YEARS, parse_sex
from generation.datasets.files import is_plain_path
from generation.datasets.parsed import MISSING, Skip, require_folder
from generation.datasets.tables import Row, stream_rows
from generation.errors import RemediableError
from generation.vlm.instructions.records import Exam, Picture
from generation.vlm.instructions.sources.common import Folders, picture_at

NAME = "padchest"
TABLES = "PADCHEST_chest_x_ray_images_labels_160K*.csv*"
IMAGE, FOLDER, STUDY, PATIENT = "ImageID", "ImageDir", "StudyID", "PatientID"
DATE, BIRTH, SEX, VIEW = "StudyDate_DICOM", "PatientBirth", "PatientSex_DICOM", "Projection"
REPORT, LABELS = "Report", "Labels"
COLUMNS = (IMAGE, FOLDER, STUDY, PATIENT, DATE, BIRTH, SEX, VIEW, REPORT, LABELS)
VIEWS = {"PA": "PA", "AP": "AP", "AP_horizontal": "AP", "L": LATERAL}
NORMAL, UNUSABLE = "normal", {"exclude", "suboptimal study", "unchanged"}
FINDING_OF = {
    "atelectasis": "atelectasis",
    "total atelectasis": "atelectasis",
    "lobar atelectasis": "atelectasis",
    "laminar atelectasis": "atelectasis",
    "cardiomegaly": "cardiomegaly",
    "consolidation": "consolidation",
    "pulmonary edema": "edema",
    "pleural effusion": "effusion",
    "emphysema": "emphysema",
    "pulmonary fibrosis": "fibrosis",
    "hiatal hernia": "hernia",
    "infiltrates": "infiltration",
    "pulmonary mass": "mass",
    "nodule": "nodule",
    "multiple nodules": "nodule",
    "pleural thickening": "pleural thickening",
    "apical pleural thickening": "pleural thickening",
    "pneumonia": "pneumonia",
    "atypical pneumonia": "pneumonia",
    "pneumothorax": "pneumothorax",
    "hydropneumothorax": "pneumothorax",
    "rib fracture": "fracture",
    "vertebral fracture": "fracture",
    "clavicle fracture": "fracture",
    "humeral fracture": "fracture",
    "pacemaker": "support devices",
    "central venous catheter": "support devices",
    "endotracheal tube": "support devices",
    "nasogastric tube": "support devices",
    "chest drain tube": "support devices",
}
"""PadChest's names that are a finding of the vocabulary."""


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """Reads a study's frontal pictures first; its rows need not stand together."""
    folder = require_folder(folders[NAME])
    studies: dict[str, list[Row]] = defaultdict(list)
    for row in stream_rows(find_table(folder), columns=COLUMNS):
        if isinstance(row, Skip):
            yield row
            continue
        kept = {column: row[column] for column in COLUMNS}
        studies[row[STUDY]].append(kept)
    for study, rows in studies.items():
        pictures = []
        for row in rows:
            found = picture_of(row, folder)
            if isinstance(found, Skip):
                yield found
            else:
                pictures.append(found)
        if pictures:
            frontal_first = sorted(pictures, key=lambda picture: picture.view == LATERAL)
            yield _exam(study, rows[0], tuple(frontal_first))


def find_table(folder: Path) -> Path:
    found = sorted(folder.glob(TABLES))
    if not found:
        raise RemediableError(
            f"{folder} holds no {TABLES}.",
            remedy="Give the folder of the data set with its table of labels.",
        )
    return found[0]


def picture_of(row: Row, folder: Path) -> Picture | Skip:
    """Returns a row's picture, in the folder that it names or beside the table."""
    view = VIEWS.get(row[VIEW].strip())
    if view is None:
        return Skip(file=row[IMAGE], reason=f"has the projection {row[VIEW]!r}")
    for name in (f"{row[FOLDER].strip()}/{row[IMAGE]}", row[IMAGE]):
        if is_plain_path(name) and (folder / name).is_file():
            return picture_at(NAME, folder, folder / name, view=view)
    return Skip(file=row[IMAGE], reason=MISSING)


def labels_of(text: str) -> list[str]:
    """Returns the names of a list as Python writes it; none where it is none."""
    try:
        labels = ast.literal_eval(text) if text.strip() else []
    except (ValueError, SyntaxError):
        return []
    return [str(label).strip().lower() for label in labels if str(label).strip()]


def age_of(row: Row) -> int | None:
    """Returns the year of the study less that of birth."""
    years = row[DATE].strip()[:4], row[BIRTH].strip().partition(".")[0][:4]
    if not all(year.isdecimal() for year in years):
        return None
    age = int(years[0]) - int(years[1])
    return age if 0 <= age <= MAX_AGE_YEARS else None


def _exam(study: str, row: Row, pictures: Sequence[Picture]) -> Exam:
    labels = labels_of(row[LABELS])
    found = {FINDING_OF[label] for label in labels if label in FINDING_OF}
    is_usable = bool(labels) and not UNUSABLE.intersection(labels)
    report = " ".join(row[REPORT].split())
    return Exam(
        source=NAME,
        key=study,
        patient=f"{NAME}:{row[PATIENT]}",
        pictures=tuple(pictures),
        present=tuple(finding for finding in FINDINGS if finding in found),
        absent=tuple(finding for finding in FINDINGS if finding not in found) if is_usable else (),
        is_normal=labels == [NORMAL],
        sex=parse_sex(row[SEX]) or "",
        age_years=age_of(row),
        sections={"impression": report} if report else {},
    )
