"""Importing a case, and what came of it in plain values."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import PIL.Image

from feedback_app.images.blobs.models import Blob
from feedback_app.images.cohorts.models import Cohort, CohortImage, ImportSkip
from feedback_app.runs.models import Run, State
from generation.datasets.sources import ImportOptions
from tests.generation.dicoms import texture
from tests.images.cohort_folders import import_folder


def bring_in(folder: Path, source: str = "folder", *, mapping: Path | None = None) -> Run:
    run = import_folder(folder, source=source, options=ImportOptions(mapping=mapping))
    assert run.state == State.SUCCEEDED, run.error
    return run


def images() -> dict[str, CohortImage]:
    rows = CohortImage.objects.select_related("image__blob", "patient").prefetch_related("masks")
    return {row.source_id: row for row in rows}


def image_counts() -> tuple[int, int, int]:
    """Images, masks, patients."""
    cohort = Cohort.objects.get()
    masks = sum(row.masks.count() for row in cohort.images.all())
    return cohort.images.count(), masks, cohort.images.values("patient").distinct().count()


def skips(run: Run, *what: str) -> dict[str, str]:
    """The reasons by file, those of one file together."""
    found: dict[str, str] = {}
    for skip in ImportSkip.objects.filter(run=run).order_by("pk"):
        if not what or skip.what in what:
            found[skip.file] = "; ".join(filter(None, (found.get(skip.file), skip.reason)))
    return found


def reasons(run: Run, *what: str) -> Counter[str]:
    rows = ImportSkip.objects.filter(run=run)
    return Counter(row.reason for row in rows if not what or row.what in what)


def pixels_of(blob: Blob) -> np.ndarray:
    with blob.open() as file, PIL.Image.open(file) as picture:
        return np.asarray(picture)


def png(seed: int = 0) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(texture(seed=seed)).save(file, "PNG")
    return file.getvalue()
