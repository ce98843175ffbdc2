"""CANDID-PTX (Feng et al. 2021): pneumothorax, rib fracture and chest tube masks, with reports.

``Pneumothorax_reports.csv`` lists every image, a row for each part of its mask;
``Rib_fracture_mask_rle.csv`` and ``chest_tube.csv`` list the images that have one. Masks are
in SIIM's run-length code. The images are DICOM files by their SOP instance UID.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from generation.conditioning.findings import FINDINGS
from generation.datasets.parsed import MISSING, Skip, Source, SourceImage, require_folder
from generation.datasets.siim import find_dicom_files, masks_of, read_codes
from generation.datasets.tables import find_table, stream_table

REPORTS, ID, CODE, REPORT = (
    "Pneumothorax_reports.csv", "SOPInstanceUID", "EncodedPixels", "Report",
)  # fmt: skip
FRACTURES, TUBES = "Rib_fracture_mask_rle.csv", "chest_tube.csv"
PART_ID, PART_CODE = "anon_SOPUID", "mask_rle"
FINDING_OF = {
    "pneumothorax": "pneumothorax",
    "rib_fracture": "fracture",
    "tube": "support devices",
}
"""By the kind of mask."""
LOOKED_FOR = ("pneumothorax", "fracture")
"""On every image; an image without a chest tube may still show other devices."""

Parts = Mapping[str, list[str]]
"""The parts of an image's mask, by the kind of mask."""


def read_candid(folder: Path) -> Source:
    """Check the layout, then yield the images in the order of the reports' table."""
    table = find_table(require_folder(folder), REPORTS)
    codes = {
        "pneumothorax": read_codes(table, identity=ID, code=CODE),
        "rib_fracture": read_parts(find_table(folder, FRACTURES)),
        "tube": read_parts(find_table(folder, TUBES)),
    }
    listed = codes["pneumothorax"]
    reports = {row[ID].strip(): row[REPORT] for row in stream_table(table, columns=(ID, REPORT))}
    files = find_dicom_files(folder)

    def rows() -> Iterator[SourceImage | Skip]:
        for name in listed:
            if name not in files:
                yield Skip(file=f"{name}.dcm", reason=MISSING)
                continue
            parts = {kind: of_images.get(name, []) for kind, of_images in codes.items()}
            yield parse_image(files[name], parts=parts, report=reports[name])
        for name in sorted(files.keys() - listed.keys()):
            yield Skip(file=f"{name}.dcm", reason=f"has no row in {REPORTS}")
        for kind in ("rib_fracture", "tube"):
            for name in sorted(codes[kind].keys() - listed.keys()):
                yield Skip(file=name, what="mask", reason=f"is not listed in {REPORTS}")

    return Source(total=len(listed), rows=rows())


def read_parts(table: Path) -> dict[str, list[str]]:
    return read_codes(table, identity=PART_ID, code=PART_CODE)


def parse_image(path: Path, *, parts: Parts, report: str) -> SourceImage:
    seen = {FINDING_OF[kind] for kind, texts in parts.items() if texts}
    return SourceImage(
        source_id=path.stem,
        path=path,
        patient=None,
        findings=tuple(finding for finding in FINDINGS if finding in seen),
        unknown_findings=tuple(
            finding for finding in FINDINGS if finding not in seen and finding not in LOOKED_FOR
        ),
        source_labels={kind: str(int(bool(texts))) for kind, texts in parts.items()}
        | {REPORT: report},
        masks=masks_of(parts),
    )
