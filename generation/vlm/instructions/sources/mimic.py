"""MIMIC-CXR and what is built on it: studies with reports, structured reports, questions.

A study is an exam. Its report lies beside its pictures, as ``files/p10/p10000032/s50414267.txt``
(MIMIC-CXR's reports unpacked into MIMIC-CXR-JPG's folder). The splits are MIMIC's own, by patient.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from generation.datasets.mimic import DATE, STUDY, SUBJECT, read_mimic
from generation.datasets.parsed import MISSING, Skip, SourceImage
from generation.datasets.spellings import MIMIC_METADATA
from generation.datasets.tables import find_table, stream_rows
from generation.errors import RemediableError
from generation.vlm.instructions.families.fine_perception import PHRASE
from generation.vlm.instructions.families.question_answering import ask, ask_difference
from generation.vlm.instructions.records import Draft, Exam, Region, whole_box
from generation.vlm.instructions.sources.common import (
    SPLITS,
    Folders,
    absent_of,
    picture_at,
    require_file,
    studies_among,
)
from generation.vlm.reports.sections import sections_of

NAME, STRUCTURED, DIFFERENCES, PHRASES = "mimic", "mimic_struct", "mimic_diff_vqa", "ms_cxr"
TIME, DICOM = "StudyTime", "dicom_id"
STRUCTURED_FILE = "mimic_cxr_struct.json"
PART = re.compile(r"\[([^\]:]+)(?::\s*([^\]]+))?\]\s*([^\[]*)")
"""``[Section: part] text``."""
DIFFERENCES_FILE = "mimic_pair_questions.csv"
DIFFERENCE = "difference"
PHRASES_FILES = tuple(f"MS_CXR_Local_Alignment_v{version}.csv" for version in ("1.1.0", "1.0.0"))
PHRASE_TEXT, CATEGORY, PLACE = "label_text", "category_name", ("x", "y", "w", "h")
SIZE = ("image_width", "image_height")


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """Studies with their labels and reports; what is uncertain is neither present nor absent."""
    folder = folders[NAME]
    rows = read_mimic(
        folder, uncertain="ignore", views="all", chexmask=None, demographics=None
    ).rows
    for found in studies_among(rows, study_of=_study_of):
        if isinstance(found, Skip):
            yield found
        else:
            yield _exam(*found, folder)


def read_structured(folders: Folders) -> Iterator[Exam | Skip]:
    """``findings`` and ``impression`` of studies, part by part, with the study before."""
    path = require_file(folders[STRUCTURED], STRUCTURED_FILE)
    try:
        texts = json.loads(path.read_text(encoding="utf-8"))
        sections = {name: dict(texts[name]) for name in ("findings", "impression")}
    except (ValueError, KeyError, TypeError) as error:
        raise RemediableError(
            f"{path.name} holds no findings and impressions by study: {error!r}",
            remedy="Fetch the file again.",
        ) from error
    told = {study for of_study in sections.values() for study in of_study}
    for exam in with_previous(exams_of(folders), order=read_order(folders[NAME])):
        key = f"s{exam.key}"
        if key not in told:
            continue
        parts = {name: parse_parts(found[key]) for name, found in sections.items() if key in found}
        yield replace(
            exam,
            source=STRUCTURED,
            is_secondary=True,
            sections=_indication_of(exam)
            | {name: " ".join(of_organs.values()) for name, of_organs in parts.items()},
            organs=parts,
        )


def read_differences(folders: Folders) -> Iterator[Exam | Skip]:
    """MIMIC-Diff-VQA: questions on a study, and on what changed since another one."""
    table = require_file(folders[DIFFERENCES], DIFFERENCES_FILE)
    columns = ("subject_id", "study_id", "ref_id", "question_type", "question", "answer", "split")
    rows = defaultdict(list)
    for number, row in enumerate(stream_rows(table, columns=columns)):
        if isinstance(row, Skip):
            yield row
            continue
        rows[row["study_id"]].append((number, row))
    exams = {
        exam.key: exam
        for exam in exams_of(folders)
        if exam.key in rows or exam.key in _references(rows)
    }
    for study, of_study in rows.items():
        exam = exams.get(study)
        if exam is None:
            yield Skip(file=study, reason="is a study without pictures in MIMIC's folder")
            continue
        asked: list[Draft] = []
        for number, row in of_study:
            earlier = exams.get(row["ref_id"])
            if row["question_type"].strip() == DIFFERENCE:
                if earlier is None:
                    yield Skip(file=row["ref_id"], reason="is an earlier study without pictures")
                    continue
                pair = (earlier.pictures[0], exam.pictures[0])
                asked.append(ask_difference(row["question"].strip(), row["answer"].strip(),
                                            key=str(number), pair=pair))  # fmt: skip
            else:
                asked.append(ask(row["question"].strip(), row["answer"].strip(), key=str(number),
                                 pictures=exam.pictures[:1]))  # fmt: skip
        yield Exam(
            source=DIFFERENCES,
            key=study,
            patient=exam.patient,
            given_split=exam.given_split,
            is_secondary=True,
            pictures=exam.pictures[:1],
            asked=tuple(asked),
        )


def read_phrases(folders: Folders) -> Iterator[Exam | Skip]:
    """MS-CXR: phrases of reports, each with one box or several."""
    columns = (DICOM, "path", PHRASE_TEXT, CATEGORY, *PLACE, *SIZE)
    rows = stream_rows(require_file(folders[PHRASES], *PHRASES_FILES), columns=columns)
    regions: dict[str, list[Region]] = defaultdict(list)
    for row in rows:
        if isinstance(row, Skip):
            yield row
            continue
        width, height = (float(row[side]) for side in SIZE)
        x, y, across, down = (float(row[place]) for place in PLACE)
        box = whole_box(x / width, y / height, across / width, down / height)
        label, phrase = row[CATEGORY].strip().lower(), row[PHRASE_TEXT].strip()
        regions[row[DICOM]] += [
            Region(label=label, box=box),
            Region(label=label, box=box, phrase=phrase, task=PHRASE),
        ]
    seen = set()
    for exam in exams_of(folders):
        for picture in exam.pictures:
            if picture.path.stem in regions:
                seen.add(picture.path.stem)
                yield Exam(
                    source=PHRASES,
                    key=picture.path.stem,
                    patient=exam.patient,
                    given_split=exam.given_split,
                    is_secondary=True,
                    pictures=(picture,),
                    regions=tuple(regions[picture.path.stem]),
                    sections=exam.sections,
                )
    for dicom in sorted(regions.keys() - seen):
        yield Skip(file=dicom, reason=MISSING)


def exams_of(folders: Folders) -> Iterator[Exam]:
    return (exam for exam in read(folders) if isinstance(exam, Exam))


def with_previous(exams: Iterator[Exam], *, order: Mapping[str, str]) -> Iterator[Exam]:
    """Yields each exam with the one before it of the same patient, by when they were made."""
    for _, of_patient in groupby(exams, key=lambda exam: exam.patient):
        earlier = None
        for exam in sorted(of_patient, key=lambda exam: (order.get(exam.key, ""), exam.key)):
            yield replace(exam, previous=earlier)
            earlier = exam


def read_order(folder: Path) -> dict[str, str]:
    """When each study was made: date, then the time without its fraction."""
    table = find_table(folder, *MIMIC_METADATA)
    columns = (SUBJECT, STUDY, DATE, TIME)
    return {
        row[STUDY]: f"{row[DATE]} {row[TIME].partition('.')[0]:0>6}"
        for row in stream_rows(table, columns=columns)
        if not isinstance(row, Skip)  # which the exams have told
    }


def parse_parts(text: str) -> dict[str, str]:
    """Returns a structured section by its parts; parts that say nothing are left out."""
    parts: dict[str, list[str]] = defaultdict(list)
    for section, part, told in PART.findall(text):
        if told.strip():
            parts[(part or section).strip()].append(" ".join(told.split()))
    return {part: " ".join(told) for part, told in parts.items()}


def report_path(image: SourceImage) -> Path:
    """Beside the study's folder of pictures."""
    return image.path.parent.with_suffix(".txt")


def _exam(study: str, images: list[SourceImage], folder: Path) -> Exam:
    first = images[0]
    report = report_path(first)
    split = first.source_labels.get("split", "")
    return Exam(
        source=NAME,
        key=study,
        patient=f"{NAME}:{first.patient}",
        given_split=SPLITS.get(split),
        pictures=tuple(picture_at(NAME, folder, image.path, view=image.view) for image in images),
        present=first.findings,
        absent=absent_of(first) if first.source_labels else (),
        is_normal=first.is_normal,
        sex=first.sex,
        age_years=first.age_years,
        sections=sections_of(report.read_text(encoding="utf-8")) if report.is_file() else {},
    )


def _study_of(row: SourceImage | Skip) -> str:
    """``50414267`` of ``…/s50414267/….jpg``; a row that was left out stands by itself."""
    if isinstance(row, Skip):
        return row.file
    return row.path.parent.name.removeprefix("s")


def _indication_of(exam: Exam) -> dict[str, str]:
    told = exam.sections.get("indication")
    return {"indication": told} if told else {}


def _references(rows: Mapping[str, list[tuple[int, dict[str, str]]]]) -> set[str]:
    return {row["ref_id"] for of_study in rows.values() for _, row in of_study}
