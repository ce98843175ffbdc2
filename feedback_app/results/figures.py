"""Everything that the results page says of a study, as plain values that can be cached."""

from dataclasses import dataclass

from feedback_app.results.adjudicated import AdjudicationFigures, adjudication_figures
from feedback_app.results.alarms import alarms_of
from feedback_app.results.choices import ChoiceFigures, choice_figures
from feedback_app.results.reports import NO_REPORTS, ReportFigures, report_figures
from feedback_app.results.score_figures import ReaderPace, ScoreFigures, pace_of, score_figures
from feedback_app.results.sources import (
    DetectionFigures,
    SourceFigures,
    detection_figures,
    source_figures,
    sources_of,
)
from feedback_app.results.tables import (
    flags_of,
    table_of,
)
from feedback_app.results.truths import FlagCount, GoldFigures, flag_counts, gold_figures
from feedback_app.studies.models import Study


@dataclass(frozen=True)
class Figures:
    """``sources`` and ``detections`` are empty until the study is unblinded."""

    readers: tuple[str, ...]
    is_simulated: bool
    left_out: int
    retracted: int
    reading_count: int
    paces: tuple[ReaderPace, ...]
    scores: tuple[ScoreFigures, ...]
    choices: tuple[ChoiceFigures, ...]
    gold: tuple[GoldFigures, ...]
    flags: tuple[FlagCount, ...]
    sources: tuple[SourceFigures, ...]
    detections: tuple[DetectionFigures, ...]
    alarms: tuple[str, ...]
    adjudication: tuple[AdjudicationFigures, ...] = ()
    reports: ReportFigures = NO_REPORTS

    def of_question(self, slug: str) -> ScoreFigures | None:
        return next((one for one in self.scores if one.question.slug == slug), None)


def figures_of(study: Study) -> Figures:
    """Takes a second or so for a study of 6 readers x 200 cases; see ``cache`` for pages."""
    table = table_of(study)
    flags = list(flags_of(study))
    sources = sources_of(study) if study.is_unblinded else None
    paces = tuple(pace_of(table, reader) for reader in range(len(table.readers)))
    reports = report_figures(study, table)
    scores = tuple(score_figures(table, question) for question in table.questions)
    return Figures(
        readers=table.readers,
        is_simulated=table.is_simulated,
        left_out=table.left_out,
        retracted=table.retracted,
        reading_count=int((~table.readings.is_skipped).sum()),
        paces=paces,
        scores=scores,
        choices=choice_figures(study, table, sources=sources),
        gold=gold_figures(study, table),
        flags=flag_counts(table, flags),
        sources=source_figures(table, flags, sources=sources, scores=scores) if sources else (),
        detections=detection_figures(table, sources=sources) if sources else (),
        alarms=tuple(alarms_of(table, paces=paces, scores=scores, accepted=reports.accepted)),
        adjudication=adjudication_figures(study, table),
        reports=reports,
    )
