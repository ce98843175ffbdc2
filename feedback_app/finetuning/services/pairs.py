"""Pairs of images of which a reader liked one better, from scores and from choices."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, groupby
from uuid import UUID

from django.db.models import Avg, QuerySet

from feedback_app.readings.models import Choice, Reading, Score, SkipReason, Strength
from feedback_app.studies.models import CaseImage, CriterionKind, Study
from generation.specs import Preference

SCALE_MIDDLE = 2.5
STRENGTH_GAPS = {Strength.SLIGHTLY: 0.5, Strength.CLEARLY: 1.5, Strength.MUCH: 3.0}
"""What a choice is worth in points of the 0-5 scale, so that both kinds of study can teach
together. One point is a step between two anchors: *slightly* is less than a step, *clearly*
more than one, *much* as far as from "synthetic at first glance" to "cannot be told from a
real one"."""


@dataclass(frozen=True, kw_only=True)
class ImageMean:
    """An image's mean score over the criteria, in one reading."""

    reading_id: UUID
    image_id: UUID
    blob: str
    prompt: str
    score: float


@dataclass(frozen=True)
class FoundPair:
    winner: ImageMean
    loser: ImageMean

    @property
    def preference(self) -> Preference:
        """Without any trace of this database: images go by the SHA-256 of their file."""
        return Preference(
            winner=self.winner.blob,
            loser=self.loser.blob,
            prompt=self.winner.prompt,
            winner_score=self.winner.score,
            loser_score=self.loser.score,
        )


def find_pairs(
    *,
    simulated: bool,
    studies: Collection[Study] | None = None,
    as_of: datetime | None = None,
) -> list[FoundPair]:
    """Pairs of one reader and one case whose mean scores differ, from the last revisions.

    A case of four gives at most six; ties give none, and neither do cases of one image,
    skipped cases, or the second reading of a case that a study repeats, which would count
    one opinion twice. All studies are searched unless some are given. Retracted readings
    teach nothing. ``as_of`` takes the readings as they were then.
    """
    every = Reading.objects.all()
    current = every.as_of(as_of) if as_of else every.current()
    readings = current.standing().filter(
        is_simulated=simulated, skip_reason=SkipReason.NONE, slot__repetition=0
    )
    if studies is not None:
        readings = readings.filter(slot__study__in=studies)
    return [*_pairs_of(_scored(readings)), *_pairs_of(_chosen(readings))]


def _pairs_of(images: Iterator[ImageMean]) -> Iterator[FoundPair]:
    for _, of_reading in groupby(images, key=lambda image: image.reading_id):
        for one, other in combinations(of_reading, 2):
            if one.score != other.score:
                winner, loser = (one, other) if one.score > other.score else (other, one)
                yield FoundPair(winner, loser)


def _scored(readings: QuerySet[Reading]) -> Iterator[ImageMean]:
    """Means over the ordinal criteria; how sure somebody is of the source is no score."""
    rows = (
        Score.objects.filter(reading__in=readings, criterion__kind=CriterionKind.ORDINAL)
        .values_list("reading_id", "image_id", "image__blob_id", "reading__slot__case__prompt")
        .annotate(mean=Avg("value"))
        .order_by("reading_id", "image_id")
    )
    for reading_id, image_id, blob, prompt, mean in rows:
        yield ImageMean(
            reading_id=reading_id,
            image_id=image_id,
            blob=blob,
            prompt=prompt,
            score=round(float(mean), 6),
        )


def _chosen(readings: QuerySet[Reading]) -> Iterator[ImageMean]:
    """Both images of a comparison, as far apart as the choices say on the mean.

    A criterion on which the two are equally good, or both bad, counts as no distance;
    criteria that contradict each other cancel out. The two lie about the scale's middle.
    """
    choices = Choice.objects.filter(reading__in=readings).values_list(
        "reading_id", "image_id", "strength"
    )
    gaps: dict[UUID, list[tuple[UUID | None, float]]] = defaultdict(list)
    for reading_id, better, strength in choices:
        gap = STRENGTH_GAPS[Strength(strength)] if strength else 0.0
        gaps[reading_id].append((better, gap))
    shown = CaseImage.objects.filter(case__slots__readings__in=gaps).order_by(
        "case__slots__readings", "image_id"
    )
    for reading_id, image_id, blob, prompt in shown.values_list(
        "case__slots__readings", "image_id", "image__blob_id", "case__prompt"
    ):
        signed = [gap if better == image_id else -gap for better, gap in gaps[reading_id]]
        yield ImageMean(
            reading_id=reading_id,
            image_id=image_id,
            blob=blob,
            prompt=prompt,
            score=round(SCALE_MIDDLE + sum(signed) / len(signed) / 2, 6),
        )
