"""Which plots a study has, what each shows in words, and its numbers."""

from collections.abc import Iterator, Sequence

import numpy as np

from feedback_app.charts import numbers
from feedback_app.charts.plots import Cell, Plot
from feedback_app.results.choices import ChoiceFigures
from feedback_app.results.figures import Figures
from feedback_app.results.plots import drawing
from feedback_app.results.score_figures import ScoreFigures
from feedback_app.results.sources import DetectionFigures
from feedback_app.statistics.bootstrap import Estimate
from feedback_app.statistics.preference import Preference

INTERVAL = ("low", "high", "cases")
ROW_IN = 0.34
EDGE_IN = 0.85
LEGEND_IN = 0.3
ROC_IN = 4.6


def plots_of(figures: Figures) -> dict[str, Plot]:
    """By name; only those that have something to show."""
    return {plot.name: plot for plot in _plots(figures)}


def _plots(figures: Figures) -> Iterator[Plot]:
    if any(one.pace for one in figures.paces):
        yield pace(figures)
    for one in figures.scores:
        if one.answered:
            yield scores(one)
        if one.shared:
            yield agreement(one)
        if any(estimate.is_known for estimate in one.leniency):
            yield leniency(one)
        if any(one.paths):
            yield drift(one)
    for choice in figures.choices:
        if choice.left.wins + choice.left.losses:
            yield sides(choice, figures.readers)
        if choice.duels:
            yield duels(choice)
    for detection in figures.detections:
        if detection.overall.curve:
            yield roc(detection, figures.readers)


def _height(rows: int, *, row_in: float = ROW_IN) -> float:
    return EDGE_IN + row_in * rows


def _estimate(estimate: Estimate) -> tuple[float, float, float, int]:
    return estimate.value, estimate.low, estimate.high, estimate.count


def pace(figures: Figures) -> Plot:
    timed = [(one.reader, one.pace) for one in figures.paces if one.pace]
    each = ", ".join(f"{name} {found.median_s:.0f} s" for name, found in timed)
    return Plot(
        name="pace",
        title="Seconds a case",
        summary=f"Median time a case: {each}.",
        columns=("reader", "readings", "p10_s", "p25_s", "median_s", "p75_s", "p90_s", "per_hour"),
        rows=tuple(
            (name, found.count, *found.quantiles_s, found.per_hour) for name, found in timed
        ),
        height_in=_height(len(timed)),
        draw=lambda: drawing.pace(figures),
    )


def scores(figures: ScoreFigures) -> Plot:
    question = figures.question
    mean = "" if question.is_comparison else f", mean {numbers.figure(figures.mean)}"
    rows: list[tuple[Cell, ...]] = [
        (name, *(int(count) for count in counts))
        for name, counts in zip(
            ["All readers", *figures.readers],
            np.vstack([figures.counts.sum(axis=0), figures.counts]),
            strict=True,
        )
    ]
    return Plot(
        name=f"scores-{question.slug}",
        title=f"Answers for {question.name}",
        summary=f"{question.name}: {figures.answered} answers{mean}.",
        columns=("reader", *figures.labels),
        rows=tuple(rows),
        height_in=_height(len(rows)) + LEGEND_IN,
        draw=lambda: drawing.scores(figures),
    )


def agreement(figures: ScoreFigures) -> Plot:
    readers, kappas = figures.readers, figures.agreement.kappas
    pairs = [(i, j) for i in range(len(readers)) for j in range(i + 1, len(readers))]
    known = [kappas[i][j].value for i, j in pairs if kappas[i][j].is_known]
    spread = f" from {min(known):.2f} to {max(known):.2f}" if known else " not known"
    return Plot(
        name=f"agreement-{figures.question.slug}",
        title=f"Agreement of every two readers on {figures.question.name}",
        summary=f"Quadratic-weighted kappa of every two readers{spread}.",
        columns=("reader", "other", "kappa", *INTERVAL),
        rows=tuple((readers[i], readers[j], *_estimate(kappas[i][j])) for i, j in pairs),
        height_in=_height(len(readers), row_in=0.48),
        draw=lambda: drawing.agreement(figures),
    )


