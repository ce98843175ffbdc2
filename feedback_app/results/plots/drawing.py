"""Drawing figures; each function returns a figure of its own."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from feedback_app.charts import looks
from feedback_app.results.choices import ChoiceFigures
from feedback_app.results.figures import Figures
from feedback_app.results.score_figures import ScoreFigures
from feedback_app.results.sources import DetectionFigures
from feedback_app.statistics.behaviour import Path
from feedback_app.statistics.bootstrap import Floats, Ints

DOTS_MAX = 240
"""Points of a small panel, in which more would lie upon each other."""
LEGEND_LETTERS = 50
"""All labels together may have so many, in one line above a plot."""
SEQUENCE = LinearSegmentedColormap.from_list("calm", ["#2b3946", "#2f6a87", "#c4e6f5"])
LETTERS_ABREAST = 60
"""As many letters of names fit under a plot, side by side."""


def scores(figures: ScoreFigures) -> Figure:
    """Returns one bar a reader, and one of all: which share of answers had which value."""
    counts = np.vstack([figures.counts.sum(axis=0), figures.counts])
    names = ["All readers", *figures.readers]
    drawn, (axes,) = looks.figure()
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    stacked(axes, names, shares, labels=figures.labels)
    return drawn


def stacked(axes: Axes, names: Sequence[str], shares: Floats, *, labels: Sequence[str]) -> None:
    left = np.zeros(len(names))
    for level, label in enumerate(labels):
        shade = SEQUENCE(level / max(1, len(labels) - 1))
        axes.barh(
            range(len(names)), shares[:, level], left=left, height=0.66, color=shade, label=label,
            edgecolor=looks.SURFACE, linewidth=1,
        )  # fmt: skip
        left += shares[:, level]
    looks.rows(axes, [looks.short(name) for name in names])
    axes.grid(visible=False)
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of answers")
    in_words = sum(map(len, labels)) > LEGEND_LETTERS
    looks.legend(
        axes, ncols=3 if in_words else len(labels), loc="lower left", bbox_to_anchor=(0, 1),
        borderaxespad=0,
    )  # fmt: skip


def agreement(figures: ScoreFigures) -> Figure:
    """Returns the matrix of pairwise kappas, with its numbers."""
    kappas = kappa_values(figures)
    count = len(figures.readers)
    drawn, (axes,) = looks.figure()
    axes.imshow(np.clip(kappas, 0, 1), cmap=SEQUENCE, vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(count, count):
        value = kappas[row, column]
        if row != column:
            ink = looks.GROUND if value > 0.6 else looks.TEXT
            text = "–" if np.isnan(value) else f"{value:.2f}".replace("-", "−")
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=9)
    names = [looks.short(name) for name in figures.readers]
    is_tight = count * max(map(len, names), default=0) > LETTERS_ABREAST
    axes.set_xticks(range(count), names)
    if is_tight:
        for label in axes.get_xticklabels():
            label.set(rotation=25, horizontalalignment="right", rotation_mode="anchor")
    axes.set_yticks(range(count), names)
    axes.tick_params(colors=looks.TEXT)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return drawn


def kappa_values(figures: ScoreFigures) -> Floats:
    return np.array([[one.value for one in row] for row in figures.agreement.kappas])


def leniency(figures: ScoreFigures) -> Figure:
    names = [looks.short(name) for name in figures.readers]
    drawn, (axes,) = looks.figure()
    axes.axvline(0, color=looks.MUTED, linewidth=0.8)
    for row, one in enumerate(figures.leniency):
        axes.plot([one.low, one.high], [row, row], color=looks.ACCENT, linewidth=2)
        axes.plot([one.value], [row], "o", color=looks.ACCENT, markersize=6)
    looks.rows(axes, names)
    axes.set_xlabel("points above (lenient) or below (strict) the readers’ mean")
    return drawn


def drift(figures: ScoreFigures) -> Figure:
    """Returns one small plot a reader, all on one scale."""
    count = len(figures.readers)
    drawn, panels = looks.panels(count, columns=panel_columns(count))
    ends = [np.abs(path.deviation).max() for path in figures.paths if path]
    for panel, name, path in zip(panels, figures.readers, figures.paths, strict=True):
        panel.set_title(looks.short(name), fontsize=10, loc="left", color=looks.TEXT)
        panel.axhline(0, color=looks.MUTED, linewidth=0.8)
        if path:
            course(panel, path)
        panel.set_ylim(-1.05 * max(ends, default=1), 1.05 * max(ends, default=1))
        looks.whole_numbers(panel)
    drawn.supxlabel("reading", color=looks.MUTED, fontsize=10)
    drawn.supylabel("points from the others’ median", color=looks.MUTED, fontsize=10)
    return drawn


def panel_columns(count: int) -> int:
    """Small multiples in a row, without gaps where that can be had."""
    return 2 if count in {2, 4} else 3


def course(axes: Axes, path: Path) -> None:
    """Draws an even choice of the points, and of the line, where there are very many.

    The table of the plot's numbers has all of them.
    """
    order = path.order + 1
    dots = evenly(order.size)
    axes.plot(
        order[dots], path.deviation[dots], "o", color=looks.ACCENT, alpha=0.35, markersize=2.5
    )
    if path.smooth.size:
        axes.plot(order[dots], path.smooth[dots], color=looks.WARM, linewidth=2)


def evenly(count: int) -> Ints:
    """Returns at most ``DOTS_MAX`` indexes below ``count``, first and last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, DOTS_MAX)).astype(np.int64))


