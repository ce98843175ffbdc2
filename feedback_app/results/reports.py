"""What readings of reports say: edits and time of drafts, and which of two reports is better.

First readings only: a hidden repeat is no further reading of its draft, nor a further vote.
Sources are told only once the study is unblinded.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

import numpy as np

from feedback_app.readings.report_models import (
    POINTS_MAX,
    ReportPreference,
    ReportReason,
    WrittenReport,
)
from feedback_app.results.tables import Question, StudyTable
from feedback_app.statistics.bootstrap import Estimate, Floats, Ints
from feedback_app.statistics.preference import Preference, preference
from feedback_app.statistics.proportions import clustered_share
from feedback_app.statistics.two_ways import clustered_difference, clustered_mean
from feedback_app.studies.models import CaseText, CriterionKind, Study
from feedback_app.studies.modes.write_report import source_label

ALL_DRAFTS = "All drafts"
NO_OTHERS = "needs readings with a draft and without one"


@dataclass(frozen=True)
class DraftFigures:
    """What became of the drafts of one source, or of all of them.

    ``changed`` is words changed on 100 words of the draft. ``reasons`` count reports.
    """

    source: str
    reports: int
    accepted: Estimate
    changed: Estimate
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class TimeFigures:
    """Geometric means of the seconds a report took, and the share that a draft saves."""

    with_draft: Estimate
    without: Estimate
    saved: Estimate


@dataclass(frozen=True)
class ReportDuel:
    """``points`` by which ``first`` is better than ``second``, and how often it is."""

    first: str
    second: str
    points: Estimate
    won: Preference


@dataclass(frozen=True)
class PreferenceFigures:
    """``left`` has the left report for the first of the two: it should win half of the time."""

    question: Question
    left: ReportDuel
    duels: tuple[ReportDuel, ...]


@dataclass(frozen=True)
class ReportFigures:
    """``accepted`` has for each reader how many drafts they accepted, and of how many."""

    accepted: tuple[tuple[int, int], ...] = ()
    drafts: tuple[DraftFigures, ...] = ()
    time: TimeFigures | None = None
    preferences: tuple[PreferenceFigures, ...] = ()


NO_REPORTS = ReportFigures()


def report_figures(study: Study, table: StudyTable) -> ReportFigures:
    rows = _rows_of(table)
    written = list(_written(study, rows))
    return ReportFigures(
        accepted=tuple(_accepted(table, written)),
        drafts=tuple(_drafts(written, tells_source=study.is_unblinded)),
        time=_time(table, written) if written else None,
        preferences=tuple(
            _preferences(study, table, question)
            for question in table.questions
            if question.kind == CriterionKind.PREFERENCE
        ),
    )


def _accepted(table: StudyTable, written: "list[_Written]") -> Iterator[tuple[int, int]]:
    drafted = [one for one in written if one.report.draft is not None]
    for reader in range(len(table.readers)):
        own = [one.report for one in drafted if table.readings.reader[one.row] == reader]
        yield sum(report.is_accepted for report in own), len(own)


@dataclass(frozen=True)
class _Written:
    row: int
    case: int
    report: WrittenReport


def _rows_of(table: StudyTable) -> dict[UUID, int]:
    """Rows of first readings that were not skipped, by the reading's key."""
    readings = table.readings
    return {
        pk: row
        for row, pk in enumerate(readings.ids)
        if readings.repetition[row] == 0 and not readings.is_skipped[row]
    }


def _written(study: Study, rows: dict[UUID, int]) -> Iterator[_Written]:
    found = WrittenReport.objects.filter(reading__slot__study=study).select_related(
        "draft", "reading__slot__case"
    )
    for report in found.order_by("reading").iterator():
        if report.reading_id in rows:
            position = report.reading.slot.case.position
            yield _Written(rows[report.reading_id], position, report)


def _drafts(written: list[_Written], *, tells_source: bool) -> Iterator[DraftFigures]:
    drafted = [one for one in written if one.report.draft is not None]
    if not drafted:
        return
    yield _of_source(ALL_DRAFTS, drafted)
    sources = sorted({one.report.draft.source for one in drafted if one.report.draft})
    for source in sources if tells_source else ():
        own = [one for one in drafted if one.report.draft and one.report.draft.source == source]
        yield _of_source(source_label(source), own)


