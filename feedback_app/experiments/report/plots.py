"""Plots of an experiment's figures, in the looks of a study's results; each names the regime."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from feedback_app.charts import looks
from feedback_app.charts.plots import Plot
from feedback_app.experiments.labels import ARM_LABELS, FOLD
from feedback_app.experiments.report.figures import Compared, Figures, Group, Mean
from feedback_app.experiments.statistics.conclusions import signed
from feedback_app.experiments.statistics.gains import Gain
from feedback_app.experiments.statistics.metrics import METRICS, Metric

ROW_IN = 0.32
EDGE_IN = 0.95
PANEL_IN = 2.7
LEGEND_IN = 0.55
APART = 0.012
"""Arms at one place are drawn beside each other, by this share of the axis."""
COLOUR_OF = {
    "unfiltered": 0,
    "curated": 1,
    "finetuned_curated": 2,
    "pretrained": 3,
    "transformed": 4,
    "own_generator": 5,
    "synthetic": 6,
}
INTERVAL = ("gain", "low", "high")


def plots_of(figures: Figures, *, regime: str) -> tuple[Plot, ...]:
    return tuple(_plots(figures, regime))


def _plots(figures: Figures, regime: str) -> Iterator[Plot]:
    metric = METRICS[figures.metric]
    told = [one for one in figures.comparisons if one.gain.is_known]
    if len({one.place.ratio for one in told}) > 1:
        yield by_ratio(told, metric, regime)
    if len({one.place.real_size for one in told}) > 1:
        yield by_size(told, metric, regime)
    ratios = {0.0, told[0].place.ratio} if told else {0.0}
    means = [
        one for one in figures.means if one.metric == figures.metric and one.place.ratio in ratios
    ]
    if len({one.place.real_size for one in means}) > 1:
        yield learning_curve(means, metric, regime)
    groups = [one for one in figures.groups if one.gain.is_known]
    if groups:
        yield by_group(groups, metric, regime)
    if told:
        yield forest(told, metric, regime)


def _row(gain: Gain) -> tuple[float, float, float]:
    return gain.value, gain.low, gain.high


def forest(compared: Sequence[Compared], metric: Metric, regime: str) -> Plot:
    named = [(f"{one.place.label}, {one.place.real_size} real", one) for one in compared]
    first, primary = named[0]
    said = f"{first}: {signed(primary.gain.value)}"
    return Plot(
        name="forest",
        title=f"Gain in {metric.label} on real images alone · {regime}",
        summary=f"{'Primary comparison, ' if primary.is_primary else ''}{said}.",
        columns=("comparison", *INTERVAL, "seeds"),
        rows=tuple((name, *_row(one.gain), one.gain.seeds) for name, one in named),
        height_in=EDGE_IN + ROW_IN * len(named),
        draw=lambda: _draw_rows([(name, one.gain, one.is_primary) for name, one in named], metric),
    )


def by_group(groups: Sequence[Group], metric: Metric, regime: str) -> Plot:
    named = [(f"{one.name} ({one.patients})", one.gain) for one in groups]
    said = "; ".join(f"{name} {signed(gain.value)}" for name, gain in named)
    return Plot(
        name="by-group",
        title=f"Primary comparison by subgroup, {metric.label} · {regime}",
        summary=f"Gain by subgroup (patients): {said}.",
        columns=("group", *INTERVAL, "images", "patients"),
        rows=tuple(
            (f"{one.trait}: {one.name}", *_row(one.gain), one.images, one.patients)
            for one in groups
        ),
        height_in=EDGE_IN + ROW_IN * len(named),
        draw=lambda: _draw_rows([(name, gain, False) for name, gain in named], metric),
    )


def _draw_rows(named: Sequence[tuple[str, Gain, bool]], metric: Metric) -> Figure:
    drawn, (axes,) = looks.figure()
    axes.axvline(0, color=looks.MUTED, linewidth=0.8)
    for row, (_, gain, is_primary) in enumerate(named):
        colour = looks.WARM if is_primary else looks.ACCENT
        axes.plot([gain.low, gain.high], [row, row], color=colour, linewidth=2)
        axes.plot([gain.value], [row], "o", color=colour, markersize=6)
    looks.rows(axes, [name for name, *_ in named])
    axes.set_xlabel(_gain_label(metric))
    return drawn


def _gain_label(metric: Metric) -> str:
    unit = f" ({metric.unit})" if metric.unit else ""
    return f"gain in {metric.label}{unit}, with 95 % interval"


def by_ratio(compared: Sequence[Compared], metric: Metric, regime: str) -> Plot:
    sizes = sorted({one.place.real_size for one in compared})
    best = max(compared, key=lambda one: one.gain.value)
    panel_rows = -(-len(sizes) // 2)
    return Plot(
        name="by-ratio",
        title=f"Gain in {metric.label} by ratio of synthetic to real · {regime}",
        summary=(
            f"Largest gain {signed(best.gain.value)} at {best.place.ratio:g}{FOLD} and "
            f"{best.place.real_size} real images ({ARM_LABELS[best.place.arm]})."
        ),
        columns=("arm", "real_size", "ratio", *INTERVAL),
        rows=tuple(
            (ARM_LABELS[one.place.arm], one.place.real_size, one.place.ratio, *_row(one.gain))
            for one in compared
        ),
        height_in=LEGEND_IN + PANEL_IN * panel_rows,
        draw=lambda: _draw_by_ratio(compared, sizes, metric),
    )


def _draw_by_ratio(compared: Sequence[Compared], sizes: Sequence[int], metric: Metric) -> Figure:
    drawn, panels = looks.panels(len(sizes), columns=2)
    for axes, size in zip(panels, sizes, strict=True):
        of_size = [one for one in compared if one.place.real_size == size]
        _lines(axes, [(one.place.arm, one.place.ratio, one.gain) for one in of_size])
        axes.set_title(f"{size} real images", loc="left", color=looks.TEXT, fontsize=10)
        _log_ticks(axes, [one.place.ratio for one in compared], unit=FOLD)
    drawn.supxlabel("synthetic images a real one", color=looks.MUTED, fontsize=10)
    drawn.supylabel(f"gain in {metric.label}", color=looks.MUTED, fontsize=10)
    _legend(drawn, panels[0])
    return drawn


def by_size(compared: Sequence[Compared], metric: Metric, regime: str) -> Plot:
    """At the primary comparison's ratio, or at the one that most comparisons have."""
    primary = next((one for one in compared if one.is_primary), compared[0])
    ratio = primary.place.ratio
    chosen = [one for one in compared if one.place.ratio == ratio]
    said = "; ".join(
        f"{one.place.real_size} {signed(one.gain.value)}"
        for one in sorted(chosen, key=lambda one: one.place)
        if one.place.arm == primary.place.arm
    )
    return Plot(
        name="by-size",
        title=f"Gain in {metric.label} by real training images, {ratio:g}{FOLD} · {regime}",
        summary=f"{ARM_LABELS[primary.place.arm]}: {said}.",
        columns=("arm", "real_size", *INTERVAL),
        rows=tuple(
            (ARM_LABELS[one.place.arm], one.place.real_size, *_row(one.gain)) for one in chosen
        ),
        height_in=LEGEND_IN + PANEL_IN + 0.4,
        draw=lambda: _draw_by_size(chosen, metric),
    )


