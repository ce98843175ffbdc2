"""Patients' ids that are probably not what they are taken for.

Images of one patient stay in one split, so an id that stands for many patients, or a patient
with several ids, spoils every comparison. Nothing is corrected here: it is said, before
anything comes in.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pydicom

from generation.datasets.contents import kind_of_file
from generation.datasets.files import nfc
from generation.datasets.parsed import Skip

NO_PATIENT = frozenset(
    {"", "nan", "none", "null", "nil", "n/a", "na", "#n/a", "<na>", "-", "--", "?", "missing"}
)
"""What programs write where a table has no patient."""
PLACEHOLDERS = NO_PATIENT | {
    "anonymous", "anon", "anonym", "anonymized", "anonymised", "anonymous patient",
    "anonymous^anonymous", "deidentified", "de-identified", "redacted", "removed", "hidden",
    "unknown", "undefined", "unnamed", "default", "test", "dummy", "patient", "noid", "no id",
    "no name", "x", "xx", "xxx", "xxxx", "0", "00", "000", "0000", "00000", "000000", "0000000",
    "00000000", "999999", "99999999", "123456", "12345678",
}  # fmt: skip
LEAST_IMAGES = 5
"""One id for all of fewer images says nothing."""
NEARLY_ALL = 0.8
LOOKED_AT = 200
"""DICOM headers that are read beforehand, evenly over a folder."""


def patient_or_none(text: str) -> str | None:
    """Returns a table's patient, None where its cell says that there is none."""
    told = nfc(text.strip())
    return None if told.casefold() in NO_PATIENT else told


def doubts(images_of: Mapping[str, int], *, shows_ids: bool = True) -> list[Skip]:
    """Returns what is doubtful of patients, given how many images each of them has."""
    return [
        Skip(file="patients", what="warning", reason=reason)
        for reason in (
            *_placeholders(images_of),
            *_one_for_nearly_all(images_of, shows_ids=shows_ids),
            *_spellings(images_of, shows_ids=shows_ids),
        )
    ]


def _placeholders(images_of: Mapping[str, int]) -> list[str]:
    return [
        (
            f"the patient id {patient!r} of {count:,} images looks like a placeholder: "
            if patient
            else f"images without a patient id: {count:,}; "
        )
        + (
            "each of them is taken for a patient of its own"
            if patient.strip().casefold() in NO_PATIENT
            else "they are taken for one patient, and are all in one split"
        )
        for patient, count in images_of.items()
        if count and patient.strip().casefold() in PLACEHOLDERS
    ]


def _one_for_nearly_all(images_of: Mapping[str, int], *, shows_ids: bool) -> list[str]:
    total = sum(images_of.values())
    if total < LEAST_IMAGES:
        return []
    patient, most = max(images_of.items(), key=lambda item: item[1])
    if most < NEARLY_ALL * total or patient.strip().casefold() in PLACEHOLDERS:
        return []
    told = f" {patient!r}" if shows_ids else ""
    have = f"{most:,} of {total:,} images have one patient id{told}"
    return [f"{have}: they are taken for one patient, and are all in one split"]


def _spellings(images_of: Mapping[str, int], *, shows_ids: bool) -> list[str]:
    spelled: dict[str, list[str]] = {}
    for patient in images_of:
        spelled.setdefault(_key_of(patient), []).append(patient)
    several = [sorted(names) for names in spelled.values() if len(names) > 1]
    if several and not shows_ids:
        return [f"{len(several):,} patients may have several ids that differ only in spelling"]
    return [
        f"the patients {', '.join(map(repr, names))} may be one: they are taken for "
        f"{len(names)}, and may be in different splits"
        for names in several
    ]


def _key_of(patient: str) -> str:
    """Returns what spellings of one id have in common: 007, 7 and 7.0."""
    told = " ".join(unicodedata.normalize("NFKC", patient).split()).casefold()
    number = re.fullmatch(r"0*([0-9]+)(?:\.0*)?", told)
    return number[1] if number else told


def doubts_of_headers(paths: Sequence[Path]) -> list[Skip]:
    """Returns what is doubtful of the patients in DICOM headers, without telling any id."""
    found: Counter[str] = Counter()
    step = max(1, len(paths) // LOOKED_AT)
    for path in paths[::step]:
        if kind_of_file(path) == "dicom" and (patient := _patient_of(path)) is not None:
            found[patient] += 1
    return doubts(found, shows_ids=False)


def _patient_of(path: Path) -> str | None:
    """Returns the header's patient; None for a file that will be refused when it is read."""
    try:
        header = pydicom.dcmread(path, specific_tags=["PatientID"], stop_before_pixels=True)
        return str(header.get("PatientID") or "").strip(" \0")
    except Exception:  # noqa: BLE001  broken files raise many kinds; their turn comes
        return None
