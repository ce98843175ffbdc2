"""The Indiana University collection of Open-I (Demner-Fushman et al. 2016), one XML a report.

``NLMCXR_reports.tgz`` or the XML files unpacked, or the two tables that Kaggle has instead; the
images, where they are, anywhere below the same folder under the ids that the reports give them,
as PNG, JPEG or DICOM. Labels are the reports' major MeSH headings, which people assigned.
"""

import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from generation.conditioning.findings import FINDINGS
from generation.datasets.attributes import LATERAL, parse_view
from generation.datasets.files import (
    find_file,
    legible,
    list_pictures,
    nfc,
    places_below,
    without_suffix,
)
from generation.datasets.parsed import (
    MISSING,
    Skip,
    Source,
    SourceImage,
    require_folder,
)
from generation.datasets.spellings import OPENI_ARCHIVES as ARCHIVES
from generation.datasets.tables import count_rows, find_table, stream_table
from generation.errors import RemediableError

REPORT_MAX_BYTES = 1_000_000
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
REPORTS_TABLE, IMAGES_TABLE = "indiana_reports.csv", "indiana_projections.csv"
IMAGE_COLUMNS = ("uid", "filename", "projection")

File = tuple[str, bytes]
"""The name of an XML file and what is in it."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """``sections`` by label, empty ones left out; ``headings`` are the major MeSH headings."""

    name: str
    sections: dict[str, str]
    headings: tuple[str, ...]
    images: tuple[str, ...]
    laterals: frozenset[str] = frozenset()

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
    """Returns the finding of ``Opacity/lung/base/left``, None where the vocabulary has none."""
    term, *places = heading.split("/")
    if term == THICKENING and PLEURA in places:
        return "pleural thickening"
    return HEADING_OF.get(term)


def read_openi(folder: Path) -> Source:
    """Check the layout, then yield the images that reports name; a report is one patient."""
    pictures, _ = list_pictures(require_folder(folder))
    images = {key: path for path in pictures.values() for key in ids_of(path.name)}
    total = 0
    if tables := find_tables(folder):
        total = count_rows(tables.images, columns=IMAGE_COLUMNS)
    else:
        for file in read_files(folder):
            total += 0 if isinstance(file, Skip) else file[1].count(IMAGE_TAG)

    def rows() -> Iterator[SourceImage | Skip]:
        seen: set[str] = set()
        for report in read_reports(folder):
            if isinstance(report, Skip):
                yield report
                continue
            if not report.images:
                yield Skip(file=report.name, reason="is a report that names no image")
            for image in report.images:
                if image in seen:
                    reason = "is named more than once: only the first report counts"
                    yield Skip(file=image, reason=reason)
                elif image in images:
                    seen.add(image)
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
        view=LATERAL if name in report.laterals else "",
    )


def ids_of(file_name: str) -> tuple[str, ...]:
    """As what reports may name a picture: DICOM files lack what stands before their number."""
    name = without_suffix(nfc(file_name))
    return (name, f"CXR{name.partition('_')[0]}_{name}")


def read_impressions(archive: Path) -> Iterator[str]:
    """Yields the impression of every report in a tar archive, empty where it has none."""
    for file in read_archive(archive):
        if isinstance(file, Skip):
            raise RemediableError(f"{file.file} {file.reason}", remedy="Take it out.")
        name, content = file
        yield parse_report(content, name=name).sections.get("IMPRESSION", "")


def read_reports(folder: Path) -> Iterator[Report | Skip]:
    """Yields the reports of a folder, and what of them cannot be used."""
    if tables := find_tables(folder):
        yield from read_tables(tables)
        return
    for file in read_files(folder):
        yield file if isinstance(file, Skip) else report_or_skip(file)


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The reports and the images of each, as Kaggle has them in place of the XML files."""

    reports: Path
    images: Path


def find_tables(folder: Path) -> Tables | None:
    """Returns the tables of a folder that has neither the archive nor XML files."""
    if find_archive(folder) or find_files(folder):
        return None
    try:
        reports, images = (find_table(folder, name) for name in (REPORTS_TABLE, IMAGES_TABLE))
    except RemediableError:
        return None
    return Tables(reports=reports, images=images)


