"""A report put in order and in words, ready for the template."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_app.charts.numbers import figure
from feedback_app.experiments.labels import setting_label
from feedback_app.experiments.models import Experiment
from feedback_app.experiments.report.figures import Compared, Figures, Mean
from feedback_app.experiments.report.sheets import Address, Sheet, address_of, sheets_of
from feedback_app.experiments.services.design import design_of
from feedback_app.experiments.services.regimes import in_words
from feedback_app.experiments.statistics.conclusions import LABELS, Finding, signed, with_others
from feedback_app.experiments.statistics.metrics import METRICS, Metric, metrics_of

if TYPE_CHECKING:
    from feedback_app.charts.plots import Plot

BADGES = {
    Finding.GAIN: "succeeded",
    Finding.LOSS: "failed",
    Finding.NOT_SHOWN: "",
    Finding.TOO_FEW: "",
}
DASH = "\N{EN DASH}"
DIGITS = 3
TOO_FEW = "too few to tell"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One comparison as the table shows it."""

    name: str
    against: str
    value: str
    interval: str
    p_value: str
    p_corrected: str
    cohens_d: str
    hedges_g: str
    finding: str
    badge: str
    paper_interval: str
    paper_p: str
    paper_p_corrected: str
    seeds: int
    sentence: str
    is_primary: bool


@dataclass(frozen=True)
class MeanRow:
    """An arm at a size and ratio with its figures, in the metrics' order."""

    name: str
    real_size: int
    seeds: int
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class GroupRow:
    """It shows the primary comparison within a part of the test images."""

    name: str
    patients: int
    images: int
    value: str
    interval: str


@dataclass(frozen=True, kw_only=True)
class HeadroomRow:
    """What there is to gain at a number of real images."""

    real_size: int
    value: str
    trivial: str
    trivial_value: str
    with_most: str
    room: str
    is_trivial: bool


@dataclass(frozen=True, kw_only=True)
class Report:
    figures: Figures
    metric: Metric
    regime: str
    primary_regime: str
    primary: Line | None
    beside_others: str
    lines: tuple[Line, ...]
    controls: tuple[Line, ...]
    others: tuple[Line, ...]
    means: tuple[MeanRow, ...]
    groups: tuple[GroupRow, ...]
    headroom: tuple[HeadroomRow, ...]
    metrics: tuple[Metric, ...]
    plots: "tuple[Plot, ...]"
    sheets: tuple[Sheet, ...]
    behind: tuple[tuple[str, list[dict[str, Any]]], ...]
    settings: tuple[tuple[str, Any], ...]

    @property
    def is_whole(self) -> bool:
        return self.figures.done == self.figures.cells


def report_of(
    experiment: Experiment,
    figures: Figures,
    *,
    address: Address = address_of,
    shows_real: bool = True,
) -> Report:
    from feedback_app.experiments.report.plots import plots_of  # slow to import

    metric = METRICS[figures.metric]
    regimes = experiment.lineage["regimes"]
    regime = in_words(regimes)
    lines = tuple(line_of(one, metric) for one in figures.comparisons)
    primary = figures.primary
    return Report(
        figures=figures,
        metric=metric,
        regime=regime,
        primary_regime=in_words(
            [
                one
                for one in regimes
                if (one["arm"], one["real_size"])
                == (experiment.primary_arm, experiment.primary_size)
            ]
        ),
        primary=next((line for line in lines if line.is_primary), None),
        beside_others=with_others(p_corrected=primary.p_holm, comparisons=len(figures.comparisons))
        if primary and primary.finding == Finding.GAIN
        else "",
        lines=lines,
        controls=tuple(line_of(one, metric) for one in figures.controls),
        others=tuple(other_lines(figures)),
        means=tuple(mean_rows(figures.means, task=experiment.task)),
        groups=tuple(group_rows(figures)),
        headroom=tuple(headroom_rows(figures)),
        metrics=tuple(metrics_of(experiment.task)),
        plots=plots_of(figures, regime=regime),
        sheets=tuple(sheets_of(experiment, address=address, shows_real=shows_real)),
        behind=tuple(experiment.lineage["behind"].items()),
        settings=tuple(settings_of(experiment)),
    )


