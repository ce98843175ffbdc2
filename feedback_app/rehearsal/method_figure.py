"""The cells of a comparison of methods as a table, as CSV, and as a figure."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.axes import Axes

from feedback_app.charts import looks
from feedback_app.rehearsal.method_comparison import Cell

TASTES = {"readers_taste": "readers' taste", "second_taste": "second taste"}
OPPONENTS = {"against_parent": "parent", "against_best": "best of 4", "against_twin": "twin"}
DRAWN = ("against_parent", "against_best")
SHARES = ("share", "low", "high")
QUALITY = ("kid", "ms_ssim")
COLUMNS = (
    "arm",
    "size",
    "readings",
    "pairs",
    *(
        f"{opponent}_{taste}_{part}"
        for opponent in OPPONENTS
        for taste in TASTES
        for part in SHARES
    ),
    *(f"{name}_{whose}" for name in QUALITY for whose in ("parent", "child")),
    "error",
)
PANEL_HEIGHT_IN = 2.9
APART = 1.05
"""Arms of one size are drawn beside each other, by this factor along the logarithmic axis."""


def as_csv(cells: Sequence[Cell]) -> str:
    """Returns what is not known is empty."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(cell) for cell in cells)
    return buffer.getvalue()


def _row(cell: Cell) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(cell, name) for name in (*COLUMNS[:4], "error")}
    for opponent in OPPONENTS:
        for taste, found in getattr(cell, opponent).items():
            row |= {f"{opponent}_{taste}_{part}": found[part] for part in SHARES}
    for whose, figures in cell.quality.items():
        row |= {f"{name}_{whose}": figures[name] for name in QUALITY if name in figures}
    return row


def as_table(cells: Sequence[Cell]) -> str:
    head = ("method", "readings", "pairs")
    won = [f"{taste} / {whom}" for whom in OPPONENTS.values() for taste in TASTES.values()]
    rows = [[*head, *won, "KID", "MS-SSIM"], *(_shown(cell) for cell in cells)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _shown(cell: Cell) -> list[str]:
    if cell.error:
        blank = [""] * (len(OPPONENTS) * len(TASTES) + len(QUALITY) - 1)
        return [cell.arm, str(cell.size), "", f"nothing: {cell.error}", *blank]
    shares = [
        _share(getattr(cell, opponent).get(taste)) for opponent in OPPONENTS for taste in TASTES
    ]
    changes = [_change(cell, name) for name in QUALITY]
    return [cell.arm, str(cell.readings), str(cell.pairs), *shares, *changes]


def _share(found: dict[str, Any] | None) -> str:
    return f"{found['share']:.2f} ({found['low']:.2f}-{found['high']:.2f})" if found else "–"


def _change(cell: Cell, name: str) -> str:
    found = [figures.get(name) for figures in cell.quality.values()]
    values = [cell.quality.get(whose, {}).get(name) for whose in ("parent", "child")]
    shown = ["–" if value is None else f"{value:.3f}" for value in values]
    return " to ".join(shown) if found else "–"


def as_svg(cells: Sequence[Cell]) -> str:
    """Returns a panel for each taste and opponent: win rates with their intervals, by readings."""
    panels = [(opponent, taste) for opponent in DRAWN for taste in TASTES]
    drawn, grid = looks.panels(len(panels), columns=2)
    for axes, (opponent, taste) in zip(grid, panels, strict=True):
        _draw(axes, cells, opponent=opponent, taste=taste)
        title = f"{TASTES[taste].capitalize()}, against {OPPONENTS[opponent]}"
        axes.set_title(title, loc="left", color=looks.TEXT, fontsize=10)
    for axes in grid[-2:]:
        axes.set_xlabel("readings")
    names, labels = grid[0].get_legend_handles_labels()
    drawn.legend(
        names, labels, loc="outside lower center", ncols=3, frameon=False, labelcolor=looks.TEXT,
        fontsize=9,
    )  # fmt: skip
    return looks.as_svg(drawn, title="Methods of learning", height_in=2 * PANEL_HEIGHT_IN + 0.8)


def _draw(axes: Axes, cells: Sequence[Cell], *, opponent: str, taste: str) -> None:
    arms = list(dict.fromkeys(cell.arm for cell in cells))
    axes.axhline(0.5, color=looks.MUTED, linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.set_ylim(0, 1)
    axes.set_ylabel("win rate")
    sizes = sorted({cell.readings for cell in cells if not cell.error})
    axes.set_xticks(sizes, [str(size) for size in sizes], minor=False)
    axes.set_xticks([], minor=True)
    looks.grid(axes, axis="y")
    for number, arm in enumerate(arms):
        points = list(_points(cells, arm=arm, opponent=opponent, taste=taste))
        shift = APART ** (number - (len(arms) - 1) / 2)
        places = [readings * shift for readings, _ in points]
        shares = [found["share"] for _, found in points]
        below = [found["share"] - found["low"] for _, found in points]
        above = [found["high"] - found["share"] for _, found in points]
        axes.errorbar(
            places, shares, yerr=[below, above], color=looks.colour(number),
            linestyle=looks.dash(number), linewidth=1.2, elinewidth=0.9, marker="o",
            markersize=3.5, label=arm.replace("_", " "),
        )  # fmt: skip


def _points(
    cells: Sequence[Cell], *, arm: str, opponent: str, taste: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    for cell in cells:
        found = getattr(cell, opponent)
        if cell.arm == arm and taste in found:
            yield cell.readings, found[taste]
