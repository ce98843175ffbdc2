"""SIIM-ACR Pneumothorax Segmentation: a table of run-length code and the DICOM files it names.

One row a part of a mask, ``-1`` for none. Under which names the table is found is in
``spellings``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generation.conditioning.findings import FINDINGS
from generation.datasets.files import find_dicom_files, nfc, without_suffix
from generation.datasets.parsed import (
    RunLengthMask,
    Skip,
    Source,
    SourceImage,
    What,
    require_folder,
)
from generation.datasets.patients import doubts_of_headers
from generation.datasets.rle import NOTHING
from generation.datasets.scattered import Scattered
from generation.datasets.spellings import SIIM, Found, find_spelled
from generation.datasets.tables import stream_table

SIDE_PX = 1024
FINDING = "pneumothorax"
NOT_LABELLED = tuple(finding for finding in FINDINGS if finding != FINDING)
CODE = re.compile(r"[0-9]+(?:\s+[0-9]+)+")


@dataclass
class Codes:
    """It keeps the parts of each image's mask, none of many; ``unread`` are images with a row that
    says neither that there is a mask nor that there is none.
    """

    of_images: dict[str, list[str]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def get(self, name: str) -> list[str]:
        return self.of_images.get(name, [])


def read_siim(folder: Path) -> Source:
    """Check the layout, then yield the images in the order of the table."""
    found = find_spelled(require_folder(folder), SIIM)
    skips: list[Skip] = []
    codes = read_codes(found, skips=skips, what="image")
    files = find_dicom_files(folder, skips)
    scattered = Scattered(folder)

    def rows() -> Iterator[SourceImage | Skip]:
        yield from skips
        for name, parts in codes.of_images.items():
            path = files.get(name) or scattered.find(name)
            if path is None:
                yield Skip(file=f"{name}.dcm", reason=scattered.reason(name))
                continue
            is_read = bool(parts) or name not in codes.unread
            yield SourceImage(
                source_id=name,
                path=path,
                patient=None,
                findings=(FINDING,) if parts else (),
                unknown_findings=NOT_LABELLED if is_read else FINDINGS,
                source_labels={FINDING: str(int(bool(parts))) if is_read else ""},
                masks=masks_of({FINDING: parts}),
            )
        for name in sorted(files.keys() - codes.of_images.keys()):
            yield Skip(file=f"{name}.dcm", reason=f"has no row in {found.path.name}")

    warnings = doubts_of_headers([files[name] for name in codes.of_images if name in files])
    return Source(total=len(codes.of_images), rows=rows(), warnings=warnings)


def read_codes(found: Found, *, skips: list[Skip], what: What = "mask") -> Codes:
    """Returns the parts of each image's mask, without those that say that there is none."""
    codes = Codes()
    without: set[str] = set()
    identity, code = found.columns["image"], found.columns["code"]
    for row in stream_table(found.path, columns=(identity, code), skips=skips, what=what):
        name, text = without_suffix(nfc(row[identity].strip())), row[code].strip()
        parts = codes.of_images.setdefault(name, [])
        if text in {"", NOTHING}:
            without.add(name)
        elif CODE.fullmatch(text):
            parts.append(text)
        else:
            codes.unread.add(name)
            reason = "its run-length code is not made of whole numbers"
            skips.append(Skip(file=name, what="mask", reason=reason))
    for name in sorted(without):
        if codes.of_images[name]:
            reason = "one row says that there is no mask, another has one: the mask counts"
            skips.append(Skip(file=name, what="label", reason=reason))
    return codes


def masks_of(parts: Mapping[str, list[str]]) -> tuple[RunLengthMask, ...]:
    """Returns a mask of each kind that has parts, in SIIM's code."""
    return tuple(
        RunLengthMask(kind=kind, codec="siim", texts=tuple(texts), width=SIDE_PX, height=SIDE_PX)
        for kind, texts in parts.items()
        if texts
    )
