"""Open-I: reports, MeSH headings and, where they are there, pictures; a report is a patient."""

from collections.abc import Iterator

from generation.conditioning.findings import FINDINGS
from generation.datasets.files import PICTURE_SUFFIXES
from generation.datasets.openi import Report, ids_of, read_reports
from generation.datasets.parsed import Skip, require_folder
from generation.vlm.instructions.records import Exam, Picture
from generation.vlm.instructions.sources.common import Folders, picture_at

NAME = "openi"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """Reports whose pictures are missing are asked about as texts."""
    pictures = find_pictures(folders)
    for report in read_reports(folders[NAME]):
        if isinstance(report, Skip):
            yield report
            continue
        found = tuple(pictures[image] for image in report.images if image in pictures)
        for image in report.images:
            if image not in pictures:
                yield Skip(file=image, reason="is named by its report, but its file is missing")
        yield exam_of(report, pictures=found)


def find_pictures(folders: Folders) -> dict[str, Picture]:
    """By the ids that reports give them."""
    folder = require_folder(folders[NAME])
    return {
        key: picture_at(NAME, folder, path)
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in PICTURE_SUFFIXES
        for key in ids_of(path.name)
    }


def key_of(report: Report) -> str:
    """Returns the collection's number of the report."""
    return report.name.removesuffix(".xml")


def exam_of(report: Report, *, pictures: tuple[Picture, ...]) -> Exam:
    return Exam(
        source=NAME,
        key=key_of(report),
        patient=f"{NAME}:{key_of(report)}",
        pictures=pictures,
        present=report.findings,
        absent=tuple(finding for finding in FINDINGS if finding not in report.findings)
        if report.is_indexed
        else (),
        is_normal=report.is_normal,
        sections={name.lower(): text for name, text in report.sections.items()},
    )
