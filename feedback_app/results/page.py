"""The results page: figures put in order and in words, ready for the template."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from feedback_app.charts import numbers
from feedback_app.charts.plots import Plot
from feedback_app.results import adjudicated, sentences
from feedback_app.results.figures import Figures
from feedback_app.results.parts import Part, Table, percent, won
from feedback_app.results.plots.catalogue import plots_of
from feedback_app.results.report_parts import report_parts
from feedback_app.results.score_figures import ReaderPace, ScoreFigures
from feedback_app.statistics.bootstrap import Estimate
from feedback_app.studies.models import CriterionKind, Study

NUMBERS_SHOWN_MAX = 60
"""A longer table of a plot's numbers is there as CSV only."""

NARROW_COLUMNS = 4


@dataclass(frozen=True)
class Line:
    """A line is one row of a table; ``reason`` stands where a figure is not known."""

    label: str
    value: str
    interval: str = ""
    cases: int = 0
    reason: str = ""
    explained: str = ""


@dataclass(frozen=True)
class Section:
    """A section is on one criterion: its main figure in words, its agreement, its plots."""

    slug: str
    name: str
    sentence: str
    lines: tuple[Line, ...]
    within: Table | None
    plots: tuple[Plot, ...]
    strictness: Table | None


@dataclass(frozen=True)
class ResultsPage:
    note: str
    alarms: tuple[str, ...]
    summary: tuple[tuple[str, str], ...]
    advice: str
    readings: int
    retracted: int
    pace: Part
    sections: tuple[Section, ...]
    parts: tuple[Part, ...]


def page_of(study: Study, figures: Figures, *, can_be_shared: bool) -> ResultsPage:
    plots = plots_of(figures)
    return ResultsPage(
        note=sentences.simulated_note(figures),
        alarms=figures.alarms,
        summary=tuple(_summary(figures)),
        advice=sentences.agreement_advice(figures, can_be_shared=can_be_shared),
        readings=figures.reading_count,
        retracted=figures.retracted,
        pace=_pace(figures, plots),
        sections=tuple(_section(one, plots) for one in figures.scores if one.answered),
        parts=tuple(part for part in _parts(study, figures, plots) if part),
    )


def _named(plots: dict[str, Plot], *names: str) -> tuple[Plot, ...]:
    return tuple(plots[name] for name in names if name in plots)


def _summary(figures: Figures) -> Iterable[tuple[str, str]]:
    for one in figures.scores:
        if one.shared:
            yield one.question.name, sentences.agreement_sentence(one)
    for detection in figures.detections:
        yield detection.question.name, sentences.detection_sentence(detection)


def _pace(figures: Figures, plots: dict[str, Plot]) -> Part:
    return Part(
        slug="pace",
        name="Pace",
        table=Table(
            columns=("Reader", "Read", "Skipped", "Median", "Cases an hour", "Active"),
            rows=tuple(_pace_row(one) for one in figures.paces),
        ),
        plots=_named(plots, "pace"),
    )


def _pace_row(one: ReaderPace) -> tuple[str, ...]:
    median = f"{one.pace.median_s:.1f} s" if one.pace else numbers.DASH
    hourly = f"{one.pace.per_hour:.0f}" if one.pace else numbers.DASH
    active = f"{one.active_s / 60:.0f} min" if one.active_s else numbers.DASH
    return one.reader, str(one.read), str(one.skipped), median, hourly, active


def _section(figures: ScoreFigures, plots: dict[str, Plot]) -> Section:
    slug = figures.question.slug
    return Section(
        slug=slug,
        name=figures.question.name,
        sentence=sentences.agreement_sentence(figures),
        lines=tuple(_merged(_agreement_lines(figures))),
        strictness=_strictness(figures),
        within=_within(figures),
        plots=_named(
            plots, *(f"{kind}-{slug}" for kind in ("scores", "agreement", "leniency", "drift"))
        ),
    )


