"""What simulated readers mark: on images that they do not like, where their taste is hurt."""

import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import mean
from uuid import UUID

import PIL.Image

from feedback_app.images.models import Image
from feedback_app.readings.framing import Size, display_size_of, framing_of
from feedback_app.readings.models import Grade, Shape
from feedback_app.readings.services import GivenChoice, GivenScore
from feedback_app.readings.services.given import GivenFlag, GivenRegion
from feedback_app.studies.models import Slot, Study
from generation.grey import to_grey as as_shown
from generation.measures.appearance import Grey, small_grey
from generation.rewards.tastes import Box, where_it_hurts

DISLIKED_BELOW = 2.5
MAJOR_BELOW = 1.5
"""Both in points of the mean score; the worse image of a comparison is disliked at 2."""
WORSE_IMAGE = 2.0
HAND_SPREAD = 0.02
"""How far a hand misses the place: a standard deviation, as a part of the side."""


def seen(image: Image) -> Grey:
    with PIL.Image.open(io.BytesIO(image.blob.read())) as picture:
        return small_grey(as_shown(picture))


def disliked(scores: Sequence[GivenScore], choices: Sequence[GivenChoice]) -> dict[int, float]:
    """Says which places hold images that were scored low, or lost a comparison, and how low."""
    found: dict[int, list[float]] = defaultdict(list)
    for score in scores:
        found[score.place].append(score.value)
    low = {place: mean(values) for place, values in found.items()}
    for choice in choices:
        if choice.place is not None:
            low[1 - choice.place] = WORSE_IMAGE
    return {place: value for place, value in low.items() if value < DISLIKED_BELOW}


@dataclass(frozen=True)
class Hand:
    """A hand flags with the study's first flag; each reader's misses a little."""

    flag: str
    size: Size
    seed: int
    hurts: dict[UUID, list[Box]] = field(default_factory=dict)
    """What was looked for already, by image."""

    @classmethod
    def for_study(cls, study: Study, *, seed: int) -> "Hand | None":
        """Returns None where the study has no flag to put."""
        kind = study.flag_kinds.order_by("position").first()
        return cls(flag=kind.slug, size=display_size_of(study), seed=seed) if kind else None

    def flags(self, slot: Slot, low: dict[int, float]) -> list[GivenFlag]:
        images = slot.images_in_order()
        assert slot.reader is not None
        rng = Random(f"{self.seed}:{slot.reader.username}:{slot.case.position}:marks")
        return [
            GivenFlag(
                place,
                self.flag,
                Grade.MAJOR if value < MAJOR_BELOW else Grade.MINOR,
                [self._drawn(box, images[place], rng) for box in self._hurts(images[place])],
            )
            for place, value in sorted(low.items())
        ]

    def _hurts(self, image: Image) -> list[Box]:
        if image.pk not in self.hurts:
            self.hurts[image.pk] = where_it_hurts(seen(image))
        return self.hurts[image.pk]

    def _drawn(self, box: Box, image: Image, rng: Random) -> GivenRegion:
        """Draws a box on the picture as it is served, and not beyond it."""
        shift = rng.gauss(0, HAND_SPREAD), rng.gauss(0, HAND_SPREAD)
        left, top, right, bottom = box
        stored = [
            ((x + shift[0]) * image.width, (y + shift[1]) * image.height)
            for x, y in ((left, top), (right, bottom))
        ]
        points = [
            (min(max(x, 0.0), float(self.size.width)), min(max(y, 0.0), float(self.size.height)))
            for x, y in framing_of(image, self.size).to_served(stored)
        ]
        return GivenRegion(Shape.BOX, points)
