"""The Indiana University collection of Open-I (Demner-Fushman et al. 2016), one XML a report.

``NLMCXR_reports.tgz`` or the XML files unpacked; the images, where they are, anywhere below
the same folder under the ids that the reports give them, as PNG, JPEG or DICOM. Labels are the
reports' major MeSH headings, which people assigned.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from generation.conditioning.findings import FINDINGS
from generation.datasets.parsed import (
    MISSING,
    PICTURE_SUFFIXES,
    Skip,
    Source,
    SourceImage,
    require_folder,
)
from generation.errors import RemediableError

REPORT_MAX_BYTES = 1_000_000
ARCHIVE = "NLMCXR_reports.tgz"
SECTIONS = ("COMPARISON", "INDICATION", "FINDINGS", "IMPRESSION")
HEADINGS = "MeSH"
NORMAL, NOT_INDEXED = "normal", "No Indexing"
HEADING_OF = {
    "Airspace Disease": "lung opacity",
    "Bullous Emphysema": "emphysema",
    "Cardiomegaly": "cardiomegaly",
    "Catheters, Indwelling": "support devices",
    "Consolidation": "consolidation",
    "Emphysema": "emphysema",
    "Fractures, Bone": "fracture",
    "Hernia, Hiatal": "hernia",
    "Hydropneumothorax": "pneumothorax",
    "Implanted Medical Device": "support devices",
    "Infiltrate": "infiltration",
    "Mass": "mass",
    "Medical Device": "support devices",
    "Nodule": "nodule",
    "Opacity": "lung opacity",
    "Pleural Effusion": "effusion",
    "Pneumonia": "pneumonia",
    "Pneumothorax": "pneumothorax",
    "Pulmonary Atelectasis": "atelectasis",
    "Pulmonary Edema": "edema",
    "Pulmonary Emphysema": "emphysema",
    "Pulmonary Fibrosis": "fibrosis",
    "Tube, Inserted": "support devices",
}
"""Headings that are a finding of the vocabulary; what comes after a slash is where and how."""
THICKENING, PLEURA = "Thickening", "pleura"
IMAGE_TAG = b"<parentImage "

File = tuple[str, bytes]
"""The name of an XML file and what is in it."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """``sections`` by label, empty ones left out; ``headings`` are the major MeSH headings."""

    name: str
    sections: dict[str, str]
    headings: tuple[str, ...]
    images: tuple[str, ...]

    @property
    def is_normal(self) -> bool:
        return self.headings == (NORMAL,)

    @property
    def is_indexed(self) -> bool:
        return bool(self.headings) and self.headings != (NOT_INDEXED,)

    @property
    def findings(self) -> tuple[str, ...]:
        found = {finding for heading in self.headings if (finding := finding_of(heading))}
        return tuple(finding for finding in FINDINGS if finding in found)


def finding_of(heading: str) -> str | None:
    """The finding of ``Opacity/lung/base/left``, None where the vocabulary has none."""
    term, *places = heading.split("/")
    if term == THICKENING and PLEURA in places:
        return "pleural thickening"
    return HEADING_OF.get(term)


def read_openi(folder: Path) -> Source:
    """Check the layout, then yield the images that reports name; a report is one patient."""
    images = {
        path.stem: path
        for path in sorted(require_folder(folder).rglob("*"))
        if path.suffix.lower() in PICTURE_SUFFIXES
    }
    total = sum(content.count(IMAGE_TAG) for _, content in read_files(folder))

    def rows() -> Iterator[SourceImage | Skip]:
        for name, content in read_files(folder):
            report = parse_report(content, name=name)
            if not report.images:
                yield Skip(file=report.name, reason="is a report that names no image")
            for image in report.images:
                if image in images:
                    yield parse_image(images[image], name=image, report=report)
                else:
                    yield Skip(file=image, reason=MISSING)

    return Source(total=total, rows=rows())


def parse_image(path: Path, *, name: str, report: Report) -> SourceImage:
    """Without headings nothing is known of its findings; the report's text is kept."""
    labels = report.sections | {HEADINGS: "|".join(report.headings)}
    return SourceImage(
        source_id=name,
        path=path,
        patient=Path(report.name).stem,
        findings=report.findings,
        unknown_findings=() if report.is_indexed else FINDINGS,
        is_normal=report.is_normal,
        source_labels=labels,
    )


def read_impressions(archive: Path) -> Iterator[str]:
    """The impression of every report in a tar archive, empty where it has none."""
    for name, content in read_archive(archive):
        yield parse_report(content, name=name).sections.get("IMPRESSION", "")


def read_files(folder: Path) -> Iterator[File]:
    """Yields the files of the archive in a folder, or those below it, one in memory at a time."""
    if (folder / ARCHIVE).is_file():
        yield from read_archive(folder / ARCHIVE)
        return
    files = sorted(folder.rglob("*.xml"))
    if not files:
        raise RemediableError(
            f"{folder} holds neither {ARCHIVE} nor XML files.",
            remedy="Give the folder that the reports of Open-I are in, packed or unpacked.",
        )
    for path in files:
        require_small(path.name, size=path.stat().st_size)
        yield path.name, path.read_bytes()


def read_archive(archive: Path) -> Iterator[File]:
    """Streamed: nothing is written."""
    try:
        with tarfile.open(archive, mode="r|*") as reports:
            for member in reports:
                if member.isfile() and member.name.endswith(".xml"):
                    require_small(member.name, size=member.size)
                    file = reports.extractfile(member)
                    assert file is not None
                    yield Path(member.name).name, file.read()
    except (OSError, tarfile.TarError, EOFError) as error:
        raise RemediableError(
            f"{archive} cannot be read: {error}",
            remedy="Name the archive of XML reports as Open-I distributes it (NLMCXR_reports.tgz).",
        ) from error


def require_small(name: str, *, size: int) -> None:
    if size > REPORT_MAX_BYTES:
        raise RemediableError(
            f"{name} is larger than {REPORT_MAX_BYTES:,} bytes, too large for a report.",
            remedy="Take it out of the archive.",
        )


def parse_report(content: bytes, *, name: str) -> Report:
    if b"<!ENTITY" in content:
        raise RemediableError(
            f"{name} declares entities, which no report does.",
            remedy="Take it out of the archive.",
        )
    try:
        root = ET.fromstring(content)  # noqa: S314  no entity was declared, and the size is bounded
    except ET.ParseError as error:
        raise RemediableError(
            f"{name} is no XML: {error}", remedy="Take it out of the archive."
        ) from error
    return Report(
        name=name,
        sections={label: text for label in SECTIONS if (text := section_of(root, label))},
        headings=tuple((heading.text or "").strip() for heading in root.iter("major")),
        images=tuple(image.get("id", "") for image in root.iter("parentImage")),
    )


def section_of(root: ET.Element, label: str) -> str:
    texts = (part.text or "" for part in root.iter("AbstractText") if part.get("Label") == label)
    return " ".join(texts).strip()
