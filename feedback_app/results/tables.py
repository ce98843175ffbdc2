"""The readings of a study as arrays: what every figure is computed from.

People and simulated readers are never mixed: where both have read, people count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from feedback_app.accounts.models import User
from feedback_app.readings.models import Choice, Flag, Reading, Score, Strength, Verdict
from feedback_app.readings.report_models import POINTS_MAX, ReportPreference
from feedback_app.statistics.bootstrap import Floats, Ints
from feedback_app.studies.models import CaseImage, CriterionKind, Study

Truths = NDArray[np.bool_]
STRONGEST = max(Strength.values)
"""A choice is a score from -3, the second image much better, to 3, the first one."""
POINTS_COUNTED = ("equal", "1 to 3", "4 to 6", "7 to 10")
TWO_SIDED = {CriterionKind.COMPARISON: STRONGEST, CriterionKind.PREFERENCE: POINTS_MAX}
"""By kind of question, how strongly the first of two may be better; above 0 it is."""


@dataclass(frozen=True)
class Question:
    """A question is a criterion; ``levels`` is the number of values that an answer may take."""

    id: int
    slug: str
    name: str
    kind: str
    anchors: tuple[str, ...]

    @property
    def is_comparison(self) -> bool:
        """Whether it is asked about two images, or two reports."""
        return self.kind in TWO_SIDED

    @property
    def strongest(self) -> int:
        """How strongly the first of two may be better: its value is so much above the middle."""
        return TWO_SIDED[CriterionKind(self.kind)]

    @property
    def levels(self) -> int:
        return 2 * self.strongest + 1 if self.is_comparison else len(self.anchors)

    @property
    def labels(self) -> tuple[str, ...]:
        """What answers are counted by: scores, how sure of the source, or how much better."""
        if self.kind == CriterionKind.PREFERENCE:
            return POINTS_COUNTED
        if self.is_comparison:
            return ("neither", *(str(label).lower() for label in Strength.labels))
        if self.kind == CriterionKind.CONFIDENCE:
            return self.anchors
        return tuple(str(score) for score in range(self.levels))

    def counted(self, scores: Floats) -> Floats:
        """By which of the ``labels`` each answer is counted, by its place."""
        if not self.is_comparison:
            return scores
        strengths = np.abs(scores - self.strongest)
        if self.kind == CriterionKind.PREFERENCE:
            return np.minimum(np.ceil(strengths / 3), len(POINTS_COUNTED) - 1)
        return strengths


@dataclass(frozen=True)
class Readings:
    """One row a slot, as it was last revised.

    ``order`` counts a reader's readings from 0 as they were first submitted; ``seconds``
    is the active time of that first submission, 0 where it is not known.
    """

    ids: tuple[UUID, ...]
    reader: Ints
    case: Ints
    repetition: Ints
    phase: NDArray[np.str_]
    order: Ints
    seconds: Floats
    is_skipped: Truths


@dataclass(frozen=True)
class Answers:
    """Answers to one question: rows of the readings, rows of the units, and values from 0."""

    reading: Ints
    unit: Ints
    value: Floats


@dataclass(frozen=True)
class Repeats:
    """Scores of one unit by one reader, the first time and again."""

    first: Floats
    second: Floats
    case: Ints
    reader: Ints

    def of_reader(self, reader: int) -> "Repeats":
        own = self.reader == reader
        return Repeats(self.first[own], self.second[own], self.case[own], self.reader[own])


@dataclass(frozen=True)
class StudyTable:
    """``units`` are (case, image), or the cases themselves where images are compared."""

    readers: tuple[str, ...]
    is_simulated: bool
    left_out: int
    retracted: int
    questions: tuple[Question, ...]
    readings: Readings
    answers: dict[str, Answers]
    unit_case: Ints
    unit_image: tuple[UUID, ...]
    case_ids: tuple[UUID, ...]

    def matrix(self, slug: str) -> Floats:
        """(units, readers): the first time that a reader met a unit; NaN where they did not."""
        answers = self.answers[slug]
        scores = np.full((len(self.unit_case), len(self.readers)), np.nan)
        first = self.readings.repetition[answers.reading] == 0
        rows = answers.unit[first], self.readings.reader[answers.reading[first]]
        scores[rows] = answers.value[first]
        return scores

    def repeats(self, slug: str) -> Repeats:
        """Hidden repeats whose first reading is there too."""
        answers, scores = self.answers[slug], self.matrix(slug)
        again = self.readings.repetition[answers.reading] > 0
        unit, reader = answers.unit[again], self.readings.reader[answers.reading[again]]
        first = scores[unit, reader]
        known = ~np.isnan(first)
        return Repeats(
            first[known],
            answers.value[again][known],
            self.unit_case[unit[known]],
            reader[known],
        )

    def orders(self, slug: str) -> Floats:
        """(units, readers): where in their series a reader first met a unit."""
        answers = self.answers[slug]
        orders = np.full((len(self.unit_case), len(self.readers)), np.nan)
        first = self.readings.repetition[answers.reading] == 0
        reading = answers.reading[first]
        orders[answers.unit[first], self.readings.reader[reading]] = self.readings.order[reading]
        return orders


def table_of(study: Study) -> StudyTable:
    rows = _last_and_first(study)
    people = [row for row in rows if not row["is_simulated"]]
    kept = people or rows
    readers = User.objects.filter(pk__in={row["reader"] for row in kept})
    named = sorted(readers, key=lambda reader: (reader.last_name, reader.username))
    asked = study.criteria.exclude(kind=CriterionKind.REPORT)  # words have no values
    questions = tuple(question_of(row) for row in asked)
    units = _units(study)
    cases = {case: number for number, case in enumerate(dict.fromkeys(case for case, _ in units))}
    readings = _readings(kept, readers=[reader.pk for reader in named], cases=cases)
    return StudyTable(
        readers=tuple(reader.display_name for reader in named),
        is_simulated=bool(kept) and not people,
        left_out=len(rows) - len(kept),
        retracted=count_retracted(study),
        questions=questions,
        readings=readings,
        answers=_answers(study, questions, readings=readings, units=units),
        unit_case=np.array([cases[case] for case, _ in units], dtype=np.int64),
        unit_image=tuple(image for _, image in units),
        case_ids=tuple(cases),
    )


def question_of(criterion: Any) -> Question:
    return Question(
        id=criterion.pk,
        slug=criterion.slug,
        name=criterion.name,
        kind=criterion.kind,
        anchors=tuple(criterion.anchors),
    )


def _units(study: Study) -> list[tuple[UUID, UUID]]:
    places = CaseImage.objects.filter(case__study=study).order_by("case__position", "position")
    return list(places.values_list("case", "image"))


def count_retracted(study: Study) -> int:
    """Readings of the study, as last revised, that a retraction leaves out."""
    current = Reading.objects.filter(slot__study=study).current()
    return current.count() - current.standing().count()


def _last_and_first(study: Study) -> list[Any]:
    """By slot: the last revision, with time and date of the first; none that is retracted."""
    rows = (
        Reading.objects.filter(slot__study=study)
        .in_its_phase()
        .standing()
        .order_by("slot", "revision")
        .values(
            "pk", "reader", "is_simulated", "skip_reason", "active_ms", "created_at", "slot",
            "slot__case", "slot__repetition", "slot__phase",
        )
    )  # fmt: skip
    found = []
    for _, revisions in groupby(rows.iterator(), key=lambda row: row["slot"]):
        first, *later = revisions
        last = later[-1] if later else first
        found.append(last | {"active_ms": first["active_ms"], "created_at": first["created_at"]})
    return found


def _readings(rows: list[Any], *, readers: list[int], cases: dict[UUID, int]) -> Readings:
    number = {reader: index for index, reader in enumerate(readers)}
    reader = np.array([number[row["reader"]] for row in rows], dtype=np.int64)
    return Readings(
        ids=tuple(row["pk"] for row in rows),
        reader=reader,
        case=np.array([cases[row["slot__case"]] for row in rows], dtype=np.int64),
        repetition=np.array([row["slot__repetition"] for row in rows], dtype=np.int64),
        phase=np.array([row["slot__phase"] for row in rows], dtype=np.str_),
        order=_order(reader, [row["created_at"] for row in rows]),
        seconds=np.array([row["active_ms"] / 1_000 for row in rows], dtype=np.float64),
        is_skipped=np.array([bool(row["skip_reason"]) for row in rows], dtype=np.bool_),
    )


def _order(reader: Ints, submitted: list[datetime]) -> Ints:
    order = np.zeros(len(reader), dtype=np.int64)
    seen: dict[int, int] = {}
    for row in sorted(range(len(submitted)), key=submitted.__getitem__):
        own = int(reader[row])
        order[row] = seen.get(own, 0)
        seen[own] = int(order[row]) + 1
    return order


def _answers(
    study: Study,
    questions: tuple[Question, ...],
    *,
    readings: Readings,
    units: list[tuple[UUID, UUID]],
) -> dict[str, Answers]:
    reading = {pk: row for row, pk in enumerate(readings.ids) if not readings.is_skipped[row]}
    case_of = {unit: row for row, unit in enumerate(units)}
    case_ids = list(dict.fromkeys(case for case, _ in units))
    slugs = {question.id: question.slug for question in questions}
    found: dict[str, list[tuple[int, int, float]]] = {slug: [] for slug in slugs.values()}
    for pk, criterion, image, value in _scores(study):
        row = reading.get(pk)
        if row is not None:
            unit = case_of[case_ids[readings.case[row]], image]
            found[slugs[criterion]].append((row, unit, float(value)))
    first_of = {case: row for row, (case, _) in reversed(list(enumerate(units)))}
    for pk, criterion, verdict, better, strength in _choices(study):
        row = reading.get(pk)
        if row is not None:
            unit = first_of[case_ids[readings.case[row]]]
            value = signed(verdict, strength, is_first=better == units[unit][1])
            found[slugs[criterion]].append((row, unit, float(value + STRONGEST)))
    for pk, criterion, points, left in _preferences(study):
        row = reading.get(pk)
        if row is not None:
            unit = first_of[case_ids[readings.case[row]]]
            for_first = -points if left == 0 else points
            found[slugs[criterion]].append((row, unit, float(for_first + POINTS_MAX)))
    return {slug: _columns(rows) for slug, rows in found.items()}


def _scores(study: Study) -> Iterable[tuple[UUID, int, UUID, int]]:
    scores = Score.objects.filter(reading__slot__study=study)
    return scores.values_list("reading", "criterion", "image", "value").iterator()


def _choices(study: Study) -> Iterable[tuple[UUID, int, str, UUID | None, int | None]]:
    choices = Choice.objects.filter(reading__slot__study=study)
    return choices.values_list("reading", "criterion", "verdict", "image", "strength").iterator()


def _preferences(study: Study) -> Iterable[tuple[UUID, int, int, int]]:
    found = ReportPreference.objects.filter(reading__slot__study=study)
    return found.values_list("reading", "criterion", "points", "left__position").iterator()


def signed(verdict: str, strength: int | None, *, is_first: bool) -> int:
    """Returns a choice as a number: which image of the case is better, and how strongly."""
    if verdict != Verdict.BETTER:
        return 0
    return (strength or 0) if is_first else -(strength or 0)


def _columns(rows: list[tuple[int, int, float]]) -> Answers:
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Answers(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])


def flags_of(study: Study) -> Iterable[tuple[UUID, UUID, str, str]]:
    """(reading, image, name of the kind, grade) of every flag, of any revision."""
    flags = Flag.objects.filter(reading__slot__study=study).order_by("kind__position")
    return flags.values_list("reading", "image", "kind__name", "grade").iterator()