def _line(label: str, estimate: Estimate, explained: str) -> Line:
    return Line(
        label=label,
        value=numbers.figure(estimate.value),
        interval=numbers.interval(estimate),
        cases=estimate.count,
        reason=estimate.reason,
        explained=explained,
    )


def _agreement_lines(figures: ScoreFigures) -> Iterable[Line]:
    between, within = figures.agreement, figures.retest
    yield _line("Krippendorff’s alpha", between.alpha, "ordinal; all readers, missing allowed")
    yield _line("Mean weighted kappa", between.mean_kappa, "quadratic; over all pairs of readers")
    yield _line("ICC(2,1)", between.icc_single, "how far one reader’s scores can be relied on")
    yield _line("ICC(2,k)", between.icc_mean, "how far the readers’ mean can be relied on")
    yield _line("Test-retest kappa", within.kappa, "readers with themselves, on hidden repeats")
    yield _line("Test-retest difference", within.mean_difference, "points, mean of absolute values")


def _merged(lines: Iterable[Line]) -> Iterable[Line]:
    """Figures that are unknown for one reason share a line."""
    for reason, group in groupby(lines, key=lambda line: line.reason):
        if reason:
            yield Line(label=", ".join(line.label for line in group), value="", reason=reason)
        else:
            yield from group


def _strictness(figures: ScoreFigures) -> Table | None:
    """Leniency and drift of each reader, where both are asked for."""
    if not any(figures.paths):
        return None
    rows = tuple(
        (
            name,
            numbers.with_interval(leniency),
            numbers.signed(path.drift.change) if path and path.drift else numbers.DASH,
            numbers.p_value(path.drift.p_value) if path and path.drift else numbers.DASH,
        )
        for name, leniency, path in zip(
            figures.readers, figures.leniency, figures.paths, strict=True
        )
    )
    return Table(("Reader", "Leniency", "First to last reading", "Slope"), rows)


def _within(figures: ScoreFigures) -> Table | None:
    """Test-retest of each reader, where there are repeats."""
    rows = tuple(
        (
            name,
            numbers.with_interval(one.kappa),
            numbers.with_interval(one.mean_difference),
            str(one.mean_difference.count),
        )
        for name, one in zip(figures.readers, figures.retest_by_reader, strict=True)
        if one.mean_difference.count
    )
    return Table(("Reader", "Kappa", "Difference", "Cases"), rows) if rows else None


def _parts(study: Study, figures: Figures, plots: dict[str, Plot]) -> Iterable[Part | None]:
    yield _detection(study, figures, plots)
    yield from _choices(study, figures, plots)
    yield from report_parts(study, figures.reports)
    yield _adjudication(figures)
    yield _gold(figures)
    yield _flags(figures)
    yield _sources(study, figures)


def _detection(study: Study, figures: Figures, plots: dict[str, Plot]) -> Part | None:
    asked = [one for one in figures.scores if one.question.kind == CriterionKind.CONFIDENCE]
    if not any(one.answered for one in asked):
        return None
    if not study.is_unblinded:
        note = (
            "Accuracy, d′ and AUC of the readers are told once the study is unblinded: they "
            "would tell which images are real."
        )
        return Part(slug="detection", name="Real or synthetic", note=note)
    rows = [
        (
            name,
            percent(one.accuracy),
            numbers.with_interval(one.d_prime),
            numbers.with_interval(one.auc),
            sentences.equivalence(one.equivalence),
            str(one.accuracy.count),
        )
        for detection in figures.detections
        for name, one in zip(
            ["All readers", *figures.readers],
            [detection.overall, *detection.by_reader],
            strict=True,
        )
    ]
    return Part(
        slug="detection",
        name="Real or synthetic",
        note=(
            "No difference found is not the same as none: “like guessing” takes an equivalence "
            "test (two one-sided tests) with a margin of 10 points of accuracy about 50 %."
        ),
        table=Table(
            ("Reader", "Accuracy", "d′", "AUC", "Equivalent to guessing", "Cases"), tuple(rows)
        ),
        plots=_named(plots, *(f"roc-{one.question.slug}" for one in figures.detections)),
    )


