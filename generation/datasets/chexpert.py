"""CheXpert (Irvin et al. 2019) as Stanford distributes it: ``train.csv``, ``valid.csv``, JPEGs.

``Path`` starts with the folder's own name. ``CHEXPERT DEMO.csv`` (the distributed spreadsheet
saved as CSV: PATIENT, PRIMARY_RACE), where it is there, tells patients' race.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Literal

from generation.datasets.attributes import parse_age, parse_race, parse_sex, parse_view
from generation.datasets.files import find_file, find_picture, is_plain_path, nfc, places_below
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
from generation.datasets.spellings import CHEXPERT_DEMOGRAPHICS as DEMOGRAPHICS
from generation.datasets.spellings import CHEXPERT_TABLES
from generation.datasets.tables import Row, drain, find_table, header_of, named_in, stream_table
from generation.errors import RemediableError

Views = Literal["frontal", "all"]

PATH, SEX, AGE, SIDE, PROJECTION = "Path", "Sex", "Age", "Frontal/Lateral", "AP/PA"
NEEDED, OPTIONAL = (PATH, *LABELS), (SEX, AGE, SIDE, PROJECTION)
"""The tables of the test part have no more than labels."""
COLUMNS = (*NEEDED, *OPTIONAL)
PATIENT, RACE = "PATIENT", "PRIMARY_RACE"
SIDE_OF_NAME = re.compile(r"(frontal|lateral)[^/]*$")
PLACE = re.compile(r"(?:^|/)((?:train|valid|val|test)/patient\d+/.*)")
"""What of a path is the same in all copies; before it stands a folder of the copy."""
BATCHES = "CheXpert-v1.0 batch *"
"""Stanford distributes the pictures in folders of these names beside that of the tables."""
PATIENT_FOLDER = re.compile(r"patient\d+")
LATERAL = "lateral"
SIDES = frozenset({"frontal", LATERAL})


def read_chexpert(folder: Path, *, uncertain: Uncertain, views: Views) -> Source:
    """Check the layout, then yield the images in the order of the tables."""
    tables = find_tables(require_folder(folder))
    folders = find_folders(folder, tables)
    total = sum(1 for _ in stream_rows(tables, views=views, skips=[]))
    skips: list[Skip] = []
    races = read_races(folder, skips=skips)

    def rows() -> Iterator[SourceImage | Skip]:
        seen: set[str] = set()
        for row in stream_rows(tables, views=views, skips=skips):
            yield from parse_row(row, folders=folders, races=races, uncertain=uncertain, seen=seen)
            yield from drain(skips)
        yield from drain(skips)

    return Source(total=total, rows=rows())


def find_tables(folder: Path) -> list[Path]:
    """Returns the tables that there are, at least one of them."""
    found = []
    for names in CHEXPERT_TABLES:
        with suppress(RemediableError):
            found.append(find_table(folder, *names))
    return found or [find_table(folder, *chain.from_iterable(CHEXPERT_TABLES))]


def find_folders(folder: Path, tables: list[Path]) -> list[Path]:
    """Returns those of the tables, and the batches beside or below them, in which pictures may
    lie.
    """
    here = [table.parent for table in tables]
    batches = (path for place in (folder, *here) for path in sorted(place.glob(BATCHES)))
    beside = (path for place in here for path in sorted(place.parent.glob(BATCHES)))
    return [*dict.fromkeys((*here, folder, *batches, *beside))]


def name_of(row: Row) -> str:
    """Returns the picture's name in the data set, whatever stands before it and however slashes
    lean.
    """
    told = nfc(row[PATH].strip()).replace("\\", "/")
    place = PLACE.search(told)
    return place[1] if place else told.partition("/")[2]


def find_in(folders: list[Path], name: str) -> Path | None:
    """Returns the picture in the folder of the tables, or in one of the batches beside it."""
    names = (name, name.partition("/")[2])
    tried = (find_picture(folder, one) for folder in folders for one in names if one)
    return next((path for path in tried if path), None)


def stream_rows(tables: list[Path], *, views: Views, skips: list[Skip]) -> Iterator[Row]:
    """Yields the rows that are asked for; one that says neither frontal nor lateral is among
    them.
    """
    for table in tables:
        header = header_of(table)
        there = [name for name in COLUMNS if name in NEEDED or named_in(header, name)]
        for told in stream_table(table, columns=there, skips=skips):
            row = dict.fromkeys(OPTIONAL, "") | {SIDE: side_of(told[PATH])} | told
            if views == "all" or row[SIDE].strip().casefold() != LATERAL:
                yield row


def side_of(path: str) -> str:
    """Frontal or lateral, as the picture's name says where the table does not."""
    found = SIDE_OF_NAME.search(path.casefold())
    return found[1] if found else ""


def parse_row(
    row: Row, *, folders: list[Path], races: dict[str, str], uncertain: Uncertain, seen: set[str]
) -> Iterator[SourceImage | Skip]:
    name = name_of(row)
    patient = PATIENT_FOLDER.search(name)
    path = find_in(folders, name) if is_plain_path(name) else None
    problem = find_problem(name, row=row, is_there=path is not None, seen=seen)
    seen.add(name)
    if problem or patient is None or path is None:
        yield Skip(file=row[PATH], reason=problem)
        return
    labels = Labels(row, uncertain=uncertain)
    yield from labels.skips(row[PATH])
    age = parse_age(row[AGE])
    if age is None and row[AGE].strip():
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


def read_races(folder: Path, *, skips: list[Skip]) -> dict[str, str]:
    """Returns what is said of each patient's race; empty where there is no such table."""
    try:
        table = find_table(folder, *DEMOGRAPHICS)
    except RemediableError:
        spreadsheet = Path(DEMOGRAPHICS[0]).with_suffix(".xlsx").name
        if any(find_file(place, spreadsheet) for place in places_below(folder)):
            reason = "is a spreadsheet, and no race is known: save it as CSV beside it"
            skips.append(Skip(file=spreadsheet, what="label", reason=reason))
        return {}
    rows = stream_table(table, columns=(PATIENT, RACE), skips=skips, what="label")
    return {row[PATIENT].strip(): row[RACE] for row in rows}
