"""CheXpert (Irvin et al. 2019) as Stanford distributes it: ``train.csv``, ``valid.csv``, JPEGs.

``Path`` starts with the folder's own name. ``CHEXPERT DEMO.csv`` (the distributed spreadsheet
saved as CSV: PATIENT, PRIMARY_RACE), where it is there, tells patients' race.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from generation.datasets.attributes import parse_age, parse_race, parse_sex, parse_view
from generation.datasets.files import find_file, is_plain_path, nfc
from generation.datasets.labels import COLUMNS as LABELS
from generation.datasets.labels import Labels, Uncertain
from generation.datasets.parsed import (
    MISSING,
    Skip,
    Source,
    SourceImage,
    require_folder,
    unread,
)
from generation.datasets.tables import Row, drain, stream_table
from generation.errors import RemediableError

Views = Literal["frontal", "all"]

TABLES = ("train.csv", "valid.csv")
PATH, SEX, AGE, SIDE, PROJECTION = "Path", "Sex", "Age", "Frontal/Lateral", "AP/PA"
COLUMNS = (PATH, SEX, AGE, SIDE, PROJECTION, *LABELS)
DEMOGRAPHICS, PATIENT, RACE = "CHEXPERT DEMO.csv", "PATIENT", "PRIMARY_RACE"
PATIENT_FOLDER = re.compile(r"patient\d+")
LATERAL = "lateral"
SIDES = frozenset({"frontal", LATERAL})


def read_chexpert(folder: Path, *, uncertain: Uncertain, views: Views) -> Source:
    """Check the layout, then yield the images in the order of the tables."""
    tables = [path for name in TABLES if (path := require_folder(folder) / name).is_file()]
    if not tables:
        raise RemediableError(
            f"{folder} holds no train.csv or valid.csv.",
            remedy="Give the folder of the data set as it is distributed.",
        )
    total = sum(1 for _ in stream_rows(tables, views=views, skips=[]))
    skips: list[Skip] = []
    races = read_races(folder / DEMOGRAPHICS, skips=skips)

    def rows() -> Iterator[SourceImage | Skip]:
        seen: set[str] = set()
        for row in stream_rows(tables, views=views, skips=skips):
            yield from parse_row(row, folder=folder, races=races, uncertain=uncertain, seen=seen)
            yield from drain(skips)
        yield from drain(skips)

    return Source(total=total, rows=rows())


def stream_rows(tables: list[Path], *, views: Views, skips: list[Skip]) -> Iterator[Row]:
    """The rows that are asked for; one that says neither frontal nor lateral is among them."""
    for table in tables:
        for row in stream_table(table, columns=COLUMNS, skips=skips):
            if views == "all" or row[SIDE].strip().casefold() != LATERAL:
                yield row


def parse_row(
    row: Row, *, folder: Path, races: dict[str, str], uncertain: Uncertain, seen: set[str]
) -> Iterator[SourceImage | Skip]:
    name = nfc(row[PATH].strip()).partition("/")[2]
    patient = PATIENT_FOLDER.search(name)
    path = find_file(folder, name) if is_plain_path(name) else None
    problem = find_problem(name, row=row, is_there=path is not None, seen=seen)
    seen.add(name)
    if problem or patient is None or path is None:
        yield Skip(file=row[PATH], reason=problem)
        return
    labels = Labels(row, uncertain=uncertain)
    yield from labels.skips(row[PATH])
    age = parse_age(row[AGE])
    if age is None:
        yield Skip(file=row[PATH], what="label", reason=f"the age {row[AGE]!r} is not plausible")
    told_race = races.get(patient.group(), "")
    sex, race = parse_sex(row[SEX]), parse_race(told_race)
    projection = row[SIDE] if is_lateral(row) else row[PROJECTION]
    view = parse_view(projection)
    values = {"sex": (row[SEX], sex), "race": (told_race, race), "view": (projection, view)}
    yield from unread(row[PATH], values)
    yield SourceImage(
        source_id=name,
        path=path,
        patient=patient.group(),
        findings=labels.findings,
        unknown_findings=labels.unknown,
        is_normal=labels.is_normal,
        source_labels={column: cell for column, cell in row.items() if column != PATH},
        view=view or "",
        sex=sex or "",
        age_years=age,
        race=race or "",
    )


def is_lateral(row: Row) -> bool:
    return row[SIDE].strip().casefold() == LATERAL


def find_problem(name: str, *, row: Row, is_there: bool, seen: set[str]) -> str:
    """Why a row cannot be used; empty where it can."""
    if name in seen:
        return "is listed more than once: only the first row counts"
    if not is_plain_path(name):
        return "is not the path of a file in the data set"
    if not PATIENT_FOLDER.search(name):
        return "is in no folder of a patient"
    if row[SIDE].strip().casefold() not in SIDES:
        return f"its {SIDE} {row[SIDE]!r} is neither frontal nor lateral"
    return "" if is_there else MISSING


def read_races(path: Path, *, skips: list[Skip]) -> dict[str, str]:
    """What is said of each patient's race; empty where there is no such table."""
    if not path.is_file():
        return {}
    rows = stream_table(path, columns=(PATIENT, RACE), skips=skips, what="label")
    return {row[PATIENT].strip(): row[RACE] for row in rows}
