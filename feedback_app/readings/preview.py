"""The room as its readers will find it, before a study opens; nothing of it is stored.

Cases are planned as opening the study would plan them, in memory alone: there are no slots,
no claims, no readings. Case ids stand for slots, since coordinators may know them.
"""

from itertools import islice
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.models import Image
from feedback_app.readings.cases import Sheet, describe, describe_reference
from feedback_app.readings.framing import size_for
from feedback_app.readings.models import StudyDisplay
from feedback_app.readings.services.given import GivenReading
from feedback_app.readings.services.shown import Shown
from feedback_app.readings.services.validation import validate
from feedback_app.readings.worklist import Place
from feedback_app.studies.models import Case, CaseText, Criterion, Study, by_lot, questions_of
from feedback_app.studies.modes import mode_of
from feedback_app.studies.services import planned_slots
from generation.errors import RemediableError

CASES_MAX = 10


class PreviewedCase:
    """One of the first cases of a draft, as a first reader would meet it."""

    def __init__(self, study: Study, case_id: UUID | None, *, coordinator: User) -> None:
        self.study = study
        size = size_for(study)
        study.display = StudyDisplay(study=study, width=size.width, height=size.height)
        planned = list(islice(planned_slots(study, reader=coordinator), CASES_MAX))
        keys = [slot.case for slot in planned]
        if case_id is not None and case_id not in keys:
            raise Http404("The case is none of the first ones.")
        self.at = 0 if case_id is None else keys.index(case_id)
        self.keys = keys
        self.slot = planned[self.at]
        self.case = Case.objects.get(pk=self.slot.case)

    def images_in_order(self) -> list[Image]:
        places = self.case.case_images.select_related("image__blob")
        images = [place.image for place in places]
        return [images[position] for position in self.slot.image_order]

    def texts_in_order(self) -> list[CaseText]:
        return by_lot(
            list(self.case.texts.all()),
            seed=self.study.shuffle_seed,
            case=self.case.pk,
            reader=self.slot.reader,
            repetition=self.slot.repetition,
        )

    def criteria(self) -> list[Criterion]:
        kind = mode_of(self.study.mode).asked_in(self.slot.phase)
        asked = questions_of(self.study).criteria
        return [criterion for criterion in asked if kind in (None, criterion.kind)]

    def describe(self) -> dict[str, Any]:
        key, study = self.case.pk, self.study
        sheet = Sheet(
            key=key,
            study=study,
            phase=self.slot.phase,
            prompt=self.case.prompt,
            mask_kinds=list(self.case.masks.values_list("kind", flat=True)),
            criteria=self.criteria(),
            texts=self.texts_in_order(),
            picture_addresses=[
                reverse("readings:preview-picture", args=[study.pk, key, place])
                for place in range(len(self.slot.image_order))
            ],
            mask_address=lambda kind: reverse("readings:preview-mask", args=[study.pk, key, kind]),
            place=self._place(),
            reference=describe_reference(
                study,
                key,
                size_for(study),
                address=reverse("readings:preview-reference", args=[study.pk, key]),
            ),
        )
        return describe(sheet, size=size_for(study)) | {"gives_feedback": False}

    def check(self, given: GivenReading) -> None:
        """Refuses what would be refused of a reader; nothing is stored."""
        validate(given, Shown.of(self))

    def _place(self) -> Place:
        following = self.keys[self.at + 1 :]
        return Place(
            position=self.at + 1,
            total=len(self.keys),
            read=self.at,
            next=following[0] if following else None,
            previous=self.keys[self.at - 1] if self.at else None,
        )


def preview_of(study: Study, case_id: UUID | None, *, coordinator: User) -> PreviewedCase:
    """Returns the first case, or the one asked for, of a draft with cases."""
    if not study.is_draft:
        raise RemediableError(
            f"The study “{study.name}” is {study.state}.", remedy="Its readers see it themselves."
        )
    if not study.cases.exists():
        raise RemediableError(
            "The study has no cases.", remedy=mode_of(study.mode).remedy_without_cases
        )
    return PreviewedCase(study, case_id, coordinator=coordinator)
