"""A plot: what it shows, its numbers, and how it is drawn."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from feedback_app.charts import looks, numbers
from feedback_app.csv_files import csv_lines

Cell = str | int | float


@dataclass(frozen=True)
class Plot:
    """``summary`` says what is to be seen, for who cannot see it; ``rows`` are its numbers."""

    name: str
    title: str
    summary: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    height_in: float
    draw: Callable[[], Figure]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in CSS pixels at 72 a inch, so that the page keeps its place."""
        return round(72 * looks.WIDTH_IN), round(72 * self.height_in)

    def svg(self) -> str:
        return looks.as_svg(self.draw(), title=self.title, height_in=self.height_in)

    def csv(self) -> str:
        """Numbers as they are, not as they are shown; unknown ones are empty."""
        rows = ([_known(cell) for cell in row] for row in self.rows)
        return "".join(csv_lines(self.columns, rows))

    @property
    def shown_rows(self) -> list[list[str]]:
        return [[_shown(cell) for cell in row] for row in self.rows]


def _known(cell: Cell) -> Cell:
    return "" if isinstance(cell, float) and np.isnan(cell) else cell


def _shown(cell: Cell) -> str:
    return numbers.figure(cell) if isinstance(cell, float) else str(cell)