def line_of(one: Compared, metric: Metric) -> Line:
    gain, paper = one.gain, one.paper
    return Line(
        name=f"{one.place.label}, {one.place.real_size} real",
        against=one.against.label,
        value=shown(gain.value),
        interval=interval(gain.low, gain.high),
        p_value=p_value(gain.p_value),
        p_corrected=p_value(one.p_holm),
        cohens_d=figure(gain.cohens_d),
        hedges_g=figure(gain.hedges_g),
        finding=LABELS[one.finding],
        badge=BADGES[one.finding],
        paper_interval=interval(paper.low, paper.high),
        paper_p=p_value(paper.p_value),
        paper_p_corrected=p_value(one.p_bonferroni),
        seeds=gain.seeds,
        sentence=one.sentence(metric),
        is_primary=one.is_primary,
    )


def other_lines(figures: Figures) -> Iterable[Line]:
    """Yields the primary comparison by every metric: shown with intervals, not tested."""
    for name, gain in figures.by_metric:
        metric = METRICS[name]
        yield Line(
            name=f"{metric.label}{f' ({metric.unit} less)' if metric.less_is_better else ''}",
            against="",
            value=shown(gain.value),
            interval=interval(gain.low, gain.high),
            p_value="",
            p_corrected="",
            cohens_d=figure(gain.cohens_d),
            hedges_g=figure(gain.hedges_g),
            finding="",
            badge="",
            paper_interval="",
            paper_p="",
            paper_p_corrected="",
            seeds=gain.seeds,
            sentence="",
            is_primary=False,
        )


def mean_rows(means: Iterable[Mean], *, task: str) -> Iterable[MeanRow]:
    names = [metric.name for metric in metrics_of(task)]
    by_place: dict[Any, dict[str, Mean]] = {}
    for one in means:
        by_place.setdefault(one.place, {})[one.metric] = one
    for place, found in by_place.items():
        yield MeanRow(
            name=place.label,
            real_size=place.real_size,
            seeds=next(iter(found.values())).seeds,
            values=tuple(with_deviation(found[name]) for name in names),
        )


def group_rows(figures: Figures) -> Iterable[GroupRow]:
    """Without an interval where there are too few patients."""
    for one in figures.groups:
        gain = one.gain
        yield GroupRow(
            name=f"{one.trait}: {one.name}",
            patients=one.patients,
            images=one.images,
            value=shown(gain.value),
            interval=interval(gain.low, gain.high) if gain.is_enough else TOO_FEW,
        )


def headroom_rows(figures: Figures) -> Iterable[HeadroomRow]:
    for one in figures.headroom:
        yield HeadroomRow(
            real_size=one.real_size,
            value=plain(one.value),
            trivial=one.trivial or DASH,
            trivial_value=plain(one.trivial_value),
            with_most=plain(one.with_most),
            room=DASH if one.room is None else plain(one.room),
            is_trivial=one.is_trivial,
        )


def plain(value: float) -> str:
    return DASH if np.isnan(value) else figure(value, digits=DIGITS)


def with_deviation(one: Mean) -> str:
    """Returns ``0.812 ± 0.021``, over seeds."""
    if np.isnan(one.mean):
        return DASH
    text = figure(one.mean, digits=DIGITS)
    return text if np.isnan(one.deviation) else f"{text} ± {figure(one.deviation, digits=DIGITS)}"


def shown(value: float) -> str:
    return DASH if np.isnan(value) else signed(value)


def interval(low: float, high: float) -> str:
    return DASH if np.isnan(low) or np.isnan(high) else f"{signed(low)} to {signed(high)}"


def p_value(value: float) -> str:
    if np.isnan(value):
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def settings_of(experiment: Experiment) -> Iterable[tuple[str, Any]]:
    """Everything that was set, in the order of the form."""
    design = design_of(experiment)
    yield "Task", experiment.get_task_display()
    yield ("Kind of mask" if design.mask_kind else "Findings"), experiment.subject
    yield "Cohort", experiment.cohort.name
    yield "Real training images", _joined(design.real_sizes)
    yield "Ratios", _joined(f"{ratio:g}" for ratio in design.ratios)
    yield "Seeds", _joined(design.seeds)
    for name, value in design.training.items():
        yield setting_label(name), _joined(value) if isinstance(value, list | tuple) else value


def _joined(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))