def leniency(figures: ScoreFigures) -> Plot:
    named = list(zip(figures.readers, figures.leniency, strict=True))
    known = sorted(
        ((one.value, name) for name, one in named if one.is_known), key=lambda pair: pair[0]
    )
    strictest, mildest = known[0], known[-1]
    return Plot(
        name=f"leniency-{figures.question.slug}",
        title=f"Leniency on {figures.question.name}",
        summary=(
            f"Strictest is {strictest[1]} ({numbers.figure(strictest[0])} points), "
            f"most lenient {mildest[1]} ({numbers.figure(mildest[0])})."
        ),
        columns=("reader", "leniency", *INTERVAL),
        rows=tuple((name, *_estimate(one)) for name, one in named),
        height_in=_height(len(named)),
        draw=lambda: drawing.leniency(figures),
    )


def drift(figures: ScoreFigures) -> Plot:
    named = list(zip(figures.readers, figures.paths, strict=True))
    changes = [
        f"{name} {numbers.signed(path.drift.change)}" for name, path in named if path and path.drift
    ]
    said = "; ".join(changes) or "too few readings for a slope"
    return Plot(
        name=f"drift-{figures.question.slug}",
        title=f"Drift on {figures.question.name}",
        summary=f"Points gained against the other readers from first to last reading: {said}.",
        columns=("reader", "reading", "deviation", "smooth"),
        rows=tuple(
            (name, int(order) + 1, float(deviation), float(smooth))
            for name, path in named
            if path
            for order, deviation, smooth in zip(
                path.order,
                path.deviation,
                path.smooth if path.smooth.size else np.full(len(path.order), np.nan),
                strict=True,
            )
        ),
        height_in=_height(-(-len(named) // drawing.panel_columns(len(named))), row_in=1.75),
        draw=lambda: drawing.drift(figures),
    )


def _won(preference: Preference) -> tuple[int, int, int, float, float, float, int, float]:
    share = _estimate(preference.share)
    return preference.wins, preference.ties, preference.losses, *share, preference.p_value


WON = ("share_of_decided", *INTERVAL, "sign_test_p")


def sides(figures: ChoiceFigures, readers: Sequence[str]) -> Plot:
    won = zip(["All readers", *readers], [figures.left, *figures.left_by_reader], strict=True)
    return Plot(
        name=f"sides-{figures.question.slug}",
        title=f"Chosen side for {figures.question.name}",
        summary=(
            f"The left image won {numbers.percent(figures.left.share.value)} of decided choices "
            f"({numbers.p_value(figures.left.p_value)})."
        ),
        columns=("reader", "left", "neither", "right", *WON),
        rows=tuple((name, *_won(one)) for name, one in won),
        height_in=_height(1 + len(readers)) + LEGEND_IN,
        draw=lambda: drawing.sides(figures, readers),
    )


def duels(figures: ChoiceFigures) -> Plot:
    said = "; ".join(
        f"{one.first} preferred to {one.second} in {numbers.percent(one.preference.share.value)}"
        for one in figures.duels
    )
    return Plot(
        name=f"preference-{figures.question.slug}",
        title=f"Preferred model for {figures.question.name}",
        summary=f"{said} of decided choices.",
        columns=("first", "second", "first_won", "neither", "second_won", *WON),
        rows=tuple((one.first, one.second, *_won(one.preference)) for one in figures.duels),
        height_in=_height(len(figures.duels), row_in=0.6) + LEGEND_IN,
        draw=lambda: drawing.duels(figures),
    )


def roc(figures: DetectionFigures, readers: Sequence[str]) -> Plot:
    named = zip(["All readers", *readers], [figures.overall, *figures.by_reader], strict=True)
    auc = numbers.with_interval(figures.overall.auc)
    return Plot(
        name=f"roc-{figures.question.slug}",
        title="Real or synthetic: ROC",
        summary=f"Area under the curve of all readers {auc}.",
        columns=("reader", "false_alarm_rate", "hit_rate"),
        rows=tuple((name, *point) for name, one in named for point in one.curve),
        height_in=ROC_IN,
        draw=lambda: drawing.roc(figures, readers),
    )