def read_tables(tables: Tables) -> Iterator[Report | Skip]:
    skips: list[Skip] = []
    images: dict[str, list[str]] = {}
    laterals: dict[str, set[str]] = {}
    for row in stream_table(tables.images, columns=IMAGE_COLUMNS, skips=skips):
        uid, name = row["uid"].strip(), without_suffix(nfc(row["filename"].strip()))
        images.setdefault(uid, []).append(name)
        if parse_view(row["projection"]) == LATERAL:
            laterals.setdefault(uid, set()).add(name)
    columns = ("uid", HEADINGS, *(name.lower() for name in SECTIONS))
    for row in stream_table(tables.reports, columns=columns, skips=skips, what="label"):
        uid = row["uid"].strip()
        sections = {name: row[name.lower()].strip() for name in SECTIONS}
        yield Report(
            name=uid,
            sections={name: text for name, text in sections.items() if text},
            headings=tuple(part.strip() for part in row[HEADINGS].split(";") if part.strip()),
            images=tuple(images.pop(uid, ())),
            laterals=frozenset(laterals.get(uid, ())),
        )
    yield from skips
    for names in images.values():
        for name in names:
            yield Skip(file=name, reason=f"its report is not in {tables.reports.name}")


def report_or_skip(file: File) -> Report | Skip:
    """Returns a report, or why it cannot be used: one that is damaged does not stop the others."""
    name, content = file
    try:
        return parse_report(content, name=name)
    except RemediableError as error:
        return Skip(file=name, reason=str(error).removeprefix(f"{name} "))
    except (LookupError, UnicodeError):
        return Skip(file=name, reason="is not in the encoding that it says")
    except Exception as error:  # noqa: BLE001  odd encodings raise several kinds
        return Skip(file=name, reason=f"is a report that cannot be read ({type(error).__name__})")


def read_files(folder: Path) -> Iterator[File | Skip]:
    """Yields the files of the archive in a folder, or those below it, one in memory at a time."""
    if archive := find_archive(folder):
        yield from read_archive(archive)
        return
    files = find_files(folder)
    if not files:
        raise RemediableError(
            f"{folder} holds neither {' nor '.join(ARCHIVES)} nor XML files, "
            f"nor {REPORTS_TABLE} with {IMAGES_TABLE}.",
            remedy="Give the folder that the reports of Open-I are in, packed or unpacked.",
        )
    for path in files:
        name = legible(path.name)
        try:
            is_small = path.stat().st_size <= REPORT_MAX_BYTES
            yield (name, path.read_bytes()) if is_small else too_large(name)
        except OSError as error:
            yield Skip(file=name, reason=f"cannot be read: {error.strerror}")


def find_archive(folder: Path) -> Path | None:
    tried = (find_file(place, name) for place in places_below(folder) for name in ARCHIVES)
    return next((path for path in tried if path), None)


def find_files(folder: Path) -> list[Path]:
    """Returns the XML files below a folder, of copies of one of them the first."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".xml")
    return [*{path.name: path for path in reversed(files)}.values()][::-1]


def read_archive(archive: Path) -> Iterator[File | Skip]:
    """Streamed: nothing is written. Of an archive that is cut off, what comes before is read."""
    count = 0
    try:
        with tarfile.open(archive, mode="r|*") as reports:
            for member in reports:
                if member.isfile() and member.name.endswith(".xml"):
                    count += 1
                    name = legible(Path(member.name).name)
                    file = reports.extractfile(member)
                    assert file is not None
                    is_small = member.size <= REPORT_MAX_BYTES
                    yield (name, file.read()) if is_small else too_large(name)
    except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
        if count:
            yield Skip(file=archive.name, reason=f"is cut off or damaged after {count:,} reports")
            return
        raise RemediableError(
            f"{archive} cannot be read: {error}",
            remedy="Name the archive of XML reports as Open-I distributes it (NLMCXR_reports.tgz).",
        ) from error


def too_large(name: str) -> Skip:
    return Skip(file=name, reason=f"has more than {REPORT_MAX_BYTES:,} bytes: that is no report")


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
            f"{name} is no XML: it is cut off or damaged", remedy="Take it out of the archive."
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
