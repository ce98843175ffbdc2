"""What readings say of single images: mean scores, by axis and over all criteria."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from statistics import mean
from typing import cast
from uuid import UUID

from django.db.models import QuerySet

from feedback_app.finetuning.models import GateStudy
from feedback_app.readings.adjudication.finals import final_readings, with_finals
from feedback_app.readings.comment_models import CommentFlag
from feedback_app.readings.models import (
    Choice,
    Reading,
    ReadingQuerySet,
    Region,
    Score,
    Shape,
    SkipReason,
    Strength,
)
from feedback_app.studies.models import CaseImage, CriterionKind, Study
from generation.conditioning.masks import as_kind
from generation.specs import Axis, Mark, MarkGrade, MaskKind

SCALE_MIDDLE = 2.5
STRENGTH_GAPS = {Strength.SLIGHTLY: 0.5, Strength.CLEARLY: 1.5, Strength.MUCH: 3.0}
"""What a choice is worth in points of the 0-5 scale, so that both kinds of study can teach
together. One point is a step between two anchors: *slightly* is less than a step, *clearly*
more than one, *much* as far as from "synthetic at first glance" to "cannot be told from a
real one"."""


FRACTION_DECIMALS = 6
"""The same on every machine; no hand draws as fine."""
MASK_WORD = "mask"
"""A criterion with this word in its slug asks about the mask's axis, any other about the text's."""


@dataclass(frozen=True, kw_only=True)
class ImageMean:
    """An image's mean score over the criteria, in one reading, and over those of each axis.

    ``masks`` are the blobs, by kind, of those that it was conditioned on, where the case
    told the reader of them as of the prompt. ``propensity`` is that of its case where it was
    drawn by an active order, ``uniform_propensity`` what it would have been by lot. ``marks``
    are the regions that the reading's flags have on the image.
    """

    reading_id: UUID
    image_id: UUID
    blob: str
    prompt: str
    score: float
    axes: dict[Axis, float]
    masks: dict[MaskKind, str]
    propensity: float | None
    uniform_propensity: float | None
    marks: tuple[Mark, ...]


def axis_of(slug: str) -> Axis:
    return "mask" if MASK_WORD in slug.split("-") else "text"


def teaching_readings(
    *,
    simulated: bool,
    studies: Collection[Study] | None = None,
    as_of: datetime | None = None,
    prefers_final: bool = False,
    with_skipped: bool = False,
) -> QuerySet[Reading]:
    """Returns last revisions of first readings, now or then, without retracted ones.

    Skipped ones teach nothing, and are there only for whoever asks why. Of all studies unless
    given. With ``prefers_final``, of cases that were adjudicated the final readings alone.
    """
    every = Reading.objects.of_plans()
    current = every.as_of(as_of) if as_of else every.current()
    readings = current.standing().filter(is_simulated=simulated, slot__repetition=0)
    if not with_skipped:
        readings = readings.filter(skip_reason=SkipReason.NONE)
    # Not as "its gate is missing": PostgreSQL would take next to no study for one of these.
    readings = readings.exclude(slot__study__in=GateStudy.objects.values("study"))
    if studies is not None:
        readings = readings.filter(slot__study__in=studies)
    return with_finals(readings, _finals(simulated, studies, as_of)) if prefers_final else readings


def _finals(
    simulated: bool, studies: Collection[Study] | None, as_of: datetime | None
) -> ReadingQuerySet:
    """Returns the final readings of these studies' cases, but of no gate's."""
    finals = final_readings(as_of=as_of).filter(
        is_simulated=simulated, slot__study__adjudicates__study__gate=None
    )
    if studies is None:
        return finals
    return finals.filter(slot__study__adjudicates__study__in=studies)


def masks_shown(readings: QuerySet[Reading]) -> dict[tuple[UUID, UUID], dict[MaskKind, str]]:
    """Returns, by case and image, the masks of the image's recipe where the case shows any."""
    shown = CaseImage.objects.filter(
        case__slots__readings__in=readings, case__masks__isnull=False
    ).exclude(image__candidate__recipe__masks=None)
    mask = "image__candidate__recipe__masks"
    told: dict[tuple[UUID, UUID], dict[MaskKind, str]] = defaultdict(dict)
    for case_id, image_id, kind, blob in shown.distinct().values_list(
        "case_id", "image_id", f"{mask}__kind", f"{mask}__blob_id"
    ):
        told[case_id, image_id][as_kind(kind)] = blob
    return dict(told)


