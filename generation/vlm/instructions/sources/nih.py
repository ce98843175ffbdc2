"""NIH ChestX-ray14: findings, view, sex, age and, of some pictures, boxes."""

from collections.abc import Iterator

from generation.datasets.nih import NAME, read_nih
from generation.datasets.parsed import Skip, SourceImage
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources.common import (
    Folders,
    absent_of,
    picture_at,
    regions_of,
)


def read(folders: Folders) -> Iterator[Exam | Skip]:
    folder = folders[NAME]
    for row in read_nih(folder).rows:
        if isinstance(row, SourceImage):
            yield Exam(
                source=NAME,
                key=row.source_id,
                patient=f"{NAME}:{row.patient}",
                pictures=(picture_at(NAME, folder, row.path, view=row.view),),
                present=row.findings,
                absent=absent_of(row),
                is_normal=row.is_normal,
                sex=row.sex,
                age_years=row.age_years,
                regions=regions_of(row.boxes),
            )
        else:
            yield row