def _draw_by_size(compared: Sequence[Compared], metric: Metric) -> Figure:
    drawn, (axes,) = looks.figure()
    _lines(axes, [(one.place.arm, one.place.real_size, one.gain) for one in compared])
    _log_ticks(axes, [one.place.real_size for one in compared])
    axes.set_xlabel("real training images")
    axes.set_ylabel(f"gain in {metric.label}")
    _legend(drawn, axes)
    return drawn


def learning_curve(means: Sequence[Mean], metric: Metric, regime: str) -> Plot:
    real = sorted((one for one in means if one.place.arm == "real"), key=lambda one: one.place)
    said = "; ".join(f"{one.place.real_size} {one.mean:.3f}" for one in real)
    return Plot(
        name="figure-by-size",
        title=f"{metric.label} by real training images · {regime}",
        summary=f"Real images alone: {said}.",
        columns=("arm", "ratio", "real_size", "mean", "deviation", "seeds"),
        rows=tuple(
            (
                ARM_LABELS[one.place.arm],
                one.place.ratio,
                one.place.real_size,
                one.mean,
                one.deviation,
                one.seeds,
            )
            for one in means
        ),
        height_in=LEGEND_IN + PANEL_IN + 1.0,
        draw=lambda: _draw_learning_curve(means, metric),
    )


def _draw_learning_curve(means: Sequence[Mean], metric: Metric) -> Figure:
    drawn, (axes,) = looks.figure()
    labels = list(dict.fromkeys(one.place.label for one in means))
    for label in labels:
        line = sorted((m for m in means if m.place.label == label), key=lambda m: m.place)
        is_real = line[0].place.arm == "real"
        axes.plot(
            [one.place.real_size for one in line], [one.mean for one in line],
            color=looks.TEXT if is_real else looks.colour(COLOUR_OF[line[0].place.arm]),
            linestyle="-" if is_real else looks.dash(COLOUR_OF[line[0].place.arm]),
            linewidth=2.2 if is_real else 1.3, marker="o", markersize=3.5, label=label,
        )  # fmt: skip
    _log_ticks(axes, [one.place.real_size for one in means])
    looks.grid(axes, axis="y")
    axes.set_xlabel("real training images")
    axes.set_ylabel(f"{metric.label}, mean over seeds")
    _legend(drawn, axes)
    return drawn


def _lines(axes: Axes, points: Sequence[tuple[str, float, Gain]]) -> None:
    """Draws one line an arm, with intervals, on a logarithmic axis."""
    axes.set_xscale("log")
    axes.axhline(0, color=looks.MUTED, linewidth=0.8)
    arms = [arm for arm in ARM_LABELS if any(point[0] == arm for point in points)]
    places = [place for _, place, _ in points]
    span = np.log(max(places) / min(places)) or 1.0
    for arm in arms:
        number = COLOUR_OF[arm]
        shift = np.exp(APART * span * (arms.index(arm) - (len(arms) - 1) / 2))
        of_arm = sorted(
            ((place, gain) for name, place, gain in points if name == arm),
            key=lambda point: point[0],
        )
        values = [gain.value for _, gain in of_arm]
        axes.errorbar(
            [place * shift for place, _ in of_arm], values,
            yerr=[
                [gain.value - gain.low for _, gain in of_arm],
                [gain.high - gain.value for _, gain in of_arm],
            ],
            color=looks.colour(number), linestyle=looks.dash(number), linewidth=1.3,
            elinewidth=1, marker="o", markersize=4, label=ARM_LABELS[arm],
        )  # fmt: skip
    looks.grid(axes, axis="y")


def _log_ticks(axes: Axes, places: Sequence[float], *, unit: str = "") -> None:
    axes.set_xscale("log")
    shown = sorted(set(places))
    axes.set_xticks(shown, [f"{place:g}{unit}" for place in shown])
    axes.set_xticks([], minor=True)


def _legend(drawn: Figure, axes: Axes) -> None:
    names, labels = axes.get_legend_handles_labels()
    drawn.legend(
        names, labels, loc="outside upper left", ncols=3, frameon=False, labelcolor=looks.TEXT,
        fontsize=9,
    )  # fmt: skip