def _of_source(source: str, drafted: list[_Written]) -> DraftFigures:
    cases = np.array([one.case for one in drafted], dtype=np.int64)
    readers = np.array([one.report.reading.reader_id for one in drafted], dtype=np.int64)
    accepted = np.array([one.report.is_accepted for one in drafted], dtype=np.float64)
    changed = np.array([_changed_percent(one.report) for one in drafted], dtype=np.float64)
    counts = Counter(reason for one in drafted for reason in one.report.reasons)
    return DraftFigures(
        source=source,
        reports=len(drafted),
        accepted=clustered_share(accepted, cases),
        changed=clustered_mean(changed, cases, readers),
        reasons=tuple((str(label), counts[value]) for value, label in ReportReason.choices),
    )


def _changed_percent(report: WrittenReport) -> float:
    words = len(report.draft.text.split()) if report.draft else 0
    return 100 * (report.changed_words or 0) / max(1, words)


def _time(table: StudyTable, written: list[_Written]) -> TimeFigures:
    """Times are skewed, so their logarithms are compared; unmeasured ones are left out."""
    rows = np.array([one.row for one in written], dtype=np.int64)
    seconds = table.readings.seconds[rows]
    has_draft = np.array([one.report.draft_id is not None for one in written], dtype=np.float64)
    is_timed = seconds > 0
    logs, rows, has_draft = np.log(seconds[is_timed]), rows[is_timed], has_draft[is_timed]
    cases, readers = table.readings.case[rows], table.readings.reader[rows]

    def mean_of(chosen: Floats) -> Estimate:
        own = chosen.astype(bool)
        return _exponential(clustered_mean(logs[own], cases[own], readers[own]))

    ratio = clustered_difference(logs, has_draft, cases, readers, reason=NO_OTHERS)
    return TimeFigures(
        with_draft=mean_of(has_draft), without=mean_of(1 - has_draft), saved=_saved(ratio)
    )


def _exponential(logs: Estimate) -> Estimate:
    low, value, high = np.exp([logs.low, logs.value, logs.high])
    return Estimate(float(value), float(low), float(high), logs.count, logs.reason)


def _saved(ratio: Estimate) -> Estimate:
    """Returns the share of time that the first saves; ``ratio`` is a logarithm."""
    times = _exponential(ratio)
    return Estimate(1 - times.value, 1 - times.high, 1 - times.low, times.count, times.reason)


def _preferences(study: Study, table: StudyTable, question: Question) -> PreferenceFigures:
    answers, readings = table.answers[question.slug], table.readings
    first = readings.repetition[answers.reading] == 0
    rows = answers.reading[first]
    for_first = answers.value[first] - POINTS_MAX
    cases, readers = readings.case[rows], readings.reader[rows]
    texts = _texts_of(study, table)
    points_left = _as_seen(study, question, table, rows)
    duels = []
    if study.is_unblinded:
        pairs = np.array([texts.get(int(case), ("", "")) for case in cases]).reshape(-1, 2)
        for one, two in combinations(sorted({name for pair in texts.values() for name in pair}), 2):
            straight = (pairs[:, 0] == one) & (pairs[:, 1] == two)
            turned = (pairs[:, 0] == two) & (pairs[:, 1] == one)
            met = straight | turned
            if met.any():
                points = np.where(straight, for_first, -for_first)[met]
                labels = source_label(one), source_label(two)
                duels.append(_duel(*labels, points, cases[met], readers[met]))
    return PreferenceFigures(
        question=question,
        left=_duel("Left report", "right one", points_left, cases, readers),
        duels=tuple(duels),
    )


def _duel(first: str, second: str, points: Floats, cases: Ints, readers: Ints) -> ReportDuel:
    return ReportDuel(
        first=first,
        second=second,
        points=clustered_mean(points, cases, readers),
        won=preference(np.sign(points), cases),
    )


def _texts_of(study: Study, table: StudyTable) -> dict[int, tuple[str, str]]:
    """Returns, by the case's row, the sources of its first and its second report."""
    row_of = {key: row for row, key in enumerate(table.case_ids)}
    found: dict[int, list[str]] = {}
    texts = CaseText.objects.filter(case__study=study).order_by("case", "position")
    for case, source in texts.values_list("case", "source"):
        found.setdefault(row_of[case], []).append(source)
    return {row: (pair[0], pair[1]) for row, pair in found.items() if len(pair) == 2}


def _as_seen(study: Study, question: Question, table: StudyTable, rows: Ints) -> Floats:
    """Points for the left report of each of these readings."""
    found = ReportPreference.objects.filter(reading__slot__study=study, criterion=question.id)
    points = dict(found.values_list("reading", "points"))
    return np.array([-points[table.readings.ids[row]] for row in rows], dtype=np.float64)
