"""MIMIC-CXR-JPG (Johnson et al. 2019) as PhysioNet distributes it.

``mimic-cxr-2.0.0-metadata.csv``, ``-chexpert.csv`` and ``-split.csv``, plain or gzipped, and
``files/p10/p10000032/s50414267/<dicom id>.jpg``. Sex, age and race are in MIMIC-IV's
``patients.csv`` and ``admissions.csv``, masks of lungs and heart in CheXmask.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generation.datasets.attributes import (
    FRONTAL_VIEWS,
    MAX_AGE_YEARS,
    parse_race,
    parse_sex,
    parse_view,
)
from generation.datasets.chexmask import ChexMasks
from generation.datasets.chexpert import Views
from generation.datasets.files import find_picture, find_place, is_plain_path
from generation.datasets.labels import COLUMNS as LABELS
from generation.datasets.labels import Labels, Uncertain
from generation.datasets.parsed import (
    MISSING,
    RunLengthMask,
    Skip,
    Source,
    SourceImage,
    require_folder,
    unread,
)
from generation.datasets.scattered import Scattered, find_folder
from generation.datasets.spellings import MIMIC_LABELS as CHEXPERT
from generation.datasets.spellings import MIMIC_METADATA as METADATA
from generation.datasets.spellings import MIMIC_SPLIT as SPLIT
from generation.datasets.tables import Row, drain, find_table, header_of, named_in, stream_table

SUBJECT, STUDY, DICOM, VIEW, DATE = (
    "subject_id", "study_id", "dicom_id", "ViewPosition", "StudyDate",
)  # fmt: skip
PATIENTS, ADMISSIONS = "patients.csv", "admissions.csv"
SEX, ANCHOR_AGE, ANCHOR_YEAR = "gender", "anchor_age", "anchor_year"
RACES = ("race", "ethnicity")
"""The second in MIMIC-IV before its version 2."""


FILES = "files"


@dataclass(frozen=True, kw_only=True)
class Person:
    """What MIMIC-IV says of a subject: the age in one year gives that in every other.

    Sex and race are as they are written there.
    """

    sex: str = ""
    age_years: int | None = None
    year: int | None = None
    race: str = ""

    def age_at(self, date: str) -> int | None:
        """At a study's date (YYYYMMDD, shifted as MIMIC-IV's years are)."""
        if self.age_years is None or self.year is None or not date[:4].isdecimal():
            return None
        age = self.age_years + int(date[:4]) - self.year
        return age if 0 <= age <= MAX_AGE_YEARS else None


NOBODY = Person()


def read_mimic(
    folder: Path,
    *,
    uncertain: Uncertain,
    views: Views,
    chexmask: Path | None,
    demographics: Path | None,
) -> Source:
    """Check the layout, then yield the images in the order of the metadata."""
    metadata = find_table(require_folder(folder), *METADATA)
    skips: list[Skip] = []
    labels = read_labels(find_table(folder, *CHEXPERT), skips=skips)
    splits = read_splits(find_table(folder, *SPLIT), skips=skips)
    beside = find_place(metadata.parent, FILES)
    below = beside if beside.is_dir() else find_folder(folder, FILES)
    scattered = Scattered(below or folder)
    people = read_people(demographics, skips=skips) if demographics else {}
    masks = ChexMasks(chexmask) if chexmask else None
    skips.extend(masks.skips if masks else ())
    total = sum(1 for _ in stream_rows(metadata, views=views, skips=[]))

    def rows() -> Iterator[SourceImage | Skip]:
        for row in stream_rows(metadata, views=views, skips=skips):
            yield from drain(skips)
            name = path_of(row)
            if not is_plain_path(name):
                yield Skip(file=name, reason="is not the path of a file in the data set")
                continue
            path = find_picture(below, name) if below else scattered.find(row[DICOM])
            if path is None:
                reason = MISSING if below else scattered.reason(row[DICOM])
                yield Skip(file=f"{FILES}/{name}", reason=reason)
                continue
            found = masks.of_image(row[DICOM]) if masks else ()
            if isinstance(found, Skip):
                yield found
            yield from parse_row(
                row,
                path=path,
                labels=labels.get(whole(row[STUDY])),
                split=splits.get(row[DICOM], ""),
                uncertain=uncertain,
                person=people.get(whole(row[SUBJECT]), NOBODY),
                masks=found if isinstance(found, tuple) else (),
            )
        yield from drain(skips)

    return Source(total=total, rows=rows())


def parse_row(
    row: Row,
    *,
    path: Path,
    labels: tuple[str, ...] | None,
    split: str,
    uncertain: Uncertain,
    person: Person,
    masks: tuple[RunLengthMask, ...],
) -> Iterator[SourceImage | Skip]:
    """Yields the image; without a row of labels nothing is known of its findings."""
    given = dict(zip(LABELS, labels, strict=True)) if labels else {}
    read = Labels(given, uncertain=uncertain) if given else None
    if read is None:
        reason = f"its study has no row in {CHEXPERT[0]}"
        yield Skip(file=row[DICOM], what="label", reason=reason)
    else:
        yield from read.skips(row[DICOM])
    view, sex, race = parse_view(row[VIEW]), parse_sex(person.sex), parse_race(person.race)
    values = {"view": (row[VIEW], view), "sex": (person.sex, sex), "race": (person.race, race)}
    yield from unread(row[DICOM], values)
    yield SourceImage(
        source_id=row[DICOM],
        path=path,
        patient=whole(row[SUBJECT]),
        findings=read.findings if read else (),
        unknown_findings=read.unknown if read else (),
        is_normal=read.is_normal if read else False,
        source_labels=given | {STUDY: row[STUDY], "split": split} if given else {},
        view=view or "",
        sex=sex or "",
        age_years=person.age_at(row[DATE]),
        race=race or "",
        masks=masks,
    )


def stream_rows(metadata: Path, *, views: Views, skips: list[Skip]) -> Iterator[Row]:
    columns = (DICOM, SUBJECT, STUDY, VIEW, DATE)
    for row in stream_table(metadata, columns=columns, skips=skips):
        if views == "all" or parse_view(row[VIEW]) in FRONTAL_VIEWS:
            yield row


def path_of(row: Row) -> str:
    """Where a picture lies in the folder of files; some copies have none, and all in one."""
    patient = f"p{whole(row[SUBJECT])}"
    return f"{patient[:3]}/{patient}/s{whole(row[STUDY])}/{row[DICOM]}.jpg"


def whole(number: str) -> str:
    """Returns an id without the decimal that spreadsheets and data frames give it."""
    return number.strip().removesuffix(".0")


def read_labels(table: Path, *, skips: list[Skip]) -> dict[str, tuple[str, ...]]:
    """Returns the cells of each study; equal rows share one tuple, since most are of few kinds."""
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    labels = {}
    for row in stream_table(table, columns=(STUDY, *LABELS), skips=skips, what="label"):
        cells = tuple(row[name] for name in LABELS)
        labels[whole(row[STUDY])] = shared.setdefault(cells, cells)
    return labels


def read_splits(table: Path, *, skips: list[Skip]) -> dict[str, str]:
    rows = stream_table(table, columns=(DICOM, "split"), skips=skips, what="label")
    return {row[DICOM]: row["split"] for row in rows}


def read_people(folder: Path, *, skips: list[Skip]) -> dict[str, Person]:
    """Returns sex, age and race of each subject from MIMIC-IV's hospital tables."""
    races: dict[str, str] = {}
    admissions = find_table(folder, ADMISSIONS)
    race = named_in(header_of(admissions), *RACES) or RACES[0]
    for row in stream_table(admissions, columns=(SUBJECT, race), skips=skips, what="label"):
        if parse_race(row[race]) != "":
            races.setdefault(whole(row[SUBJECT]), sys.intern(row[race]))
    columns = (SUBJECT, SEX, ANCHOR_AGE, ANCHOR_YEAR)
    return {
        whole(row[SUBJECT]): Person(
            sex=sys.intern(row[SEX]),
            age_years=parse_number(row[ANCHOR_AGE]),
            year=parse_number(row[ANCHOR_YEAR]),
            race=races.get(whole(row[SUBJECT]), ""),
        )
        for row in stream_table(
            find_table(folder, PATIENTS), columns=columns, skips=skips, what="label"
        )
    }


def parse_number(text: str) -> int | None:
    """Whole, as ``52`` or ``52.0``."""
    whole = text.strip().removesuffix(".0")
    return int(whole) if whole.isascii() and whole.isdecimal() else None
