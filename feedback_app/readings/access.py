"""The only way from a reader to anything she may read."""

from typing import cast
from uuid import UUID

from django.http import Http404, HttpRequest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from feedback_app.accounts.models import User
from feedback_app.studies.models import Slot, Study, StudyState

NOT_THERE = "There is no such case on your work list."


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
    """The reader's own slot with its study, its case and mask; any other is not there."""
    slots = Slot.objects.of_reader(reader).select_related("study__display", "case__mask")
    slot = slots.filter(pk=slot_id).first()
    if slot is None:
        raise Http404(NOT_THERE)
    return slot


def require_own(slot: Slot, reader: User) -> None:
    """Refuse a slot, read with its study, that is not the reader's own."""
    if slot.reader_id != reader.pk or slot.study.is_draft:
        raise Http404(NOT_THERE)


def study_for(reader: User, study_id: UUID) -> Study:
    """A study that the reader has a part in; any other is not there."""
    study = Study.objects.exclude(state=StudyState.DRAFT).filter(pk=study_id, readers=reader)
    found = study.first()
    if found is None:
        raise Http404("There is no such study on your work list.")
    return found
