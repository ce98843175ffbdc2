"""What readings of reports say, as parts of the results page."""

from collections.abc import Iterator

from feedback_app.charts import numbers
from feedback_app.results.parts import Part, Table, percent, won
from feedback_app.results.reports import (
    DraftFigures,
    PreferenceFigures,
    ReportDuel,
    ReportFigures,
    TimeFigures,
)
from feedback_app.statistics.bootstrap import Estimate
from feedback_app.studies.models import Study

INTERVALS = "Intervals are for other cases and other readers (two-way clusters)."
UNTOLD = " Which source wins is told after unblinding."


def report_parts(study: Study, figures: ReportFigures) -> Iterator[Part]:
    if figures.drafts:
        yield _drafts(study, figures.drafts)
    if figures.time and (figures.time.with_draft.is_known or figures.time.without.is_known):
        yield _time(figures.time)
    for one in figures.preferences:
        if one.left.points.is_known:
            yield _preference(study, one)


def _drafts(study: Study, drafts: tuple[DraftFigures, ...]) -> Part:
    reasons = tuple(label for label, _ in drafts[0].reasons)
    rows = tuple(
        (
            one.source,
            str(one.reports),
            percent(one.accepted),
            numbers.with_interval(one.changed, digits=0),
            *(str(count) for _, count in one.reasons),
        )
        for one in drafts
    )
    hidden = "" if study.is_unblinded else " Figures by source are told after unblinding."
    return Part(
        slug="drafts",
        name="What became of the drafts",
        note="Words changed are insertions, deletions and replacements on 100 words of a draft; "
        f"a report may have several reasons. {INTERVALS}{hidden}",
        table=Table(("Drafts of", "Reports", "Accepted", "Words changed", *reasons), rows),
    )


def _time(time: TimeFigures) -> Part:
    rows = (
        ("With a draft", _seconds(time.with_draft), str(time.with_draft.count)),
        ("Without a draft", _seconds(time.without), str(time.without.count)),
        ("Time saved by a draft", _share(time.saved), str(time.saved.count)),
    )
    return Part(
        slug="report-time",
        name="Time a report",
        note=f"Geometric means of active seconds. {INTERVALS}",
        table=Table(("Reports", "Time", "Cases"), rows),
        is_narrow=True,
    )


def _seconds(estimate: Estimate) -> str:
    if not estimate.is_known:
        return numbers.DASH
    return numbers.with_interval(estimate, digits=0) + " s"


def _share(estimate: Estimate) -> str:
    return percent(estimate) if estimate.is_known else estimate.reason


def _preference(study: Study, figures: PreferenceFigures) -> Part:
    rows = [_duel(one) for one in (*figures.duels, figures.left)]
    hidden = "" if study.is_unblinded else UNTOLD
    return Part(
        slug=f"preference-{figures.question.slug}",
        name=f"Preference: {figures.question.name}",
        note=f"Points from -10 to 10; above 0 the first of the two is better. {INTERVALS}{hidden}",
        table=Table(
            ("Preferred", "Points", "Of decided", "Won", "Equal", "Lost", "Sign test"),
            tuple(rows),
        ),
    )


def _duel(one: ReportDuel) -> tuple[str, ...]:
    points = numbers.with_interval(one.points, digits=1)
    return (f"{one.first} over {one.second}", points, *won(one.won))
