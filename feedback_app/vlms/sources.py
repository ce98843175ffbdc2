"""What the database holds as sources of instructions: cohorts, by their own splits."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from feedback_app.images.cohorts.models import Box, Cohort
from generation.conditioning.findings import FINDINGS
from generation.vlm.instructions.records import Exam, Picture, Region, whole_box
from generation.vlm.instructions.sources.catalogue import SOURCES
from generation.vlm.instructions.sources.written import WrittenFacts, write

COLUMNS = (
    *("pk", "source_id", "image__blob", "image__width", "image__height", "findings"),
    *("unknown_findings", "is_labelled", "is_normal", "view", "age_years"),
    *("patient__source_id", "patient__split", "patient__sex"),
)
PICTURES = "pictures"
"""The name, in a source's folder, of the link to where all blobs lie."""
UNKNOWN_LICENCE = "of its owner; not known here"


def source_of(cohort: Cohort) -> str:
    """Returns what a cohort is called among sources, apart from public data sets of its name."""
    return f"cohort-{cohort.name}"


def write_cohort(cohort: Cohort, folder: Path) -> None:
    """Write the exams of a cohort, an image each, as a source of instructions."""
    known = SOURCES.get(cohort.source)
    facts = WrittenFacts(
        title=f"Cohort {cohort.name}: {cohort.layout_title}",
        licence=known.licence if known else UNKNOWN_LICENCE,
        may_ship=bool(known and known.may_ship),
    )
    write(folder, facts, exams_of(cohort))
    link_pictures(folder)


def link_pictures(folder: Path) -> None:
    """By a relative path, so that an installation can be moved."""
    link = folder / PICTURES
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(settings.MEDIA_ROOT, folder), target_is_directory=True)


def exams_of(cohort: Cohort) -> Iterator[Exam]:
    """In a fixed order; cohorts have hundreds of thousands of images, so none is an instance."""
    boxes = boxes_of(Box.objects.filter(cohort_image__cohort=cohort))
    rows = cohort.images.order_by("source_id").annotate(is_labelled=~Q(source_labels={}))
    source = source_of(cohort)
    for row in rows.values(*COLUMNS).iterator(chunk_size=2_000):
        yield Exam(
            source=source,
            key=row["source_id"],
            patient=f"{source}:{row['patient__source_id']}",
            given_split=row["patient__split"],
            pictures=(picture_of(source, row["image__blob"], view=row["view"]),),
            present=tuple(row["findings"]),
            absent=_absent(row),
            is_normal=row["is_normal"],
            sex=row["patient__sex"],
            age_years=row["age_years"],
            regions=tuple(_region(box, row) for box in boxes.get(row["pk"], ())),
        )


def picture_of(source: str, sha256: str, *, view: str = "") -> Picture:
    """Returns a blob as a picture of a source, below the link of its folder."""
    place = f"{PICTURES}/{sha256[:2]}/{sha256}"
    return Picture(name=f"{source}/{place}", path=Path(place), view=view)


def blob_of(picture: str) -> str:
    """Returns the hash of the blob that a picture's name stands for."""
    return picture.rpartition("/")[2]


def boxes_of(rows: Any) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.order_by("pk").values("cohort_image", "finding", "x", "y", "width", "height"):
        found[row["cohort_image"]].append(row)
    return found


def _absent(row: dict[str, Any]) -> tuple[str, ...]:
    """Nothing is known of an image without any label from its source."""
    known = {*row["findings"], *row["unknown_findings"]}
    absent: Iterable[str] = FINDINGS if row["is_labelled"] else ()
    return tuple(finding for finding in absent if finding not in known)


def _region(box: dict[str, Any], row: dict[str, Any]) -> Region:
    width, height = row["image__width"], row["image__height"]
    return Region(
        label=box["finding"],
        box=whole_box(box["x"] / width, box["y"] / height, box["width"] / width,
                      box["height"] / height),
    )  # fmt: skip
