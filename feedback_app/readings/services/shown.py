"""What a slot shows and asks, by the names that answers use; and answers as they are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from feedback_app.images.models import Image
from feedback_app.readings.framing import Framing, Point, display_size_of, framing_of
from feedback_app.readings.models import Reading
from feedback_app.readings.services.given import GivenReading
from feedback_app.studies.models import (
    CaseText,
    Criterion,
    FlagKind,
    Study,
    TrainingText,
    questions_of,
)
from feedback_app.text import as_kept

Content = tuple[object, ...]


ShownText = CaseText | TrainingText


class Asked(Protocol):
    """A slot, or what is shown like one."""

    @property
    def study(self) -> Study: ...
    def images_in_order(self) -> list[Image]: ...
    def texts_in_order(self) -> Sequence[ShownText]: ...
    def criteria(self) -> list[Criterion]: ...


@dataclass(frozen=True)
class Shown:
    """``images[place]`` with its ``framings[place]``; criteria and flags by slug.

    ``texts`` are a draft, or the left and the right report, where reports are asked about.
    """

    study: Study
    images: list[Image]
    framings: list[Framing]
    criteria: dict[str, Criterion]
    texts: Sequence[ShownText]

    @classmethod
    def of(cls, slot: Asked) -> "Shown":
        images = slot.images_in_order()
        criteria = slot.criteria()
        asks_reports = any(criterion.is_of_reports for criterion in criteria)
        size = display_size_of(slot.study)
        return cls(
            study=slot.study,
            images=images,
            framings=[framing_of(image, size) for image in images],
            criteria={criterion.slug: criterion for criterion in criteria},
            texts=slot.texts_in_order() if asks_reports else [],
        )

    @cached_property
    def kinds(self) -> dict[str, FlagKind]:
        """Not asked for where nothing is flagged, which is most of the time."""
        return {kind.slug: kind for kind in questions_of(self.study).flag_kinds}

    def stored_points(self, place: int, points: Sequence[Point]) -> list[Point]:
        return self.framings[place].to_stored(points)


def content_given(given: GivenReading, shown: Shown) -> Content:
    """Returns what would be stored, to be compared; what is impossible is equal to nothing."""
    places = range(len(shown.images))

    def image_at(place: int | None) -> object:
        return shown.images[place].pk if place in places else place  # type: ignore[index]

    report = given.report
    return (
        report and (as_kept(report.text), sorted(report.reasons), report.is_accepted),
        sorted((one.criterion, one.points) for one in given.preferences),
        given.comment,
        given.skip_reason,
        given.none_acceptable,
        sorted((str(image_at(s.place)), s.criterion, s.value) for s in given.scores),
        sorted(
            (c.criterion, c.verdict, str(image_at(c.place)), c.strength or 0) for c in given.choices
        ),
        sorted(
            (
                str(image_at(flag.place)),
                flag.flag,
                flag.grade,
                sorted(
                    (region.shape, shown.stored_points(flag.place, region.points))
                    for region in flag.regions
                    if flag.place in places
                ),
            )
            for flag in given.flags
        ),
    )


def content_stored(reading: Reading) -> Content:
    """Returns the same of a stored reading, without the time it took and its display."""
    flags = reading.flags.select_related("kind").prefetch_related("regions")
    report = getattr(reading, "report", None)
    return (
        report and (report.text, sorted(report.reasons), report.is_accepted),
        sorted(reading.preferences.values_list("criterion__slug", "points")),
        reading.comment,
        reading.skip_reason,
        reading.none_acceptable,
        sorted(
            (str(image), slug, value)
            for image, slug, value in reading.scores.values_list(
                "image", "criterion__slug", "value"
            )
        ),
        sorted(
            (slug, verdict, str(image), strength or 0)
            for slug, verdict, image, strength in reading.choices.values_list(
                "criterion__slug", "verdict", "image", "strength"
            )
        ),
        sorted(
            (
                str(flag.image_id),
                flag.kind.slug,
                flag.grade,
                sorted(
                    (region.shape, [(x, y) for x, y in region.points])
                    for region in flag.regions.all()
                ),
            )
            for flag in flags
        ),
    )
