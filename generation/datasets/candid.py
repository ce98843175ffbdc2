"""CANDID-PTX (Feng et al. 2021): pneumothorax, rib fracture and chest tube masks, with reports.

The table of reports lists every image, a row for each part of its mask; those of rib fractures
and chest tubes list the images that have one. Masks are in SIIM's run-length code. The images
are DICOM files by their SOP instance UID, with suffix or without. Where the table of reports
has file names, as ``P0001_20110101_1.dcm``, they tell the patient. Under which names tables and
columns are found is in ``spellings``.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from generation.conditioning.findings import FINDINGS
from generation.datasets.files import find_dicom_files, nfc, without_suffix
from generation.datasets.parsed import Skip, Source, SourceImage, require_folder
from generation.datasets.patients import doubts, doubts_of_headers
from generation.datasets.scattered import Scattered
from generation.datasets.siim import Codes, masks_of, read_codes
from generation.datasets.spellings import (
    CANDID_FRACTURES,
    CANDID_REPORTS,
    CANDID_TUBES,
    Found,
    find_spelled,
)
from generation.datasets.tables import stream_table

REPORT = "Report"
FINDING_OF = {
    "pneumothorax": "pneumothorax",
    "rib_fracture": "fracture",
    "tube": "support devices",
}
"""By the kind of mask."""
LOOKED_FOR = ("pneumothorax", "fracture")
"""On every image; an image without a chest tube may still show other devices."""
PATIENT_OF_FILE = re.compile(r"(P[0-9]+)_.*", re.IGNORECASE)

CodesOf = Mapping[str, Codes]
"""By the kind of mask."""


def read_candid(folder: Path) -> Source:
    """Check the layout, then yield the images in the order of the reports' table."""
    table = find_spelled(require_folder(folder), CANDID_REPORTS)
    skips: list[Skip] = []
    codes = {
        "pneumothorax": read_codes(table, skips=skips, what="image"),
        "rib_fracture": read_codes(find_spelled(folder, CANDID_FRACTURES), skips=skips),
        "tube": read_codes(find_spelled(folder, CANDID_TUBES), skips=skips),
    }
    listed = codes["pneumothorax"].of_images
    reports, patients = read_reports(table)
    files, scattered = find_dicom_files(folder, skips), Scattered(folder)

    def rows() -> Iterator[SourceImage | Skip]:
        yield from skips
        for name in listed:
            path = files.get(name) or scattered.find(name)
            if path is None:
                yield Skip(file=f"{name}.dcm", reason=scattered.reason(name))
                continue
            yield parse_image(
                name,
                path=path,
                codes=codes,
                report=reports.get(name, ""),
                patient=patients.get(name),
            )
        for name in sorted(files.keys() - listed.keys()):
            yield Skip(file=f"{name}.dcm", reason=f"has no row in {table.path.name}")
        for kind in ("rib_fracture", "tube"):
            for name in sorted(codes[kind].of_images.keys() - listed.keys()):
                reason = f"is not listed in {table.path.name}"
                yield Skip(file=name, what="mask", reason=reason)

    headers = [files[name] for name in listed if name in files and name not in patients]
    warnings = doubts(Counter(patients.values())) + doubts_of_headers(headers)
    return Source(total=len(listed), rows=rows(), warnings=warnings)


def read_reports(table: Found) -> tuple[dict[str, str], dict[str, str]]:
    """Returns each image's report, and its patient where the table tells."""
    reports: dict[str, str] = {}
    patients: dict[str, str] = {}
    columns = table.columns
    for row in stream_table(table.path, columns=tuple(columns.values()), skips=[]):
        name = without_suffix(nfc(row[columns["image"]].strip()))
        reports[name] = row[columns["report"]]
        file = row[columns["file"]].strip() if "file" in columns else ""
        if found := PATIENT_OF_FILE.fullmatch(file):
            patients[name] = found[1].upper()
    return reports, patients


def parse_image(
    name: str, *, path: Path, codes: CodesOf, report: str, patient: str | None
) -> SourceImage:
    parts = {kind: of_images.get(name) for kind, of_images in codes.items()}
    seen = {FINDING_OF[kind] for kind, texts in parts.items() if texts}
    unread = {FINDING_OF[kind] for kind, of_images in codes.items() if name in of_images.unread}
    return SourceImage(
        source_id=name,
        path=path,
        patient=patient,
        findings=tuple(finding for finding in FINDINGS if finding in seen),
        unknown_findings=tuple(
            finding
            for finding in FINDINGS
            if finding not in seen and (finding not in LOOKED_FOR or finding in unread)
        ),
        source_labels={
            kind: "" if FINDING_OF[kind] in unread - seen else str(int(bool(texts)))
            for kind, texts in parts.items()
        }
        | {REPORT: report},
        masks=masks_of(parts),
    )
