"""Figures of one question, and of one reader's pace."""

from dataclasses import dataclass

import numpy as np

from feedback_app.results.tables import Question, Repeats, StudyTable
from feedback_app.statistics.agreement import Agreement, Retest, agreement, retest, shared_cases
from feedback_app.statistics.behaviour import Pace, Path, pace, paths
from feedback_app.statistics.bootstrap import Estimate, Floats, Ints
from feedback_app.statistics.leniency import leniencies
from feedback_app.studies.models import CriterionKind


@dataclass(frozen=True)
class ReaderPace:
    """``active_s`` adds up the times that are known."""

    reader: str
    read: int
    skipped: int
    active_s: float
    pace: Pace | None


@dataclass(frozen=True)
class ScoreFigures:
    """One question has these. ``counts``: (readers, ``len(labels)``) answers, without repeats.

    Comparisons are counted by their strength: which image of a case comes first means nothing.
    """

    question: Question
    readers: tuple[str, ...]
    labels: tuple[str, ...]
    counts: Ints
    shared: int
    agreement: Agreement
    retest: Retest
    retest_by_reader: tuple[Retest, ...]
    leniency: tuple[Estimate, ...]
    paths: tuple[Path | None, ...]

    @property
    def answered(self) -> int:
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        return float(np.average(np.arange(self.counts.shape[1]), weights=self.counts.sum(axis=0)))


def pace_of(table: StudyTable, reader: int) -> ReaderPace:
    own = table.readings.reader == reader
    read = own & ~table.readings.is_skipped
    return ReaderPace(
        reader=table.readers[reader],
        read=int(read.sum()),
        skipped=int((own & table.readings.is_skipped).sum()),
        active_s=float(table.readings.seconds[own].sum()),
        pace=pace(table.readings.seconds[read]),
    )


def score_figures(table: StudyTable, question: Question) -> ScoreFigures:
    scores, cases = table.matrix(question.slug), table.unit_case
    repeats = table.repeats(question.slug)
    has_leniency = question.kind == CriterionKind.ORDINAL
    leniency = leniencies(scores, cases) if has_leniency and table.readers else ()
    counted = question.counted(scores)
    return ScoreFigures(
        question=question,
        readers=table.readers,
        labels=question.labels,
        counts=np.stack(
            [np.sum(counted == level, axis=0) for level in range(len(question.labels))], axis=-1
        ),
        shared=shared_cases(scores, cases),
        agreement=_agreement(question, scores, cases),
        retest=_retest(question, repeats),
        retest_by_reader=tuple(
            _retest(question, repeats.of_reader(reader)) for reader in range(len(table.readers))
        ),
        leniency=leniency,
        paths=paths(scores, table.orders(question.slug), np.array([one.value for one in leniency]))
        if leniency
        else (),
    )


def _agreement(question: Question, scores: Floats, cases: Ints) -> Agreement:
    if question.is_comparison:
        scores, cases = both_ways(scores, question.strongest), np.tile(cases, 2)
    return agreement(scores, cases, levels=question.levels)


def _retest(question: Question, repeats: Repeats) -> Retest:
    first, second, cases = repeats.first, repeats.second, repeats.case
    if question.is_comparison:
        first, second = (both_ways(given, question.strongest) for given in (first, second))
        cases = np.tile(cases, 2)
    return retest(first, second, cases)


def both_ways(choices: Floats, strongest: int) -> Floats:
    """Returns signed choices, and again with the two images, or reports, exchanged.

    Which of a case is called the first is arbitrary. Without this, readers who all
    prefer the same model would seem to agree no more than by chance wherever it is always
    the second one.
    """
    return np.concatenate([choices, 2 * strongest - choices])
