"""The two cohorts as manifests, split by patient as imports split them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from generation.datasets.folder import read_folder
from generation.datasets.nih import read_nih
from generation.datasets.parsed import Source, SourceImage, SourceMask
from generation.datasets.splits import split_of
from generation.specs import Split, TrainingImage

NIH, LUNGS = "nih", "covid-lungs"
"""The names that the bundled model's cohorts had; the split of a patient follows from them."""
STOPPING = "stopping"

_LINE = TypeAdapter(TrainingImage)


def write_rows(rows: Iterable[TrainingImage], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(_LINE.dump_json(row) + b"\n" for row in rows))
    return path


def rows_of(source: Source, *, cohort: str) -> list[TrainingImage]:
    return [
        TrainingImage(
            path=str(row.path),
            image_id=row.source_id,
            patient=patient,
            split=split_of(patient, cohort=cohort),
            findings=row.findings,
            masks={mask.kind: str(mask.path) for mask in row.masks if isinstance(mask, SourceMask)},
            view=row.view,
            sex=row.sex,
            age_years=row.age_years,
        )
        for row in source.rows
        if isinstance(row, SourceImage) and (patient := row.patient)
    ]


def nih_rows(data: Path) -> list[TrainingImage]:
    return rows_of(read_nih(data / "nih"), cohort=NIH)


def lung_rows(data: Path) -> list[TrainingImage]:
    """Held-out images are for testing, both the four of the test split and five of validation.

    The five only chose when the bundled segmenter's training stopped; four images alone
    would say little. When a cell's training stops is chosen on some training patients.
    """
    return [replace(row, split=_lung_split(row)) for row in strict_lung_rows(data)]


def strict_lung_rows(data: Path) -> list[TrainingImage]:
    """With the splits that the bundled model's segmenter was trained by."""
    return rows_of(read_folder(data / "covid_lungs"), cohort=LUNGS)


def _lung_split(row: TrainingImage) -> Split:
    if row.split != "train":
        return "test"
    return "train" if split_of(row.patient, cohort=STOPPING) == "train" else "validation"
