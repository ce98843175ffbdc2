"""CheXpert (Irvin et al. 2019) as Stanford distributes it: ``train.csv``, ``valid.csv``, JPEGs.

``Path`` starts with the folder's own name. ``CHEXPERT DEMO.csv`` (the distributed spreadsheet
saved as CSV: PATIENT, PRIMARY_RACE), where it is there, tells patients' race.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from generation.datasets.attributes import LATERAL, parse_age, parse_race, parse_sex, parse_view
from generation.datasets.labels import COLUMNS as LABELS
from generation.datasets.labels import Labels, Uncertain
from generation.datasets.parsed import (
    MISSING,
    Skip,
    Source,
    SourceImage,
    is_plain_path,
    require_folder,
)
from generation.datasets.tables import Row, stream_table
from generation.errors import RemediableError

Views = Literal["frontal", "all"]

TABLES = ("train.csv", "valid.csv")
PATH, SEX, AGE, SIDE, PROJECTION = "Path", "Sex", "Age", "Frontal/Lateral", "AP/PA"
COLUMNS = (PATH, SEX, AGE, SIDE, PROJECTION, *LABELS)
DEMOGRAPHICS, PATIENT, RACE = "CHEXPERT DEMO.csv", "PATIENT", "PRIMARY_RACE"
PATIENT_FOLDER = re.compile(r"patient\d+")


def read_chexpert(folder: Path, *, uncertain: Uncertain, views: Views) -> Source:
    """Check the layout, then yield the images in the order of the tables."""
    tables = [path for name in TABLES if (path := require_folder(folder) / name).is_file()]
    if not tables:
        raise RemediableError(
            f"{folder} holds no train.csv or valid.csv.",
            remedy="Give the folder of the data set as it is distributed.",
        )
    total = sum(1 for _ in stream_rows(tables, views=views))
    races = read_races(folder / DEMOGRAPHICS)

    def rows() -> Iterator[SourceImage | Skip]:
        seen: set[str] = set()
        for row in stream_rows(tables, views=views):
            yield from parse_row(row, folder=folder, races=races, uncertain=uncertain, seen=seen)

    return Source(total=total, rows=rows())


def stream_rows(tables: list[Path], *, views: Views) -> Iterator[Row]:
    for table in tables:
        for row in stream_table(table, columns=COLUMNS):
            if views == "all" or row[SIDE].strip() == "Frontal":
                yield row


def parse_row(
    row: Row, *, folder: Path, races: dict[str, str], uncertain: Uncertain, seen: set[str]
) -> Iterator[SourceImage | Skip]:
    name = row[PATH].partition("/")[2]
    patient = PATIENT_FOLDER.search(name)
    problem = find_problem(name, folder=folder, has_patient=patient is not None, seen=seen)
    seen.add(name)
    if problem or patient is None:
        yield Skip(file=row[PATH], reason=problem)
        return
    labels = Labels(row, uncertain=uncertain)
    yield from labels.skips(row[PATH])
    age = parse_age(row[AGE])
    if age is None:
        yield Skip(file=row[PATH], what="label", reason=f"the age {row[AGE]!r} is not plausible")
    yield SourceImage(
        source_id=name,
        path=folder / name,
        patient=patient.group(),
        findings=labels.findings,
        unknown_findings=labels.unknown,
        is_normal=labels.is_normal,
        source_labels={column: cell for column, cell in row.items() if column != PATH},
        view=LATERAL if row[SIDE].strip() == "Lateral" else parse_view(row[PROJECTION]),
        sex=parse_sex(row[SEX]),
        age_years=age,
        race=races.get(patient.group(), ""),
    )


def find_problem(name: str, *, folder: Path, has_patient: bool, seen: set[str]) -> str:
    """Why a row cannot be used; empty where it can."""
    if name in seen:
        return "is listed more than once: only the first row counts"
    if not is_plain_path(name):
        return "is not the path of a file in the data set"
    if not has_patient:
        return "is in no folder of a patient"
    return "" if (folder / name).is_file() else MISSING


def read_races(path: Path) -> dict[str, str]:
    """The race of each patient; empty where there is no such table."""
    if not path.is_file():
        return {}
    rows = stream_table(path, columns=(PATIENT, RACE))
    return {row[PATIENT]: race for row in rows if (race := parse_race(row[RACE]))}
