"""What training did: each reader's score, and their agreement before and after it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from feedback_app.accounts.models import User
from feedback_app.charts.numbers import with_interval
from feedback_app.readings.report_models import POINTS_MAX
from feedback_app.readings.training import Training, training_of
from feedback_app.readings.training_models import TrainingAnswer
from feedback_app.results.tables import STRONGEST, TWO_SIDED, signed
from feedback_app.statistics.agreement import krippendorff_alpha
from feedback_app.statistics.bootstrap import Estimate
from feedback_app.studies.models import Criterion, CriterionKind, Study, training_criteria

Unit = tuple[UUID, int]
Scores = Mapping[Unit, Mapping[int, int]]
"""By case and image of it, the score of each reader."""


@dataclass(frozen=True)
class TrainedReader:
    reader: User
    training: Training


@dataclass(frozen=True)
class Calibrated:
    """It holds Krippendorff's alpha of one criterion in everybody's first round, and in their
    last.
    """

    criterion: Criterion
    before: Estimate
    after: Estimate

    @property
    def said_before(self) -> str:
        return with_interval(self.before)

    @property
    def said_after(self) -> str:
        return with_interval(self.after)


def trained_readers(study: Study) -> list[TrainedReader]:
    readers = study.readers.order_by("last_name", "username")
    return [TrainedReader(reader, training_of(study, reader.pk)) for reader in readers]


def calibration_of(study: Study, trained: Iterable[TrainedReader]) -> list[Calibrated]:
    """Only rounds that were read to their end; before and after are the same where one was."""
    ended = {one.reader.pk: one.training for one in trained}
    first = {reader: own.first.number for reader, own in ended.items() if own.first}
    last = {reader: own.last.number for reader, own in ended.items() if own.last}
    rows = TrainingAnswer.objects.filter(slot__study=study)
    answers = list(rows.select_related("slot__study", "slot__case").order_by("slot"))
    return [
        Calibrated(
            criterion,
            before=_alpha(criterion, _scores(criterion, answers, rounds=first)),
            after=_alpha(criterion, _scores(criterion, answers, rounds=last)),
        )
        for criterion in training_criteria(study)
        if criterion.kind != CriterionKind.REPORT  # words have no values
    ]


def _scores(
    criterion: Criterion, answers: Iterable[TrainingAnswer], *, rounds: Mapping[int, int]
) -> Scores:
    found: defaultdict[Unit, dict[int, int]] = defaultdict(dict)
    for answer in answers:
        slot = answer.slot
        if rounds.get(slot.reader_id) != slot.round:
            continue
        for score in answer.content["scores"]:
            if score["criterion"] == criterion.slug:
                unit = slot.case_id, slot.image_order[score["place"]]
                found[unit][slot.reader_id] = score["value"]
        for preference in answer.content.get("preferences", ()):
            if preference["criterion"] == criterion.slug:
                is_first_left = slot.texts_in_order()[0].position == 0
                for_first = -preference["points"] if is_first_left else preference["points"]
                found[slot.case_id, 0][slot.reader_id] = for_first + POINTS_MAX
        for choice in answer.content["choices"]:
            if choice["criterion"] == criterion.slug:
                place = choice["place"]
                is_first = place is not None and slot.image_order[place] == 0
                value = signed(choice["verdict"], choice["strength"], is_first=is_first)
                found[slot.case_id, 0][slot.reader_id] = value + STRONGEST
    return found


def _alpha(criterion: Criterion, scores: Scores) -> Estimate:
    readers = sorted({reader for of_unit in scores.values() for reader in of_unit})
    cases = {case: number for number, case in enumerate(dict.fromkeys(case for case, _ in scores))}
    table = np.array(
        [[of_unit.get(reader, np.nan) for reader in readers] for of_unit in scores.values()],
        dtype=np.float64,
    ).reshape(len(scores), len(readers))
    numbers = np.array([cases[case] for case, _ in scores], dtype=np.int64)
    strongest = TWO_SIDED.get(CriterionKind(criterion.kind))
    levels = criterion.score_max + 1 if strongest is None else 2 * strongest + 1
    return krippendorff_alpha(table, numbers, levels=levels)