def _choices(study: Study, figures: Figures, plots: dict[str, Plot]) -> Iterable[Part]:
    for one in figures.choices:
        slug = one.question.slug
        counted = ", ".join(f"{label.lower()} {count}" for label, count in one.verdicts)
        hidden = "" if study.is_unblinded else " Which model won is told after unblinding."
        duels = tuple(
            (f"{duel.first} over {duel.second}", *won(duel.preference)) for duel in one.duels
        )
        side = ("Left side over right", *won(one.left))
        strengths = tuple(
            (name, numbers.figure(value)) for group in one.strengths for name, value in group
        )
        yield Part(
            slug=f"choices-{slug}",
            name=f"Choices: {one.question.name}",
            note=f"Verdicts: {counted}.{hidden}",
            table=Table(
                ("Preferred", "Of decided choices", "Won", "Neither", "Lost", "Sign test"),
                (*duels, side),
            ),
            second=Table(("Model version", "Bradley-Terry strength"), strengths)
            if strengths
            else None,
            plots=_named(plots, f"preference-{slug}", f"sides-{slug}"),
        )


def _adjudication(figures: Figures) -> Part | None:
    if not figures.adjudication:
        return None
    names = tuple(one.question.name for one in figures.adjudication)
    kept = adjudicated.rows_by_reader(figures.adjudication, figures.readers)
    return Part(
        slug="adjudication",
        name="Adjudication",
        note=adjudicated.NOTE,
        table=Table(adjudicated.COLUMNS, tuple(map(adjudicated.row_of, figures.adjudication))),
        second=Table(("Answers kept, of each reader", *names), kept),
    )


def _gold(figures: Figures) -> Part | None:
    if not figures.gold:
        return None
    rows = [
        (
            name,
            *(
                f"{percent(one)}, {one.count} cases" if one.is_known else numbers.DASH
                for one in row
            ),
        )
        for name, row in zip(
            ["All readers", *figures.readers],
            zip(*([one.overall, *one.by_reader] for one in figures.gold), strict=True),
            strict=True,
        )
    ]
    columns = ("Reader", *(one.question.name for one in figures.gold))
    return Part(
        slug="gold",
        name="Gold cases",
        note="Share of known answers that were met.",
        table=Table(columns, tuple(rows)),
        is_narrow=len(columns) <= NARROW_COLUMNS,
    )


def _flags(figures: Figures) -> Part | None:
    if not figures.flags:
        return None
    rows = tuple(
        (one.name, str(one.major), str(one.minor), str(one.images)) for one in figures.flags
    )
    table = Table(("Artefact", "Major", "Minor", "Images"), rows)
    return Part(slug="flags", name="Flags", table=table, is_narrow=True)


def _sources(study: Study, figures: Figures) -> Part | None:
    if not study.is_unblinded:
        note = "Figures by model version are told once the study is unblinded."
        return Part(slug="sources", name="By model version", note=note)
    questions = (
        [question.name for question, _ in figures.sources[0].means] if figures.sources else []
    )
    rows = tuple(
        (
            one.source.name + ("" if one.source.is_synthetic else " (real)"),
            str(one.images),
            *(numbers.with_interval(mean) for _, mean in one.means),
            numbers.figure(one.flags_per_hundred, digits=1),
            numbers.figure(one.major_per_hundred, digits=1),
            ", ".join(f"{name} {count}" for name, count in one.flags[:3]) or numbers.DASH,
        )
        for one in figures.sources
    )
    columns = ("Source", "Images", *questions, "Flags", "Major", "Most frequent")
    return Part(
        slug="sources",
        name="By model version",
        note=(
            "Mean scores are freed of the readers’ leniency; flags are counted on 100 readings "
            "of an image."
        ),
        table=Table(columns, rows),
    )
