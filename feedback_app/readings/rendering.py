"""Pictures of a study rendered ahead, so that the time of a first fetch tells nothing.

A large radiograph takes several times as long to decode and to scale as a candidate does:
who measures how long a picture takes could tell real from synthetic ones. Where the images of
a study differ in size or format, all of them are rendered to the form in which they are served
before anybody reads; then every fetch reads one file, and all files have the same length.
"""

from collections.abc import Iterator

from django.db.models import Q, QuerySet

from feedback_app.images.models import Image
from feedback_app.readings.errors import DamagedPicture
from feedback_app.readings.framing import display_size_of
from feedback_app.readings.pictures import keep_rendered
from feedback_app.studies.models import CaseReference, Study
from feedback_app.studies.services.writing import Report

AT_ONCE = 40
"""Pictures that a request may render: about two seconds of large radiographs."""
REPORTED_EVERY = 20


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
        for number, image in enumerate(_each(study), start=1):
            try:
                keep_rendered(image, size)
            except DamagedPicture:
                continue  # logged there; its reader is told, and may skip the case
            if number % REPORTED_EVERY == 0:
                report(0, f"Rendering picture {number} of {count}")


def images_of(study: Study) -> QuerySet[Image]:
    """Those of its cases, and those that stand beside them."""
    beside = CaseReference.objects.filter(case__study=study).values("image")
    return Image.objects.filter(Q(case__study=study) | Q(pk__in=beside)).distinct()


def differ(study: Study) -> bool:
    """Says whether the study's images are of several sizes or formats."""
    kinds = images_of(study).order_by().values_list("width", "height", "blob__media_type")
    return len(kinds.distinct()[:2]) > 1


def _each(study: Study) -> Iterator[Image]:
    return images_of(study).select_related("blob").order_by("pk").iterator(chunk_size=500)
