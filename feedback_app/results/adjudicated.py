"""Agreement before and after adjudication, and how readers stand to the final readings."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from feedback_app.charts import numbers
from feedback_app.readings.adjudication.finals import final_readings
from feedback_app.readings.models import Choice, Reading, ReadingQuerySet, Score, SkipReason
from feedback_app.readings.report_models import ReportPreference
from feedback_app.results.score_figures import both_ways
from feedback_app.results.tables import STRONGEST, Question, StudyTable, Truths, signed
from feedback_app.statistics.agreement import krippendorff_alpha
from feedback_app.statistics.bootstrap import Estimate, Floats, unknown
from feedback_app.statistics.proportions import clustered_share
from feedback_app.studies.models import Phase, Study

COLUMNS = (
    "Criterion", "Settled cases", "Before", "After", "Readers on the settled cases",
    "Adjudicators, blind", "Adjudicators, final", "Readers’ answers kept",
)  # fmt: skip
NOTE = (
    "Krippendorff’s alpha. After: of a settled case the final readings count alone; where "
    "there is only one, there is nothing left to agree on, and alpha is that of the other cases. "
    "Kept: the share of readers’ answers that are as the final reading says."
)
NONE_SETTLED = "no case settled"


@dataclass(frozen=True)
class AdjudicationFigures:
    """The figures of one question; ``kept_by_reader`` is in the order of the study's readers."""

    question: Question
    settled: int
    before: Estimate
    after: Estimate
    readers: Estimate
    blind: Estimate
    final: Estimate
    kept: Estimate
    kept_by_reader: tuple[Estimate, ...]


def adjudication_figures(study: Study, table: StudyTable) -> tuple[AdjudicationFigures, ...]:
    """Returns one a question; none where nothing is settled yet."""
    finals = _alike(final_readings(), study, table)
    if not finals.exists():
        return ()
    blind = Reading.objects.filter(slot__phase=Phase.BLIND, skip_reason=SkipReason.NONE)
    first = _alike(blind.current().standing(), study, table)
    return tuple(_figures(table, question, finals, first) for question in table.questions)


def _alike(readings: ReadingQuerySet, study: Study, table: StudyTable) -> ReadingQuerySet:
    """Returns those of the study's adjudications, by people where its readers are people."""
    return readings.filter(
        slot__study__adjudicates__study=study, is_simulated=table.is_simulated
    ).order_by()


def _figures(
    table: StudyTable, question: Question, finals: ReadingQuerySet, blind: ReadingQuerySet
) -> AdjudicationFigures:
    scores = table.matrix(question.slug)
    final = _matrix(table, question, finals)
    settled: Truths = np.asarray(~np.isnan(final).all(axis=1))
    after = np.concatenate([np.where(settled[:, None], np.nan, scores), final], axis=1)
    everything = np.ones(len(settled), dtype=np.bool_)
    return AdjudicationFigures(
        question=question,
        settled=len(np.unique(table.unit_case[settled])),
        before=_alpha(question, scores, table, everything),
        after=_alpha(question, after, table, everything),
        readers=_alpha(question, scores, table, settled),
        blind=_alpha(question, _matrix(table, question, blind), table, settled),
        final=_alpha(question, final, table, settled),
        kept=_kept(scores, final, table),
        kept_by_reader=tuple(
            _kept(scores[:, [reader]], final, table) for reader in range(scores.shape[1])
        ),
    )


def _alpha(question: Question, scores: Floats, table: StudyTable, rows: Truths) -> Estimate:
    scores, cases = scores[rows], table.unit_case[rows]
    if not scores.size:
        return unknown(NONE_SETTLED)
    if question.is_comparison:
        scores, cases = both_ways(scores, question.strongest), np.tile(cases, 2)
    return krippendorff_alpha(scores, cases, levels=question.levels)


def _kept(scores: Floats, final: Floats, table: StudyTable) -> Estimate:
    """Returns the share of answers that equal a final one, over all pairs of the two."""
    pairs = scores[:, :, None], final[:, None, :]
    both = ~(np.isnan(pairs[0]) | np.isnan(pairs[1]))
    equal = (pairs[0] == pairs[1])[both].astype(np.float64)
    cases = np.broadcast_to(table.unit_case[:, None, None], both.shape)[both]
    return clustered_share(equal, cases, reason=NONE_SETTLED)


def _matrix(table: StudyTable, question: Question, readings: ReadingQuerySet) -> Floats:
    """(units of the study, adjudicators): what was answered in panels; NaN where nothing was."""
    unit_of = {
        (table.case_ids[case], image): row
        for row, (case, image) in enumerate(zip(table.unit_case, table.unit_image, strict=True))
    }
    first_of: dict[UUID, int] = {}
    for (case, _), row in unit_of.items():
        first_of.setdefault(case, row)
    rows: list[tuple[int, int, float]] = []
    for reader, case, image, value in _scores(readings, question):
        rows.append((unit_of[case, image], reader, value))
    for reader, case, verdict, better, strength in _choices(readings, question):
        unit = first_of[case]
        is_first = better == table.unit_image[unit]
        rows.append((unit, reader, STRONGEST + signed(verdict, strength, is_first=is_first)))
    for reader, case, points, left in _preferences(readings, question):
        for_first = -points if left == 0 else points
        rows.append((first_of[case], reader, question.strongest + for_first))
    readers = {reader: number for number, reader in enumerate(sorted({row[1] for row in rows}))}
    found = np.full((len(table.unit_case), len(readers)), np.nan)
    for unit, reader, value in rows:
        found[unit, readers[reader]] = value
    return found


ORIGINAL = "reading__slot__case__copied_from__original"


def _scores(
    readings: ReadingQuerySet, question: Question
) -> Iterable[tuple[int, UUID, UUID, float]]:
    found = Score.objects.filter(reading__in=readings, criterion__slug=question.slug)
    return found.values_list("reading__reader", ORIGINAL, "image", "value")


def _choices(
    readings: ReadingQuerySet, question: Question
) -> Iterable[tuple[int, UUID, str, UUID | None, int | None]]:
    found = Choice.objects.filter(reading__in=readings, criterion__slug=question.slug)
    return found.values_list("reading__reader", ORIGINAL, "verdict", "image", "strength")


def _preferences(
    readings: ReadingQuerySet, question: Question
) -> Iterable[tuple[int, UUID, int, int]]:
    found = ReportPreference.objects.filter(reading__in=readings, criterion__slug=question.slug)
    return found.values_list("reading__reader", ORIGINAL, "points", "left__position")


def row_of(one: AdjudicationFigures) -> tuple[str, ...]:
    """Returns the line of a question in a table with ``COLUMNS``."""
    alphas = (one.before, one.after, one.readers, one.blind, one.final)
    kept = numbers.percent(one.kept.value) if one.kept.is_known else numbers.DASH
    return (
        one.question.name,
        str(one.settled),
        *(numbers.with_interval(alpha) if alpha.is_known else numbers.DASH for alpha in alphas),
        kept,
    )


def rows_by_reader(
    figures: Iterable[AdjudicationFigures], readers: Iterable[str]
) -> tuple[tuple[str, ...], ...]:
    """Returns a line a reader: of each question the share of their answers that were kept."""
    shown = list(figures)
    return tuple(
        (
            reader,
            *(
                f"{numbers.percent(kept.value)} of {kept.count}" if kept.is_known else numbers.DASH
                for kept in (one.kept_by_reader[number] for one in shown)
            ),
        )
        for number, reader in enumerate(readers)
    )
