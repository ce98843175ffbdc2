"""Mean scores and flags of each image of a study."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, Q, QuerySet

from feedback_app.readings.models import Flag, Grade, Reading, Score
from feedback_app.studies.models import Case, CaseImage, Criterion, Study


@dataclass(frozen=True)
class ImageResult:
    """``means`` are in the order of the study's criteria; None where nobody scored yet."""

    image_id: UUID
    case: Case
    is_candidate: bool
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
    """From the last revision of each slot that was not skipped."""
    criteria = tuple(study.criteria.all())
    current = readings_that_count(study)
    overall = dict(
        Score.objects.filter(reading__in=current)
        .values_list("criterion")
        .annotate(mean=Avg("value"))
    )
    return StudyResults(
        criteria=criteria,
        images=image_results(study, places_of(study), criteria=criteria),
        readings=current.count(),
        overall=tuple(overall.get(criterion.pk) for criterion in criteria),
    )


def readings_that_count(study: Study) -> QuerySet[Reading]:
    """Without skips, what is retracted, and simulated readings where people read too."""
    read = Reading.objects.filter(slot__study=study).current().standing().filter(skip_reason="")
    return read.by_people() if read.by_people().exists() else read


def places_of(study: Study) -> QuerySet[CaseImage]:
    """Every image of the study, by case."""
    places = CaseImage.objects.filter(case__study=study).select_related("case", "image__candidate")
    return places.order_by("case__position", "position")


def image_results(
    study: Study, places: Iterable[CaseImage], *, criteria: tuple[Criterion, ...]
) -> tuple[ImageResult, ...]:
    """Returns the results of some places only, such as a page of them."""
    shown = list(places)
    cases = {place.case_id for place in shown}
    parts = {
        "reading__in": readings_that_count(study).filter(slot__case__in=cases),
        "image__in": {place.image_id for place in shown},
    }
    means, counts, flags = _means(parts), _counts(parts), _flags(parts)
    return tuple(
        ImageResult(
            image_id=place.image_id,
            case=place.case,
            is_candidate=hasattr(place.image, "candidate"),
            readings=counts.get((place.case_id, place.image_id), 0),
            means=tuple(
                means.get((place.case_id, place.image_id, criterion.pk)) for criterion in criteria
            ),
            flags=tuple(flags.get((place.case_id, place.image_id), ())),
        )
        for place in shown
    )


def _means(parts: dict[str, Any]) -> dict[tuple[UUID, UUID, int], float]:
    rows = (
        Score.objects.filter(**parts)
        .values_list("reading__slot__case", "image", "criterion")
        .annotate(mean=Avg("value"))
    )
    return {(case, image, criterion): mean for case, image, criterion, mean in rows}


def _counts(parts: dict[str, Any]) -> dict[tuple[UUID, UUID], int]:
    """How many readers scored an image; a repeat is no further reader."""
    rows = (
        Score.objects.filter(**parts)
        .values_list("reading__slot__case", "image")
        .annotate(count=Count("reading__reader", distinct=True))
    )
    return {(case, image): count for case, image, count in rows}


def _flags(parts: dict[str, Any]) -> dict[tuple[UUID, UUID], list[str]]:
    rows = (
        Flag.objects.filter(**parts)
        .values_list("reading__slot__case", "image", "kind__name")
        .annotate(count=Count("pk"), major=Count("pk", filter=Q(grade=Grade.MAJOR)))
        .order_by("-major", "-count")
    )
    named: dict[tuple[UUID, UUID], list[str]] = {}
    for case, image, name, count, major in rows:
        text = name + (f" x {count}" if count > 1 else "") + (f" ({major} major)" if major else "")
        named.setdefault((case, image), []).append(text)
    return named
