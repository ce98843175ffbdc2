"""Single images as readers saw them: scores, and what was accepted or rejected outright."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db.models import QuerySet

from feedback_app.finetuning.services.image_means import (
    STRENGTH_GAPS,
    ImageMean,
    chosen,
    scored,
    teaching_readings,
)
from feedback_app.readings.models import Choice, Reading, Strength, Verdict
from feedback_app.studies.models import Study
from generation.specs import Rating

CLEAR_GAP = STRENGTH_GAPS[Strength.CLEARLY]


@dataclass(frozen=True)
class FoundRating:
    """What one reading says of one image; ``is_accepted`` is None where nothing was said."""

    seen: ImageMean
    is_accepted: bool | None

    @property
    def rating(self) -> Rating:
        """Without any trace of this database: the image goes by the SHA-256 of its file."""
        return Rating(
            image=self.seen.blob,
            prompt=self.seen.prompt,
            scores=self.seen.axes,
            is_accepted=self.is_accepted,
            masks=self.seen.masks,
            propensity=self.seen.propensity,
            uniform_propensity=self.seen.uniform_propensity,
            marks=self.seen.marks,
        )


def find_ratings(
    *,
    simulated: bool,
    studies: Collection[Study] | None = None,
    as_of: datetime | None = None,
    prefers_final: bool = False,
) -> list[FoundRating]:
    """Finds ratings in the readings that pairs come from, ties and cases of one image included.

    All images of a case of which none is acceptable are rejected. Of a comparison, both
    are where both are bad on some criterion; where one is clearly better on the mean, it
    is accepted and the other rejected. A choice gives no score. ``as_of`` takes the readings
    as they were then.
    """
    return ratings_among(
        teaching_readings(
            simulated=simulated, studies=studies, as_of=as_of, prefers_final=prefers_final
        ),
        as_of=as_of,
    )


def ratings_among(
    readings: QuerySet[Reading], *, as_of: datetime | None = None
) -> list[FoundRating]:
    """Returns the ratings of these readings, each of which could teach."""
    none_acceptable = set(readings.filter(none_acceptable=True).values_list("pk", flat=True))
    found = [
        FoundRating(seen, False if seen.reading_id in none_acceptable else None)
        for seen in scored(readings, as_of=as_of)
    ]
    both_bad: dict[UUID, bool] = defaultdict(bool)
    for reading_id, verdict in Choice.objects.filter(reading__in=readings).values_list(
        "reading_id", "verdict"
    ):
        both_bad[reading_id] |= verdict == Verdict.BOTH_BAD or reading_id in none_acceptable
    for reading_id, of_reading in groupby(
        chosen(readings, as_of=as_of), key=lambda seen: seen.reading_id
    ):
        found += _judged(list(of_reading), are_both_bad=both_bad[reading_id])
    return found


def _judged(images: list[ImageMean], *, are_both_bad: bool) -> Iterator[FoundRating]:
    scores = [image.score for image in images]
    if are_both_bad:
        verdicts = [False] * len(images)
    elif max(scores) - min(scores) >= CLEAR_GAP:
        verdicts = [score == max(scores) for score in scores]
    else:
        return
    for image, is_accepted in zip(images, verdicts, strict=True):
        yield FoundRating(replace(image, axes={}), is_accepted)
