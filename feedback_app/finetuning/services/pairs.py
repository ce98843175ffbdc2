"""Pairs of images of which a reader liked one better, from scores and from choices."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, groupby

from django.db.models import QuerySet

from feedback_app.finetuning.services.image_means import (
    ImageMean,
    chosen,
    scored,
    teaching_readings,
)
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Study
from generation.specs import AXES, Preference


@dataclass(frozen=True)
class FoundPair:
    winner: ImageMean
    loser: ImageMean

    @property
    def preference(self) -> Preference:
        """Without any trace of this database: images go by the SHA-256 of their file.

        Scores by axis are there where there is more than one axis.
        """
        shared = [axis for axis in AXES if axis in self.winner.axes and axis in self.loser.axes]
        axes = {axis: (self.winner.axes[axis], self.loser.axes[axis]) for axis in shared}
        return Preference(
            winner=self.winner.blob,
            loser=self.loser.blob,
            prompt=self.winner.prompt,
            winner_score=self.winner.score,
            loser_score=self.loser.score,
            axes=axes if len(axes) > 1 else {},
            masks=self.winner.masks,
            propensity=self.winner.propensity,
            uniform_propensity=self.winner.uniform_propensity,
            winner_marks=self.winner.marks,
            loser_marks=self.loser.marks,
        )


def find_pairs(
    *,
    simulated: bool,
    studies: Collection[Study] | None = None,
    as_of: datetime | None = None,
    prefers_final: bool = False,
) -> list[FoundPair]:
    """Pairs of one reader and one case whose mean scores differ, from the last revisions.

    A case of four gives at most six; ties give none, and neither do cases of one image,
    skipped cases, images that follow different masks, or the second reading of a case that a
    study repeats, which would count one opinion twice. All studies are searched unless some
    are given. Retracted readings teach nothing. ``as_of`` takes the readings as they
    were then.
    """
    return pairs_among(
        teaching_readings(
            simulated=simulated, studies=studies, as_of=as_of, prefers_final=prefers_final
        ),
        as_of=as_of,
    )


def pairs_among(readings: QuerySet[Reading], *, as_of: datetime | None = None) -> list[FoundPair]:
    """Returns the pairs of these readings, each of which could teach."""
    return [*_pairs_of(scored(readings, as_of=as_of)), *_pairs_of(chosen(readings, as_of=as_of))]


def _pairs_of(images: Iterator[ImageMean]) -> Iterator[FoundPair]:
    for _, of_reading in groupby(images, key=lambda image: image.reading_id):
        for one, other in combinations(of_reading, 2):
            if one.score != other.score and one.masks == other.masks:
                winner, loser = (one, other) if one.score > other.score else (other, one)
                yield FoundPair(winner, loser)
