"""How far an experiment is, and how long the rest will take."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from feedback_app.experiments.models import Cell, Experiment
from feedback_app.experiments.services.costs import CellCost, cost_of_cell
from feedback_app.experiments.services.design import design_of
from feedback_app.experiments.services.grid import columns_of
from feedback_app.runs.models import State

STATES = {
    "done": "done",
    "running": "running",
    "queued": "waiting",
    "failed": "failed",
    "cancelled": "cancelled",
    "succeeded": "done",
}


@dataclass(frozen=True)
class GridRow:
    """An arm at a ratio, with its cells of each size in the order of seeds."""

    name: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """``cached`` of the done cells were known from before."""

    total: int
    done: int
    cached: int
    running: int
    waiting: int
    failed: int
    cancelled: int
    cost: CellCost
    sizes: tuple[int, ...]
    rows: tuple[GridRow, ...]
    failures: tuple[Cell, ...]

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def left(self) -> int:
        return self.total - self.done

    @property
    def remaining_s(self) -> float:
        """By the workers that are at it now."""
        return (self.running + self.waiting) * self.cost.seconds / max(1, self.running)


def progress_of(experiment: Experiment) -> Progress:
    cells = list(experiment.cells.for_pages())
    counts = Counter(STATES[cell.state] for cell in cells)
    design = design_of(experiment)
    return Progress(
        total=len(cells),
        done=counts["done"],
        cached=sum(cell.run_id is None for cell in cells if cell.result_id),
        running=counts["running"],
        waiting=counts["waiting"],
        failed=counts["failed"],
        cancelled=counts["cancelled"],
        cost=cost_of_cell(design),
        sizes=design.real_sizes,
        rows=tuple(
            GridRow(
                name=name,
                cells=tuple(
                    _cells(cells, arm=arm, ratio=ratio, size=size) for size in design.real_sizes
                ),
            )
            for arm, ratio, name in columns_of(design)
        ),
        failures=tuple(cell for cell in cells if cell.state == State.FAILED),
    )


def _cells(cells: Sequence[Cell], *, arm: str, ratio: float, size: int) -> tuple[Cell, ...]:
    wanted = (arm, ratio, size)
    found = [cell for cell in cells if (cell.arm, cell.ratio, cell.real_size) == wanted]
    return tuple(sorted(found, key=lambda cell: cell.seed))
