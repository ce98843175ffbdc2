"""The only way from a reader to anything they may read."""

from typing import cast
from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from feedback_app.accounts.models import User
from feedback_app.readings.training_models import TrainingSlot
from feedback_app.studies.models import Phase, Slot, Study, StudyState, turns


def reader_of(request: HttpRequest | Request) -> User:
    """Whoever is logged in; nobody else gets as far as a view."""
    return cast("User", request.user)


def require_same_reader(request: Request) -> None:
    """Refuse a page that somebody opened who has logged out since, and somebody else in.

    The reading page names its reader in the header ``X-Reader``; other clients need not.
    """
    reader = str(reader_of(request).pk)
    if request.headers.get("X-Reader", reader) != reader:
        raise NotAuthenticated("Somebody else is logged in in this browser.")


def slot_for(reader: User, slot_id: UUID) -> Slot:
    """Returns the reader's own slot with its study; any other is not there."""
    return _own(reader, slot_id, turns.GIVEN)


def slot_to_read(reader: User, slot_id: UUID) -> Slot:
    """Returns the slot with all that its page shows (``with_page``)."""
    return _own(reader, slot_id, turns.GIVEN_WITH_PAGE)


def locked_slot_for(reader: User, slot_id: UUID) -> Slot:
    """Returns the reader's own slot with its study, locked until the transaction ends."""
    return _own(reader, slot_id, turns.GIVEN_LOCKED)


def shown_to(reader: User, slot_id: UUID) -> Slot | TrainingSlot:
    """Returns the reader's own slot, or their own training case; any other is not there."""
    try:
        return slot_for(reader, slot_id)
    except Http404:
        return training_slot_for(reader, slot_id)


def training_slot_for(reader: User, slot_id: UUID) -> TrainingSlot:
    """Returns the reader's own training case with its study; any other is not there."""
    slots = TrainingSlot.objects.filter(pk=slot_id, reader=reader)
    own = slots.select_related("study__display", "case").first()
    if own is None:
        raise Http404("There is no such case on your work list.")
    return own


def guideline_for(user: User, study_id: UUID) -> Study:
    """Returns a study whose guideline they may read: readers of it, and coordinators."""
    if user.is_coordinator:
        return get_object_or_404(Study, pk=study_id)
    return study_for(user, study_id)


def _own(reader: User, slot_id: UUID, asked: str) -> Slot:
    """As ``SlotQuerySet.of_reader`` has it; whether others are waited for, final readings alone
    are asked.
    """
    given = Slot.objects.raw(asked, {"slot": slot_id, "reader": reader.pk})
    found = next(iter(given), None)
    if found is None or (found.phase == Phase.FINAL and not _is_ready(found)):
        raise Http404("There is no such case on your work list.")
    found.study = Study.objects.raw(turns.STUDY, {"study": found.study_id})[0]
    return found


def _is_ready(slot: Slot) -> bool:
    return Slot.objects.filter(pk=slot.pk).ready().exists()


def study_for(reader: User, study_id: UUID) -> Study:
    """Returns a study that the reader has a part in; any other is not there."""
    study = Study.objects.exclude(state=StudyState.DRAFT).filter(pk=study_id, readers=reader)
    found = study.first()
    if found is None:
        raise Http404("There is no such study on your work list.")
    return found
