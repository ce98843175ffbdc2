"""One size for all pictures of a study, and the way back to the pixels that are stored.

Width, height and number of bytes would tell a cohort image from a candidate, or one model
version's candidates from another's. So every image of a study, whatever it is, is framed
alike: its largest central part of the study's proportions, resampled (Lanczos) to the
smallest width and the smallest height among the study's images; nothing is ever scaled up.
Base models learn from images framed the same way. Where all images of a study have one size
that is their own size, and the pixels are served as they are stored.

The size is settled when the first case is shown and stays, since readers' regions depend on
it; images that are added to the study later are framed to it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import PIL.Image
from django.db.models import Min

from feedback_app.images.models import Image
from feedback_app.readings.models import StudyDisplay
from feedback_app.studies.models import Study, TrainingImage

Point = tuple[float, float]
STUDIES_KEPT = 64
DECIMALS = 6
"""Converted coordinates have as many; a hand can draw nothing as fine."""


@dataclass(frozen=True)
class Size:
    width: int
    height: int


@dataclass(frozen=True)
class Framing:
    """The part of a stored picture that is served: ``left``, ``top``, ``width``, ``height``."""

    left: float
    top: float
    width: float
    height: float
    served: Size

    @classmethod
    def of(cls, stored: Size, served: Size) -> "Framing":
        """Returns the largest central part of ``stored`` with the proportions of ``served``."""
        width, height = float(stored.width), float(stored.height)
        if stored.width * served.height > stored.height * served.width:
            width = stored.height * served.width / served.height
        else:
            height = stored.width * served.height / served.width
        return cls(
            left=(stored.width - width) / 2,
            top=(stored.height - height) / 2,
            width=width,
            height=height,
            served=served,
        )

    @property
    def is_whole(self) -> bool:
        """Whether the picture is served pixel by pixel as it is stored."""
        return (self.left, self.top, self.width, self.height) == (
            0,
            0,
            self.served.width,
            self.served.height,
        )

    def to_stored(self, points: Sequence[Point]) -> list[Point]:
        """Returns coordinates of the stored image for coordinates of the served picture."""
        return [
            (
                self.left + x * (self.width / self.served.width),
                self.top + y * (self.height / self.served.height),
            )
            for x, y in points
        ]

    def to_served(self, points: Sequence[Point]) -> list[Point]:
        """Returns the way back, to ``DECIMALS`` where the two differ."""
        if self.is_whole:
            return [(x, y) for x, y in points]
        return [
            (
                round((x - self.left) * (self.served.width / self.width), DECIMALS),
                round((y - self.top) * (self.served.height / self.height), DECIMALS),
            )
            for x, y in points
        ]

    def spacing(self, stored_mm: Sequence[float]) -> tuple[float, float]:
        """Returns millimetres across and down a served pixel, for those down and across a stored
        one.
        """
        down, across = stored_mm
        return across * self.width / self.served.width, down * self.height / self.served.height

    def apply(self, picture: PIL.Image.Image, resample: PIL.Image.Resampling) -> PIL.Image.Image:
        return picture.resize(
            (self.served.width, self.served.height),
            resample,
            box=(self.left, self.top, self.left + self.width, self.top + self.height),
        )


def display_size_of(study: Study) -> Size:
    """Returns the size at which every picture of the study is served."""
    if not study.is_draft:
        return _settled_size(study.pk)
    display = getattr(study, "display", None) or _settle(study.pk)  # a preview brings its own
    return Size(width=display.width, height=display.height)


def framing_of(image: Image, size: Size) -> Framing:
    return Framing.of(Size(width=image.width, height=image.height), size)


@lru_cache(maxsize=STUDIES_KEPT)
def _settled_size(study_id: UUID) -> Size:
    """Asks the database once a process: a size stays as it is once it is settled."""
    display = StudyDisplay.objects.filter(study=study_id).first() or _settle(study_id)
    return Size(width=display.width, height=display.height)


def _settle(study_id: UUID) -> StudyDisplay:
    smallest = size_for(Study.objects.get(pk=study_id))
    display, _ = StudyDisplay.objects.get_or_create(
        study_id=study_id, defaults={"width": smallest.width, "height": smallest.height}
    )
    return display


def size_for(study: Study) -> Size:
    """Returns the size that fits all images of the study as it is now."""
    least = {"width": Min("width"), "height": Min("height")}
    found = [Image.objects.filter(case__study=study).aggregate(**least)]
    if study.training_count:
        trained = TrainingImage.objects.filter(case__study=study).values("image")
        found.append(Image.objects.filter(pk__in=trained).aggregate(**least))
    sizes = [one for one in found if one["width"]]
    return Size(
        width=min(one["width"] for one in sizes), height=min(one["height"] for one in sizes)
    )
