"""Readings against known answers, and the flags that readers put."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from feedback_app.readings.models import Grade
from feedback_app.readings.report_models import WrittenReport
from feedback_app.results.tables import Question, StudyTable, question_of
from feedback_app.statistics.bootstrap import Estimate
from feedback_app.statistics.proportions import clustered_share
from feedback_app.studies.models import CriterionKind, GoldAnswer, Study
from feedback_app.studies.report_answers import compare_findings

FlagRow = tuple[UUID, UUID, str, str]
NO_GOLD_READ = "no gold case read yet"


@dataclass(frozen=True)
class GoldFigures:
    """Share of known answers that were met, by reader and over all of them."""

    question: Question
    by_reader: tuple[Estimate, ...]
    overall: Estimate


@dataclass(frozen=True)
class FlagCount:
    """``images`` were flagged by one reader or more."""

    name: str
    minor: int
    major: int
    images: int

    @property
    def total(self) -> int:
        return self.minor + self.major


def gold_figures(study: Study, table: StudyTable) -> tuple[GoldFigures, ...]:
    """Returns one a question with known answers; whether an image is real is told after
    unblinding.
    """
    found = []
    for question in table.questions:
        hidden = question.kind == CriterionKind.CONFIDENCE and not study.is_unblinded
        answers = GoldAnswer.objects.filter(case__study=study, criterion=question.id)
        if not hidden and answers.exists():
            found.append(_gold(table, question, list(answers)))
    found += [
        _gold_reports(table, question_of(criterion), references)
        for criterion in study.criteria.filter(kind=CriterionKind.REPORT)
        if (references := dict(criterion.goldanswer_set.values_list("case", "text")))
    ]
    return tuple(found)


def _gold_reports(
    table: StudyTable, question: Question, references: dict[UUID, str]
) -> GoldFigures:
    """Returns each finding of a reference is a known answer, met by a report or not."""
    rows = {
        pk: row for row, pk in enumerate(table.readings.ids)
        if table.readings.repetition[row] == 0 and not table.readings.is_skipped[row]
    }  # fmt: skip
    written = WrittenReport.objects.filter(
        reading__in=list(rows), reading__slot__case__in=references
    ).values_list("reading", "reading__slot__case", "text")
    found = [
        (one.is_right, table.readings.case[rows[pk]], table.readings.reader[rows[pk]])
        for pk, case, text in written
        for one in compare_findings(references[case], text)
    ]
    met, of_cases, readers = np.array(found, dtype=np.float64).reshape(-1, 3).T
    cases = of_cases.astype(np.int64)
    return GoldFigures(
        question=question,
        by_reader=tuple(
            clustered_share(met[readers == one], cases[readers == one], reason=NO_GOLD_READ)
            for one in range(len(table.readers))
        ),
        overall=clustered_share(met, cases, reason=NO_GOLD_READ),
    )


def _gold(table: StudyTable, question: Question, answers: list[GoldAnswer]) -> GoldFigures:
    scores = table.matrix(question.slug)
    row_of = {
        (table.case_ids[case], image): row
        for row, (case, image) in enumerate(zip(table.unit_case, table.unit_image, strict=True))
    }
    rows, met = [], []
    for answer in answers:
        row = row_of[answer.case_id, answer.image_id]
        if question.is_comparison:
            unit = int(np.flatnonzero(table.unit_case == table.unit_case[row])[0])
            sign = 1 if unit == row else -1
            rows.append(unit)
            towards_first = np.sign(scores[unit] - question.strongest)
            if answer.sign is not None:
                met.append(towards_first == answer.sign)
            else:
                met.append(sign * towards_first > 0)
        elif answer.least is not None and answer.most is not None:
            rows.append(row)
            met.append((scores[row] >= answer.least) & (scores[row] <= answer.most))
    is_met = np.array(met, dtype=float).reshape(len(rows), len(table.readers))
    is_read = ~np.isnan(scores[rows])
    cases = np.broadcast_to(table.unit_case[rows][:, None], is_met.shape)
    return GoldFigures(
        question=question,
        by_reader=tuple(
            clustered_share(
                is_met[is_read[:, reader], reader],
                cases[is_read[:, reader], reader],
                reason=NO_GOLD_READ,
            )
            for reader in range(len(table.readers))
        ),
        overall=clustered_share(is_met[is_read], cases[is_read], reason=NO_GOLD_READ),
    )


def flag_counts(table: StudyTable, flags: Iterable[FlagRow]) -> tuple[FlagCount, ...]:
    """Returns, by kind, the most frequent first; of current readings only."""
    current = set(table.readings.ids)
    counts: Counter[tuple[str, str]] = Counter()
    images: dict[str, set[UUID]] = {}
    for reading, image, name, grade in flags:
        if reading in current:
            counts[name, grade] += 1
            images.setdefault(name, set()).add(image)
    found = [
        FlagCount(name, counts[name, Grade.MINOR], counts[name, Grade.MAJOR], len(flagged))
        for name, flagged in images.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.total))
