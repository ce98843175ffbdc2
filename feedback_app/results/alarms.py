"""Alarms: what in a reader's readings a coordinator should ask about, in plain sentences.

They are hints, not verdicts. The thresholds are wide on purpose: a false alarm about a
careful reader costs more trust than a late one about a careless one. What counts as drift
is said in ``statistics.behaviour``.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from feedback_app.results.score_figures import ReaderPace, ScoreFigures
from feedback_app.results.tables import Question, StudyTable
from feedback_app.statistics.behaviour import commonest_share, flat_share

TIMED_READINGS_MIN = 10
"""Fewer measured times say nothing about a reader's pace."""
FAST_S = 3.0
"""Nobody judges a radiograph in less than this."""
FAST_SHARE = 0.2
"""So many readings may be faster than ``FAST_S``: a case seen before, a slip and a revision."""
FAST_AGAINST_OTHERS = 0.25
"""A reader's median over the median of the other readers' medians."""
STRAIGHT_READINGS_MIN = 20
ACCEPTED_BY_OTHERS = 0.6
"""Where others accept so many drafts or more, who accepts them all is not odd."""
STRAIGHT_SHARE = 0.9
"""The same score, or no difference between the images of a case, in more readings than this."""


def alarms_of(
    table: StudyTable,
    *,
    paces: Sequence[ReaderPace],
    scores: Sequence[ScoreFigures],
    accepted: Sequence[tuple[int, int]] = (),
) -> Iterator[str]:
    for number, reader in enumerate(table.readers):
        yield from too_fast(table, number, paces=paces)
        for question in table.questions:
            yield from straight_lining(table, number, question)
        for figures in scores:
            yield from drifting(figures, number, reader=reader)
        if accepted:
            yield from accepting(accepted, number, reader=reader)


def too_fast(table: StudyTable, number: int, *, paces: Sequence[ReaderPace]) -> Iterator[str]:
    own = paces[number].pace
    if own is None or own.count < TIMED_READINGS_MIN:
        return
    reader, readings = table.readers[number], table.readings
    seconds = readings.seconds[(readings.reader == number) & ~readings.is_skipped]
    fast = float(np.mean(seconds[seconds > 0] < FAST_S))
    others = [
        other.pace.median_s
        for place, other in enumerate(paces)
        if place != number and other.pace and other.pace.count >= TIMED_READINGS_MIN
    ]
    if own.median_s < FAST_S or fast > FAST_SHARE:
        yield (
            f"{reader} reads very fast: {100 * fast:.0f} % of {own.count} readings took less than "
            f"{FAST_S:.0f} s (median {own.median_s:.1f} s)."
        )
    elif others and own.median_s < FAST_AGAINST_OTHERS * float(np.median(others)):
        yield (
            f"{reader} reads much faster than the others: median {own.median_s:.1f} s a case, "
            f"theirs {np.median(others):.1f} s."
        )


def straight_lining(table: StudyTable, number: int, question: Question) -> Iterator[str]:
    answers = table.answers[question.slug]
    own = table.readings.reader[answers.reading] == number
    values, readings = answers.value[own].astype(np.int64), answers.reading[own]
    count = len(np.unique(readings))
    if count < STRAIGHT_READINGS_MIN:
        return
    reader, common = table.readers[number], commonest_share(values)
    if common > STRAIGHT_SHARE:
        yield (
            f"{reader} gives nearly always the same answer for {question.name}: "
            f"{100 * common:.0f} % of {len(values)} are alike."
        )
    elif flat_share(values, readings) > STRAIGHT_SHARE:
        yield (
            f"{reader} scores all images of a case alike for {question.name} in "
            f"{100 * flat_share(values, readings):.0f} % of {count} readings."
        )


def accepting(accepted: Sequence[tuple[int, int]], number: int, *, reader: str) -> Iterator[str]:
    """Whoever accepts nearly every draft that others would change may not be reading them."""
    own, drafts = accepted[number]
    others = [one for place, one in enumerate(accepted) if place != number]
    theirs, of_theirs = (sum(counts) for counts in zip(*others, strict=True)) if others else (0, 0)
    if min(drafts, of_theirs) < STRAIGHT_READINGS_MIN or own <= STRAIGHT_SHARE * drafts:
        return
    if theirs < ACCEPTED_BY_OTHERS * of_theirs:
        yield (
            f"{reader} accepts nearly every draft as it is: {100 * own / drafts:.0f} % of "
            f"{drafts}, the others {100 * theirs / of_theirs:.0f} %."
        )


def drifting(figures: ScoreFigures, number: int, *, reader: str) -> Iterator[str]:
    path = figures.paths[number] if figures.paths else None
    found = path.drift if path else None
    if found and found.is_notable:
        way = "more lenient" if found.change > 0 else "stricter"
        yield (
            f"{reader} has become {way} on {figures.question.name}: by {abs(found.change):.1f} "
            f"points against the other readers over {found.count} readings."
        )
