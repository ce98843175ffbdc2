"""What came of a study: mean scores and flags of each image, for coordinators."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, Q

from feedback_app.readings.models import Flag, Grade, Reading, Score
from feedback_app.studies.models import Case, CaseImage, Criterion, Study


@dataclass(frozen=True)
class ImageResult:
    """``means`` are in the order of the study's criteria; None where nobody scored yet."""

    image_id: UUID
    case: Case
    readings: int
    means: tuple[float | None, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class StudyResults:
    criteria: tuple[Criterion, ...]
    images: tuple[ImageResult, ...]
    readings: int
    overall: tuple[float | None, ...]


def results_of(study: Study) -> StudyResults:
    """From the last revision of each slot."""
    criteria = tuple(study.criteria.all())
    current = Reading.objects.filter(slot__study=study).current()
    means = _means(current)
    flags = _flags(current)
    places = CaseImage.objects.filter(case__study=study).select_related("case")
    return StudyResults(
        criteria=criteria,
        images=tuple(
            ImageResult(
                image_id=place.image_id,
                case=place.case,
                readings=means.get((place.image_id, criteria[0].pk), (0, None))[0],
                means=tuple(
                    means.get((place.image_id, criterion.pk), (0, None))[1]
                    for criterion in criteria
                ),
                flags=tuple(flags.get(place.image_id, ())),
            )
            for place in places.order_by("case__position", "position")
        ),
        readings=current.count(),
        overall=tuple(
            Score.objects.filter(reading__in=current, criterion=criterion).aggregate(
                mean=Avg("value")
            )["mean"]
            for criterion in criteria
        ),
    )


def _means(readings: Any) -> dict[tuple[UUID, int], tuple[int, float]]:
    rows = (
        Score.objects.filter(reading__in=readings)
        .values("image", "criterion")
        .annotate(count=Count("pk"), mean=Avg("value"))
    )
    return {(row["image"], row["criterion"]): (row["count"], row["mean"]) for row in rows}


def _flags(readings: Any) -> dict[UUID, list[str]]:
    rows = (
        Flag.objects.filter(reading__in=readings)
        .values("image", "kind__name")
        .annotate(count=Count("pk"), major=Count("pk", filter=Q(grade=Grade.MAJOR)))
        .order_by("-major", "-count")
    )
    named: dict[UUID, list[str]] = {}
    for row in rows:
        text = row["kind__name"]
        text += f" x {row['count']}" if row["count"] > 1 else ""
        text += f" ({row['major']} major)" if row["major"] else ""
        named.setdefault(row["image"], []).append(text)
    return named