def pace(figures: Figures) -> Figure:
    """Draws the middle 80 and 50 % of each reader's times, and the median."""
    timed = [(one.reader, one.pace) for one in figures.paces if one.pace]
    drawn, (axes,) = looks.figure()
    for row, (_, found) in enumerate(timed):
        ten, quarter, half, three_quarters, ninety = found.quantiles_s
        axes.plot([ten, ninety], [row, row], color=looks.ACCENT, linewidth=1, alpha=0.7)
        axes.plot([quarter, three_quarters], [row, row], color=looks.ACCENT, linewidth=5)
        axes.plot([half], [row], "o", color=looks.TEXT, markersize=6)
    looks.rows(axes, [looks.short(name) for name, _ in timed])
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds a case: median, middle half, middle 80 %")
    return drawn


def roc(figures: DetectionFigures, readers: Sequence[str]) -> Figure:
    drawn, (axes,) = looks.figure()
    axes.plot([0, 1], [0, 1], color=looks.MUTED, linewidth=0.8, linestyle=":")
    for number, (name, one) in enumerate(zip(readers, figures.by_reader, strict=True)):
        if one.curve:
            alarms, hits = zip(*one.curve, strict=True)
            axes.plot(
                alarms, hits, color=looks.colour(number), linestyle=looks.dash(number),
                marker="o", markersize=3, linewidth=1.3, label=f"{name} ({one.auc.value:.2f})",
            )  # fmt: skip
    if figures.overall.curve:
        alarms, hits = zip(*figures.overall.curve, strict=True)
        label = f"All readers ({figures.overall.auc.value:.2f})"
        axes.plot(alarms, hits, color=looks.TEXT, linewidth=2.5, label=label)
    axes.set_aspect("equal")
    axes.set_xlabel("real images called synthetic")
    axes.set_ylabel("synthetic images called synthetic")
    looks.legend(axes, title="AUC", title_fontsize=9, loc="center left", bbox_to_anchor=(1.02, 0.5))
    axes.get_legend().get_title().set_color(looks.MUTED)  # type: ignore[union-attr]
    return drawn


def sides(figures: ChoiceFigures, readers: Sequence[str]) -> Figure:
    """Returns whether a side attracts choices, whatever is on it."""
    names = ["All readers", *readers]
    won = [figures.left, *figures.left_by_reader]
    return _won(
        names,
        np.array([[one.wins, one.ties, one.losses] for one in won], dtype=float),
        labels=("left image", "neither", "right image"),
    )


def duels(figures: ChoiceFigures) -> Figure:
    names = [f"{one.first}\nor {one.second}" for one in figures.duels]
    won = [one.preference for one in figures.duels]
    return _won(
        names,
        np.array([[one.wins, one.ties, one.losses] for one in won], dtype=float),
        labels=("the first", "neither", "the second"),
    )


def _won(names: Sequence[str], counts: Floats, *, labels: Sequence[str]) -> Figure:
    drawn, (axes,) = looks.figure()
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    left = np.zeros(len(names))
    shades = (looks.ACCENT, looks.LINE, looks.WARM)
    for column, (label, shade) in enumerate(zip(labels, shades, strict=True)):
        axes.barh(
            range(len(names)), shares[:, column], left=left, color=shade, label=label,
            height=0.66, edgecolor=looks.SURFACE,
        )  # fmt: skip
        left += shares[:, column]
    axes.axvline(50, color=looks.TEXT, linewidth=0.8, linestyle=":")
    looks.rows(axes, names)
    axes.grid(visible=False)
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of choices")
    looks.legend(axes, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
    return drawn