def marks_made(
    readings: QuerySet[Reading], *, as_of: datetime | None = None
) -> dict[tuple[UUID, UUID], tuple[Mark, ...]]:
    """Returns, by reading and image, the regions of the reading's flags and of its comment's,
    sorted.

    Flags that a person confirmed in a comment count where they marked them, now or then; they
    say that they are of a comment.
    """
    regions = Region.objects.filter(flag__reading__in=readings).values_list(
        "flag__reading_id",
        "flag__image_id",
        "flag__kind__slug",
        "flag__grade",
        "flag__image__width",
        "flag__image__height",
        "shape",
        "points",
    )
    made: dict[tuple[UUID, UUID], list[Mark]] = defaultdict(list)
    for reading_id, image_id, slug, grade, width, height, shape, points in regions:
        corners = tuple(
            (_fraction(x, of=width), _fraction(y, of=height))
            for x, y in Shape(shape).corners(points)
        )
        made[reading_id, image_id].append(
            Mark(flag=slug, grade=cast("MarkGrade", grade), corners=corners)
        )
    for named in (
        CommentFlag.objects.confirmed(as_of)
        .filter(reading__in=readings, box__isnull=False)
        .select_related("kind", "image")
    ):
        mark = Mark(
            flag=named.kind.slug,
            grade=cast("MarkGrade", named.grade),
            corners=tuple(
                (_fraction(x, of=named.image.width), _fraction(y, of=named.image.height))
                for x, y in named.corners
            ),
            source="comment",
        )
        made[named.reading_id, named.image_id].append(mark)
    return {place: tuple(sorted(marks)) for place, marks in made.items()}


def _fraction(value: float, *, of: int) -> float:
    """Says where along a side a point lies; one drawn on the edge may be a rounding outside."""
    return round(min(1.0, max(0.0, value / of)), FRACTION_DECIMALS)


def scored(readings: QuerySet[Reading], *, as_of: datetime | None = None) -> Iterator[ImageMean]:
    """Means over the ordinal criteria; how sure somebody is of the source is no score."""
    masks, marks = masks_shown(readings), marks_made(readings, as_of=as_of)
    rows = (
        Score.objects.filter(reading__in=readings, criterion__kind=CriterionKind.ORDINAL)
        .order_by("reading_id", "image_id", "criterion__position")
        .values_list(
            "reading_id",
            "image_id",
            "image__blob_id",
            "reading__slot__case__prompt",
            "reading__slot__case",
            "reading__slot__draw__propensity",
            "reading__slot__draw__uniform",
            "criterion__slug",
            "value",
        )
    )
    for (reading_id, image_id, blob, prompt, case_id, propensity, uniform), answers in groupby(
        rows.iterator(chunk_size=2_000), key=lambda row: row[:7]
    ):
        values = [(slug, float(value)) for *_, slug, value in answers]
        yield ImageMean(
            reading_id=reading_id,
            image_id=image_id,
            blob=blob,
            prompt=prompt,
            score=round(mean(value for _, value in values), 6),
            axes=_by_axis(values),
            masks=masks.get((case_id, image_id), {}),
            propensity=propensity,
            uniform_propensity=uniform,
            marks=marks.get((reading_id, image_id), ()),
        )


def chosen(readings: QuerySet[Reading], *, as_of: datetime | None = None) -> Iterator[ImageMean]:
    """Both images of a comparison, as far apart as the choices say on the mean.

    A criterion on which the two are equally good, or both bad, counts as no distance;
    criteria that contradict each other cancel out. The two lie about the scale's middle.
    """
    masks, marks = masks_shown(readings), marks_made(readings, as_of=as_of)
    choices = Choice.objects.filter(reading__in=readings).values_list(
        "reading_id", "criterion__slug", "image_id", "strength"
    )
    gaps: dict[UUID, list[tuple[str, UUID | None, float]]] = defaultdict(list)
    for reading_id, slug, better, strength in choices.order_by("criterion__position"):
        gap = STRENGTH_GAPS[Strength(strength)] if strength else 0.0
        gaps[reading_id].append((slug, better, gap))
    shown = CaseImage.objects.filter(case__slots__readings__in=gaps).order_by(
        "case__slots__readings", "image_id"
    )
    draws = drawn(gaps)
    for reading_id, image_id, blob, prompt, case_id in shown.values_list(
        "case__slots__readings", "image_id", "image__blob_id", "case__prompt", "case"
    ):
        propensity, uniform = draws.get(reading_id, (None, None))
        places = [
            (slug, SCALE_MIDDLE + (gap if better == image_id else -gap) / 2)
            for slug, better, gap in gaps[reading_id]
        ]
        yield ImageMean(
            reading_id=reading_id,
            image_id=image_id,
            blob=blob,
            prompt=prompt,
            score=round(mean(place for _, place in places), 6),
            axes=_by_axis(places),
            masks=masks.get((case_id, image_id), {}),
            propensity=propensity,
            uniform_propensity=uniform,
            marks=marks.get((reading_id, image_id), ()),
        )


def drawn(readings: Collection[UUID]) -> dict[UUID, tuple[float, float]]:
    """Says of readings whose cases were drawn how likely that was, and how likely by lot."""
    rows = Reading.objects.filter(pk__in=readings, slot__draw__isnull=False)
    return {
        pk: (propensity, uniform)
        for pk, propensity, uniform in rows.values_list(
            "pk", "slot__draw__propensity", "slot__draw__uniform"
        )
    }


def _by_axis(values: Sequence[tuple[str, float]]) -> dict[Axis, float]:
    grouped: dict[Axis, list[float]] = defaultdict(list)
    for slug, value in values:
        grouped[axis_of(slug)].append(value)
    return {axis: round(mean(found), 6) for axis, found in grouped.items()}
