"""What has to be done before readers meet the cases of a study.

The reading room, which stands above this app, registers what it needs; opening a study and
adding to it wait for that, so that nobody reads a case that is not prepared.
"""

from typing import Protocol

from feedback_app.studies.models import Study
from feedback_app.studies.services.writing import Report


class Preparation(Protocol):
    def takes_long(self, study: Study, *, further_images: int = 0) -> bool:
        """Says whether this would keep a request waiting, with so many images to come."""
        ...

    def prepare(self, study: Study, report: Report) -> None:
        """Prepares all cases of the study; twice is no harm."""
        ...


_preparations: list[Preparation] = []


def register(preparation: Preparation) -> None:
    _preparations.append(preparation)


def takes_long(study: Study, *, further_images: int = 0) -> bool:
    return any(one.takes_long(study, further_images=further_images) for one in _preparations)


def prepare(study: Study, report: Report) -> None:
    for one in _preparations:
        one.prepare(study, report)
