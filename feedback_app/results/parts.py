"""The parts that a results page is made of, and figures as they stand in their cells."""

from dataclasses import dataclass

from feedback_app.charts import numbers
from feedback_app.charts.plots import Plot
from feedback_app.statistics.bootstrap import Estimate
from feedback_app.statistics.preference import Preference


@dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """A part is anything else: a sentence, tables and plots.

    ``note`` is all there is while blind.
    """

    slug: str
    name: str
    note: str = ""
    table: Table | None = None
    is_narrow: bool = False
    second: Table | None = None
    plots: tuple[Plot, ...] = ()


def percent(estimate: Estimate) -> str:
    within = numbers.percent_interval(estimate)
    return numbers.percent(estimate.value) + (f" ({within})" if within else "")


def won(found: Preference) -> tuple[str, ...]:
    counts = str(found.wins), str(found.ties), str(found.losses)
    return (percent(found.share), *counts, numbers.p_value(found.p_value))
