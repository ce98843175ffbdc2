"""CheXpert: fourteen labels, view, sex and age; an exam is a study with all its pictures."""

from collections.abc import Iterator

from generation.datasets.chexpert import read_chexpert
from generation.datasets.parsed import Skip, SourceImage
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources.common import Folders, absent_of, picture_at, studies_among

NAME = "chexpert"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """What is uncertain is neither present nor absent; the table has a study's rows together."""
    rows = read_chexpert(folders[NAME], uncertain="ignore", views="all").rows
    for found in studies_among(rows, study_of=study_of):
        if isinstance(found, Skip):
            yield found
        else:
            yield _exam(*found, folders)


def study_of(row: SourceImage | Skip) -> str:
    """``train/patient00001/study1``."""
    if isinstance(row, Skip):
        return row.file.partition("/")[2].rpartition("/")[0]
    return row.source_id.rpartition("/")[0]


def _exam(study: str, images: list[SourceImage], folders: Folders) -> Exam:
    first = images[0]
    return Exam(
        source=NAME,
        key=study,
        patient=f"{NAME}:{first.patient}",
        pictures=tuple(
            picture_at(NAME, folders[NAME], image.path, view=image.view) for image in images
        ),
        present=first.findings,
        absent=absent_of(first),
        is_normal=first.is_normal,
        sex=first.sex,
        age_years=first.age_years,
    )
