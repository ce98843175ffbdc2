"""Plots of a gate's figures, in the looks of a study's results."""

from collections.abc import Iterator, Mapping
from typing import Any

from matplotlib.figure import Figure

from feedback_app.charts import looks
from feedback_app.charts.plots import Plot
from generation.quality.gate_rules import qualities
from generation.quality.gate_spec import GateSpec

ROW_IN = 0.34
EDGE_IN = 0.85
SIMILARITY_IN = 2.4
Row = tuple[str, float, float, float, int]


def plots_of(figures: Mapping[str, Any], spec: GateSpec) -> tuple[Plot, ...]:
    return tuple(_plots(figures, spec))


def _plots(figures: Mapping[str, Any], spec: GateSpec) -> Iterator[Plot]:
    if figures["judge"]:
        won = list(_won(figures))
        yield Plot(
            name="win-rate",
            title=f"How often {figures['judge']['name'].lower()} prefers the child",
            summary="; ".join(f"{name} {value:.0%}" for name, value, *_ in won) + ".",
            columns=("", "share", "low", "high", "pairs"),
            rows=tuple(won),
            height_in=EDGE_IN + ROW_IN * len(won),
            draw=lambda: _draw_won(won, spec),
        )
    moved = list(_moved(figures, spec))
    if moved:
        yield Plot(
            name="quality",
            title="How much of each margin is used up",
            summary="; ".join(f"{label} {100 * used:.0f} %" for label, used, *_ in moved) + ".",
            columns=("", "used", "low", "high"),
            rows=tuple(moved),
            height_in=EDGE_IN + ROW_IN * len(moved),
            draw=lambda: _draw_moved(moved),
        )
    if figures["similarity"]:
        similarity, threshold = figures["similarity"], figures["threshold"]
        beyond = sum(value > threshold for value in similarity["child"])
        yield Plot(
            name="similarity",
            title="Similarity to the nearest training image",
            summary=f"{beyond} of the child's images lie beyond the threshold of {threshold:.3f}.",
            columns=("pair", "child", "parent"),
            rows=tuple(
                (number, child, parent)
                for number, (child, parent) in enumerate(
                    zip(similarity["child"], similarity["parent"], strict=True), start=1
                )
            ),
            height_in=SIMILARITY_IN,
            draw=lambda: _draw_similarity(similarity, threshold),
        )


def _won(figures: Mapping[str, Any]) -> Iterator[Row]:
    yield _of("All", figures["judge"]["win_rate"])
    for name, row in figures["findings"].items():
        yield _of(name, row["win_rate"])


def _of(name: str, won: Mapping[str, Any]) -> Row:
    return name, won["share"], won["low"], won["high"], won["pairs"]


def _moved(figures: Mapping[str, Any], spec: GateSpec) -> Iterator[tuple[str, float, float, float]]:
    """Yields the change in the direction that counts against the child, as a share of its
    margin.
    """
    for quality in qualities(spec):
        found = figures["quality"].get(quality.name)
        if found is None:
            continue
        limit, change = quality.limit(spec), found["change"]
        low, high = sorted((change["low"] / limit, change["high"] / limit))
        yield f"{quality.label} ({quality.direction})", change["value"] / limit, low, high


def _draw_won(won: list[Row], spec: GateSpec) -> Figure:
    drawn, (axes,) = looks.figure()
    axes.axvline(100 * spec.win_rate_above, color=looks.MUTED, linewidth=0.8)
    for row, (_, value, low, high, _) in enumerate(won):
        colour = looks.WARM if row == 0 else looks.ACCENT
        axes.plot([100 * low, 100 * high], [row, row], color=colour, linewidth=2)
        axes.plot([100 * value], [row], "o", color=colour, markersize=6)
    looks.rows(axes, [name for name, *_ in won])
    axes.set_xlim(-2, 102)
    axes.set_xlabel("% of pairs in which the child is preferred, with 95 % interval")
    return drawn


def _draw_moved(moved: list[tuple[str, float, float, float]]) -> Figure:
    drawn, (axes,) = looks.figure()
    axes.axvline(0, color=looks.MUTED, linewidth=0.8)
    axes.axvline(100, color=looks.COLOURS[3], linewidth=1, linestyle="--")
    for row, (_, used, low, high) in enumerate(moved):
        colour = looks.COLOURS[3] if used > 1 else looks.ACCENT
        axes.plot([100 * low, 100 * high], [row, row], color=colour, linewidth=2)
        axes.plot([100 * used], [row], "o", color=colour, markersize=6)
    looks.rows(axes, [name for name, *_ in moved])
    axes.set_xlabel("% of the margin; beyond 100 the child is held, below 0 it gained")
    return drawn


def _draw_similarity(similarity: Mapping[str, list[float]], threshold: float) -> Figure:
    drawn, (axes,) = looks.figure()
    values = [similarity["parent"], similarity["child"]]
    axes.hist(
        values,
        bins=24,
        color=[looks.MUTED, looks.ACCENT],
        label=["parent", "child"],
    )
    axes.axvline(threshold, color=looks.COLOURS[3], linewidth=1, linestyle="--", label="threshold")
    looks.grid(axes, axis="y")
    looks.legend(axes, loc="upper left")
    axes.set_xlabel("cosine similarity to the nearest training image")
    axes.set_ylabel("images")
    return drawn
