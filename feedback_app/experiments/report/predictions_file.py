"""What every cell said of every test image, as a table: a report's figures follow from it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from feedback_app.csv_files import csv_lines
from feedback_app.experiments.models import Cell, Experiment
from generation.specs import Task

PLACE = ("arm", "real_images", "ratio", "seed", "image", "patient")
COLUMNS: Mapping[Task, tuple[str, ...]] = {
    "classification": ("finding", "truth", "probability", "said"),
    "segmentation": ("dice", "hd95", "has_mask"),
}
Row = tuple[object, ...]


def predictions_csv(experiment: Experiment) -> Iterator[str]:
    """Yields one line an image, and finding; patients are numbered."""
    task: Task = experiment.task  # type: ignore[assignment]
    cells = experiment.cells.done().select_related("result__predictions")
    cells = cells.order_by("real_size", "arm", "ratio", "seed")
    return csv_lines((*PLACE, *COLUMNS[task]), _rows(cells.iterator(chunk_size=50)))


def _rows(cells: Iterator[Cell]) -> Iterator[Row]:
    numbers: dict[str, int] = {}
    for cell in cells:
        assert cell.result is not None
        place = (cell.arm, cell.real_size, cell.ratio, cell.seed)
        for line in json.loads(cell.result.predictions.read()):
            patient = numbers.setdefault(str(line["patient"]), len(numbers) + 1)
            for told in _told(line):
                yield (*place, line["image_id"], patient, *told)


def _told(line: Mapping[str, Any]) -> Iterator[Row]:
    if "dice" in line:
        yield line["dice"], line["hd95"], line["is_positive"]
        return
    for finding, truth in line["truth"].items():
        yield finding, truth, line["probability"][finding], line["said"][finding]
