"""What comparisons say: verdicts, sides, and, once unblinded, which model version wins."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

import numpy as np

from feedback_app.readings.models import Choice, Verdict
from feedback_app.results.sources import Source
from feedback_app.results.tables import Question, StudyTable
from feedback_app.statistics.preference import Preference, bradley_terry, preference
from feedback_app.studies.models import CriterionKind, Study


@dataclass(frozen=True)
class Duel:
    """How often ``first`` was preferred to ``second`` where both were shown."""

    first: str
    second: str
    preference: Preference


@dataclass(frozen=True)
class ChoiceFigures:
    """``left`` is the share of decided choices that fell on the image shown first.

    ``strengths`` are groups of (source, Bradley-Terry strength), each on a scale of its own.
    """

    question: Question
    verdicts: tuple[tuple[str, int], ...]
    left: Preference
    left_by_reader: tuple[Preference, ...]
    duels: tuple[Duel, ...]
    strengths: tuple[tuple[tuple[str, float], ...], ...]


@dataclass(frozen=True)
class Chosen:
    """It is one choice: ``shown`` are the two images in the order that the reader saw them."""

    reader: int
    case: int
    verdict: str
    winner: UUID | None
    shown: tuple[UUID, UUID]

    @property
    def left(self) -> int:
        """1: the image shown first won; -1: the other one; 0: neither."""
        if self.winner is None:
            return 0
        return 1 if self.winner == self.shown[0] else -1


def choice_figures(
    study: Study, table: StudyTable, *, sources: dict[UUID, Source] | None
) -> tuple[ChoiceFigures, ...]:
    return tuple(
        _figures(table, question, list(_chosen(study, table, question)), sources=sources)
        for question in table.questions
        if question.kind == CriterionKind.COMPARISON
    )


def _chosen(study: Study, table: StudyTable, question: Question) -> Iterator[Chosen]:
    """Yields first readings only: a hidden repeat is no further vote."""
    row_of = {
        pk: row
        for row, pk in enumerate(table.readings.ids)
        if table.readings.repetition[row] == 0 and not table.readings.is_skipped[row]
    }
    images: dict[int, list[UUID]] = {}
    for case, image in zip(table.unit_case.tolist(), table.unit_image, strict=True):
        images.setdefault(case, []).append(image)
    rows = Choice.objects.filter(reading__slot__study=study, criterion=question.id).values_list(
        "reading", "verdict", "image", "reading__slot__image_order"
    )
    for pk, verdict, image, order in rows.iterator():
        if pk in row_of:
            case = int(table.readings.case[row_of[pk]])
            yield Chosen(
                reader=int(table.readings.reader[row_of[pk]]),
                case=case,
                verdict=verdict,
                winner=image,
                shown=(images[case][order[0]], images[case][order[1]]),
            )


def _figures(
    table: StudyTable,
    question: Question,
    chosen: list[Chosen],
    *,
    sources: dict[UUID, Source] | None,
) -> ChoiceFigures:
    counts = Counter(one.verdict for one in chosen)
    return ChoiceFigures(
        question=question,
        verdicts=tuple((str(label), counts[value]) for value, label in Verdict.choices),
        left=_preference([(one.left, one.case) for one in chosen]),
        left_by_reader=tuple(
            _preference([(one.left, one.case) for one in chosen if one.reader == number])
            for number in range(len(table.readers))
        ),
        duels=tuple(_duels(chosen, sources)) if sources else (),
        strengths=tuple(_strengths(chosen, sources)) if sources else (),
    )


def _preference(outcomes: list[tuple[int, int]]) -> Preference:
    table = np.array(outcomes, dtype=np.int64).reshape(-1, 2)
    return preference(table[:, 0].astype(np.float64), table[:, 1])


def _duels(chosen: list[Chosen], sources: dict[UUID, Source]) -> Iterator[Duel]:
    """Yields a duel for every two sources that met, in the order of their names."""
    for first, second in combinations(sorted({source.name for source in sources.values()}), 2):
        met = [
            (_outcome(one, first, sources), one.case)
            for one in chosen
            if {sources[image].name for image in one.shown} == {first, second}
        ]
        if met:
            yield Duel(first, second, _preference(met))


def _outcome(chosen: Chosen, first: str, sources: dict[UUID, Source]) -> int:
    if chosen.winner is None:
        return 0
    return 1 if sources[chosen.winner].name == first else -1


def _strengths(
    chosen: list[Chosen], sources: dict[UUID, Source]
) -> Iterator[tuple[tuple[str, float], ...]]:
    names = sorted({source.name for source in sources.values()})
    number = {name: index for index, name in enumerate(names)}
    won = []
    for one in chosen:
        winner, loser = one.shown if one.left == 1 else one.shown[::-1]
        pair = number[sources[winner].name], number[sources[loser].name]
        if one.left and pair[0] != pair[1]:
            won.append(pair)
    for group in bradley_terry(len(names), won):
        strengths = [
            (names[item], value) for item, value in zip(group.items, group.values, strict=True)
        ]
        yield tuple(sorted(strengths, key=lambda one: -one[1]))
