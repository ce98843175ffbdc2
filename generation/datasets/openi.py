"""Impressions of the Open-I reports (Demner-Fushman et al. 2016), one XML file a report."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from generation.errors import RemediableError

REPORT_MAX_BYTES = 1_000_000


def read_impressions(archive: Path) -> Iterator[str]:
    """The impression of every report in a tar archive, empty where it has none.

    Streamed: one report is in memory at a time and nothing is written.
    """
    try:
        with tarfile.open(archive, mode="r|*") as reports:
            for member in reports:
                if member.isfile() and member.name.endswith(".xml"):
                    yield _impression(reports, member)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise RemediableError(
            f"{archive} cannot be read: {error}",
            remedy="Name the archive of XML reports as Open-I distributes it (NLMCXR_reports.tgz).",
        ) from error


def _impression(reports: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = reports.extractfile(member)
    if file is None or member.size > REPORT_MAX_BYTES:
        raise RemediableError(
            f"{member.name} is larger than {REPORT_MAX_BYTES:,} bytes, too large for a report.",
            remedy="Take it out of the archive.",
        )
    content = file.read()
    if b"<!ENTITY" in content:
        raise RemediableError(
            f"{member.name} declares entities, which no report does.",
            remedy="Take it out of the archive.",
        )
    try:
        root = ET.fromstring(content)  # noqa: S314  no entity was declared, and the size is bounded
    except ET.ParseError as error:
        raise RemediableError(
            f"{member.name} is no XML: {error}", remedy="Take it out of the archive."
        ) from error
    texts = (
        part.text or "" for part in root.iter("AbstractText") if part.get("Label") == "IMPRESSION"
    )
    return " ".join(texts).strip()
