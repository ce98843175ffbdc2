"""SIIM-ACR Pneumothorax Segmentation: ``train-rle.csv`` and the DICOM files it names.

One row a part of a mask, ``-1`` for none; the second column's name starts with a space.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from generation.conditioning.findings import FINDINGS
from generation.datasets.parsed import (
    MISSING,
    RunLengthMask,
    Skip,
    Source,
    SourceImage,
    require_folder,
)
from generation.datasets.rle import NOTHING
from generation.datasets.tables import find_table, stream_table

TABLE, ID, CODE = "train-rle.csv", "ImageId", " EncodedPixels"
SIDE_PX = 1024
FINDING = "pneumothorax"
NOT_LABELLED = tuple(finding for finding in FINDINGS if finding != FINDING)


def read_siim(folder: Path) -> Source:
    """Check the layout, then yield the images in the order of the table."""
    codes = read_codes(find_table(require_folder(folder), TABLE), identity=ID, code=CODE)
    files = find_dicom_files(folder)

    def rows() -> Iterator[SourceImage | Skip]:
        for name, parts in codes.items():
            if name not in files:
                yield Skip(file=f"{name}.dcm", reason=MISSING)
                continue
            yield SourceImage(
                source_id=name,
                path=files[name],
                patient=None,
                findings=(FINDING,) if parts else (),
                unknown_findings=NOT_LABELLED,
                source_labels={FINDING: str(int(bool(parts)))},
                masks=masks_of({FINDING: parts}),
            )
        for name in sorted(files.keys() - codes.keys()):
            yield Skip(file=f"{name}.dcm", reason=f"has no row in {TABLE}")

    return Source(total=len(codes), rows=rows())


def read_codes(table: Path, *, identity: str, code: str) -> dict[str, list[str]]:
    """The parts of each image's mask, without those that say that there is none."""
    codes: dict[str, list[str]] = {}
    for row in stream_table(table, columns=(identity, code)):
        parts = codes.setdefault(row[identity].strip(), [])
        if (text := row[code].strip()) not in {"", NOTHING}:
            parts.append(text)
    return codes


def find_dicom_files(folder: Path) -> dict[str, Path]:
    """Every DICOM file below a folder by its name without suffix; files lie flat or by study."""
    return {path.stem: path for path in sorted(folder.rglob("*.dcm"))}


def masks_of(parts: Mapping[str, list[str]]) -> tuple[RunLengthMask, ...]:
    """A mask of each kind that has parts, in SIIM's code."""
    return tuple(
        RunLengthMask(kind=kind, codec="siim", texts=tuple(texts), width=SIDE_PX, height=SIDE_PX)
        for kind, texts in parts.items()
        if texts
    )
