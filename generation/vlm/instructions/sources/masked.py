"""Sources whose importers give masks as run-length code: SIIM-ACR and CANDID-PTX."""

from collections.abc import Iterable, Iterator

from generation.datasets.candid import REPORT, read_candid
from generation.datasets.parsed import RunLengthMask, Skip, SourceImage
from generation.datasets.siim import read_siim
from generation.vlm.instructions.families.fine_perception import FRACTURE, PNEUMOTHORAX, TUBE
from generation.vlm.instructions.records import Exam, Region
from generation.vlm.instructions.sources.common import (
    Folders,
    absent_of,
    header_of,
    parts_of,
    picture_at,
)
from generation.vlm.reports.sections import BEFORE, sections_of

SIIM, CANDID = "siim", "candid"
TASK_OF = {"pneumothorax": PNEUMOTHORAX, "rib_fracture": FRACTURE, "tube": TUBE}
LABEL_OF = {"pneumothorax": "pneumothorax", "rib_fracture": "rib fracture", "tube": "chest tube"}


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """SIIM-ACR: every picture was searched for pneumothorax."""
    yield from _exams(read_siim(folders[SIIM]).rows, folders, source=SIIM)


def read_with_reports(folders: Folders) -> Iterator[Exam | Skip]:
    """CANDID-PTX: every picture was searched for pneumothorax and rib fractures."""
    yield from _exams(read_candid(folders[CANDID]).rows, folders, source=CANDID)


def _exams(
    rows: Iterable[SourceImage | Skip], folders: Folders, *, source: str
) -> Iterator[Exam | Skip]:
    searched = (PNEUMOTHORAX,) if source == SIIM else (PNEUMOTHORAX, FRACTURE)
    for row in rows:
        if not isinstance(row, SourceImage):
            yield row
            continue
        header = header_of(row.path)
        yield Exam(
            source=source,
            key=row.source_id,
            patient=f"{source}:{row.patient or header.patient or row.source_id}",
            pictures=(picture_at(source, folders[source], row.path, view=header.view),),
            present=row.findings,
            absent=absent_of(row),
            sex=header.sex,
            age_years=header.age_years,
            regions=regions_of_masks(row),
            searched=searched,
            sections=sections_of_report(row.source_labels.get(REPORT, "")),
        )


def regions_of_masks(row: SourceImage) -> tuple[Region, ...]:
    masks = (mask for mask in row.masks if isinstance(mask, RunLengthMask))
    return tuple(
        region
        for mask in masks
        for region in parts_of(mask.decode(), label=LABEL_OF[mask.kind], task=TASK_OF[mask.kind])
    )


def sections_of_report(report: str) -> dict[str, str]:
    """A report without headings is an impression."""
    sections = sections_of(report)
    text = sections.pop(BEFORE, "")
    return sections or ({"impression": text} if text else {})
