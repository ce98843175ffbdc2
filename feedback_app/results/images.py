"""Mean scores and flags of each image of a study."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, Q, QuerySet

from feedback_app.readings.models import Choice, Flag, Grade, Reading, Score, Verdict
from feedback_app.studies.models import Case, CaseImage, Criterion, CriterionKind, Study


@dataclass(frozen=True)
class ImageResult:
    """``means`` are in the order of the study's criteria; None where nobody scored yet.

    ``votes`` are in that order too: what was said of the image where no score says it, such as
    how often it won a comparison; empty for an ordinal score.
    """

    image_id: UUID
    case: Case
    is_candidate: bool
    readings: int
    means: tuple[float | None, ...]
    votes: tuple[str, ...]
    flags: tuple[str, ...]
    source: str

    @property
    def answers(self) -> tuple[tuple[float | None, str], ...]:
        """By criterion: the mean score, and the votes in words."""
        return tuple(zip(self.means, self.votes, strict=True))


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
    """Returns every image of the study, by case."""
    places = CaseImage.objects.filter(case__study=study).select_related(
        "case", "image__candidate__recipe__model_version"
    )
    return places.order_by("case__position", "position")


def image_results(
    study: Study, places: Iterable[CaseImage], *, criteria: tuple[Criterion, ...]
) -> tuple[ImageResult, ...]:
    """Returns the results of some places only, such as a page of them."""
    shown = list(places)
    cases = {place.case_id for place in shown}
    readings = readings_that_count(study).filter(slot__case__in=cases)
    parts = {"reading__in": readings, "image__in": {place.image_id for place in shown}}
    means, counts, flags = _means(parts), _counts(readings), _flags(parts)
    votes = _votes(parts) if any(one.kind != CriterionKind.ORDINAL for one in criteria) else {}
    return tuple(
        ImageResult(
            image_id=place.image_id,
            case=place.case,
            is_candidate=hasattr(place.image, "candidate"),
            readings=counts.get(place.case_id, 0),
            means=tuple(
                means.get((place.case_id, place.image_id, criterion.pk)) for criterion in criteria
            ),
            votes=tuple(
                votes.get((place.case_id, place.image_id, criterion.pk), "")
                for criterion in criteria
            ),
            flags=tuple(flags.get((place.case_id, place.image_id), ())),
            source=_source(place),
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


def _counts(readings: QuerySet[Reading]) -> dict[UUID, int]:
    """Returns how many readers read a case; a repeat is no further reader."""
    counted = readings.values_list("slot__case").annotate(count=Count("reader", distinct=True))
    return dict(counted.order_by())


def _votes(parts: dict[str, Any]) -> dict[tuple[UUID, UUID, int], str]:
    """Returns what was chosen of two images, and how surely an image was called real or
    synthetic.
    """
    return _confidences(parts) | _choices(parts["reading__in"])


def _confidences(parts: dict[str, Any]) -> dict[tuple[UUID, UUID, int], str]:
    rows = (
        Score.objects.filter(**parts, criterion__kind=CriterionKind.CONFIDENCE)
        .values_list("reading__slot__case", "image", "criterion", "criterion__anchors", "value")
        .annotate(count=Count("pk"))
        .order_by("value")
    )
    said: dict[tuple[UUID, UUID, int], list[tuple[str, int]]] = defaultdict(list)
    for case, image, criterion, anchors, value, count in rows:
        said[case, image, criterion].append((anchors[value], count))
    return {key: _counted(found) for key, found in said.items()}


def _choices(readings: QuerySet[Reading]) -> dict[tuple[UUID, UUID, int], str]:
    rows = (
        Choice.objects.filter(reading__in=readings)
        .values_list("reading__slot__case", "criterion", "verdict", "image")
        .annotate(count=Count("pk"))
        .order_by()
    )
    votes: dict[tuple[UUID, int], dict[tuple[str, UUID | None], int]] = defaultdict(dict)
    for case, criterion, verdict, better, count in rows:
        votes[case, criterion][verdict, better] = count
    shown = CaseImage.objects.filter(case__in={case for case, _ in votes})
    images: dict[UUID, list[UUID]] = defaultdict(list)
    for case, image in shown.values_list("case", "image"):
        images[case].append(image)
    return {
        (case, image, criterion): _counted(_outcomes(found, image))
        for (case, criterion), found in votes.items()
        for image in images[case]
    }


def _outcomes(votes: dict[tuple[str, UUID | None], int], image: UUID) -> Iterator[tuple[str, int]]:
    """Yields how often this image won and lost, and neither did."""
    better = {chosen: n for (verdict, chosen), n in votes.items() if verdict == Verdict.BETTER}
    yield "won", better.get(image, 0)
    yield "lost", sum(better.values()) - better.get(image, 0)
    for verdict in (Verdict.EQUAL, Verdict.BOTH_BAD):
        yield str(verdict.label).lower(), votes.get((verdict, None), 0)


def _counted(found: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{what} {count}" for what, count in found if count)


def _source(place: CaseImage) -> str:
    if hasattr(place.image, "candidate"):
        return str(place.image.candidate.recipe.model_version.name)
    return "real"


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
