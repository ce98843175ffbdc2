"""The RSNA Pneumonia Detection Challenge: opacities with boxes, on NIH's pictures."""

from collections.abc import Iterator

from generation.datasets.parsed import Skip, SourceImage
from generation.datasets.rsna import ORIGIN, read_rsna
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources.common import (
    Folders,
    absent_of,
    header_of,
    picture_at,
    regions_of,
)

NAME = "rsna"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """Where the mapping to NIH's pictures is there, the patients are NIH's."""
    folder = folders[NAME]
    source = read_rsna(folder)
    owner = source.patients_of or NAME
    for row in source.rows:
        if not isinstance(row, SourceImage):
            yield row
            continue
        header = header_of(row.path)
        yield Exam(
            source=NAME,
            key=row.source_id,
            patient=f"{owner if row.known_as.startswith(ORIGIN) else NAME}:{row.patient}",
            pictures=(picture_at(NAME, folder, row.path, view=row.view or header.view),),
            present=row.findings,
            absent=absent_of(row),
            is_normal=row.is_normal,
            sex=row.sex or header.sex,
            age_years=row.age_years if row.age_years is not None else header.age_years,
            regions=regions_of(row.boxes),
        )
