"""What a reader is told of their own readings, once it can influence no study any more.

Nothing of a study that is still read: not how others answered, and not that cases came twice.
Of closed studies a reader sees their own figures against all others together, never one
other reader's.
"""

from collections import defaultdict
from dataclasses import dataclass
from statistics import mean, median
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import TruncDate

from feedback_app.accounts.models import User
from feedback_app.readings.models import Choice, Reading, Score, SkipReason
from feedback_app.studies.models import CriterionKind, Study, StudyState

Place = tuple[UUID, UUID, int]
"""Case, image and criterion: what a score is of."""
Verdict = tuple[UUID, int]
"""Case and criterion: what a verdict is of."""
DAYS_SHOWN = 14


@dataclass(frozen=True)
class OwnStudy:
    """One study; the figures are None while it is open, or where nothing is shared or repeated.

    ``apart`` is how far the reader's scores are from the mean of the others', in points;
    ``higher`` says how much higher they score; ``again_apart`` is between two readings of a case.
    In comparisons ``alike`` is the share of the others' verdicts that are as the reader's own, over
    ``alike_of`` verdicts of theirs, and ``again_alike`` that of their own second ones.
    """

    study: Study
    cases: int
    seconds_a_case: float | None
    minutes: float
    apart: float | None = None
    higher: float | None = None
    shared: int = 0
    again_apart: float | None = None
    repeated: int = 0
    alike: float | None = None
    alike_of: int = 0
    again_alike: float | None = None
    again_alike_of: int = 0

    @property
    def alike_percent(self) -> int:
        return round(100 * (self.alike or 0))

    @property
    def again_alike_percent(self) -> int:
        return round(100 * (self.again_alike or 0))

    @property
    def is_told(self) -> bool:
        return self.study.state == StudyState.CLOSED


def own_studies(reader: User) -> list[OwnStudy]:
    """Returns the studies in which they have read something, the newest first."""
    readings = Reading.objects.filter(reader=reader).current()
    studies = Study.objects.filter(pk__in=readings.order_by().values("slot__study"))
    return [_own(reader, study) for study in studies.order_by("-created_at")]


def minutes_by_day(reader: User) -> list[tuple[object, float]]:
    """Active minutes of the last days on which they read, the newest first."""
    by_day = (
        Reading.objects.filter(reader=reader)
        .order_by()
        .annotate(day=TruncDate("created_at"))
        .values("day")
        .annotate(active=Sum("active_ms"))
        .order_by("-day")
    )
    return [(row["day"], row["active"] / 60_000) for row in by_day[:DAYS_SHOWN]]


def _own(reader: User, study: Study) -> OwnStudy:
    readings = Reading.objects.filter(reader=reader, slot__study=study).current()
    read = readings.filter(skip_reason=SkipReason.NONE)
    times = [ms / 1_000 for ms in readings.values_list("active_ms", flat=True) if ms]
    is_told = study.state == StudyState.CLOSED
    return OwnStudy(
        study=study,
        cases=read.filter(slot__repetition=0).count() if is_told else read.count(),
        seconds_a_case=median(times) if times else None,
        minutes=sum(times) / 60,
        **(_figures(reader, study) | _verdicts(reader, study) if is_told else {}),  # type: ignore[arg-type]
    )


def _verdicts(reader: User, study: Study) -> dict[str, float | int | None]:
    """Returns which image is better, or neither; how strongly is not compared."""
    first: dict[Verdict, UUID | None] = {}
    again: dict[Verdict, UUID | None] = {}
    others: defaultdict[Verdict, list[UUID | None]] = defaultdict(list)
    readings = Reading.objects.filter(slot__study=study).current().standing()
    rows = Choice.objects.filter(reading__in=readings).values_list(
        "reading__slot__case",
        "criterion",
        "image",
        "reading__reader",
        "reading__slot__repetition",
        "reading__is_simulated",
    )
    for case, criterion, better, who, repetition, is_simulated in rows.iterator():
        about = (case, criterion)
        if who == reader.pk:
            (again if repetition else first)[about] = better
        elif not repetition and is_simulated == reader.is_simulated:
            others[about].append(better)
    shared = [
        mean(one == better for one in others[at]) for at, better in first.items() if at in others
    ]
    repeats = [better == first[at] for at, better in again.items() if at in first]
    return {
        "alike": mean(shared) if shared else None,
        "alike_of": len(shared),
        "again_alike": mean(repeats) if repeats else None,
        "again_alike_of": len(repeats),
    }


def _figures(reader: User, study: Study) -> dict[str, float | int | None]:
    first: dict[Place, int] = {}
    again: dict[Place, int] = {}
    others: defaultdict[Place, list[int]] = defaultdict(list)
    readings = Reading.objects.filter(slot__study=study).current().standing()
    scores = Score.objects.filter(reading__in=readings, criterion__kind=CriterionKind.ORDINAL)
    rows = scores.values_list(
        "reading__slot__case",
        "image",
        "criterion",
        "value",
        "reading__reader",
        "reading__slot__repetition",
        "reading__is_simulated",
    )
    for case, image, criterion, value, who, repetition, is_simulated in rows.iterator():
        place = (case, image, criterion)
        if who == reader.pk:
            (again if repetition else first)[place] = value
        elif not repetition and is_simulated == reader.is_simulated:
            others[place].append(value)
    shared = [value - mean(others[place]) for place, value in first.items() if place in others]
    repeats = [abs(value - first[place]) for place, value in again.items() if place in first]
    return {
        "apart": mean(map(abs, shared)) if shared else None,
        "higher": mean(shared) if shared else None,
        "shared": len(shared),
        "again_apart": mean(repeats) if repeats else None,
        "repeated": len(repeats),
    }
