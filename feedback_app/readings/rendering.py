"""Pictures of a study rendered ahead, so that the time of a first fetch tells nothing.

A large radiograph takes several times as long to decode and to scale as a candidate does:
who measures how long a picture takes could tell real from synthetic ones, and so it is with
files of one size that somebody else has written. Where the images of a study differ in size,
format or origin, all of them, and all masks, are rendered to the form in which they are served
before anybody reads; then every fetch reads one file, and all files have the same length. What
is gone of them is rendered anew at its fetch, whose answer then takes a round time.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from feedback_app.images.models import Blob, Image
from feedback_app.readings.errors import DamagedPicture
from feedback_app.readings.framing import display_size_of
from feedback_app.readings.pictures import keep_rendered, keep_rendered_mask
from feedback_app.studies.models import (
    CaseMask,
    CaseReference,
    Study,
    TrainingImage,
    TrainingMask,
)
from feedback_app.studies.services.writing import Report

AT_ONCE = 40
"""Pictures that a request may render: about two seconds of large radiographs."""
REPORTED_EVERY = 20

Row = TypeVar("Row", bound=Model)


class RenderedAhead:
    """A preparation of studies, see ``studies.services.preparing``."""

    def takes_long(self, study: Study, *, further_images: int = 0) -> bool:
        if not differ(study):
            return False
        return images_of(study).count() + further_images > AT_ONCE

    def prepare(self, study: Study, report: Report) -> None:
        if not differ(study):
            return
        size = display_size_of(study)
        count = images_of(study).count()
        for number, image in enumerate(_each(images_of(study).select_related("blob")), start=1):
            with suppress(DamagedPicture):  # logged there; its reader is told, and may skip it
                keep_rendered(image, size)
            if number % REPORTED_EVERY == 0:
                report(0, f"Rendering picture {number} of {count}")
        for mask in _each(masks_of(study)):
            with suppress(DamagedPicture):
                keep_rendered_mask(mask, size)


def images_of(study: Study) -> QuerySet[Image]:
    """Returns those of its cases and training cases, and those that stand beside them."""
    beside = CaseReference.objects.filter(case__study=study).values("image")
    trained = TrainingImage.objects.filter(case__study=study).values("image")
    return Image.objects.filter(
        Q(case__study=study) | Q(pk__in=beside) | Q(pk__in=trained)
    ).distinct()


def masks_of(study: Study) -> QuerySet[Blob]:
    kinds: tuple[type[CaseMask | TrainingMask], ...] = (CaseMask, TrainingMask)
    shown = (kind.objects.filter(case__study=study).values("blob") for kind in kinds)
    return Blob.objects.filter(reduce(or_, (Q(pk__in=blobs) for blobs in shown)))


def differ(study: Study) -> bool:
    """Says whether the study's images are of several sizes, formats or origins.

    A model version is an origin; so is every cohort, whose files somebody else has written.
    """
    kinds = images_of(study).order_by().values_list(
        "width", "height", "blob__media_type",
        "candidate__recipe__model_version", "cohort_image__cohort",
    )  # fmt: skip
    return len(kinds.distinct()[:2]) > 1


def _each(rows: QuerySet[Row]) -> Iterator[Row]:
    return rows.order_by("pk").iterator(chunk_size=500)
