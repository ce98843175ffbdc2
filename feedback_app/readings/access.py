"""The only way from a reader to anything she may read."""

from typing import cast
from uuid import UUID

from django.http import Http404, HttpRequest
from rest_framework.request import Request

from feedback_app.accounts.models import User
from feedback_app.studies.models import Slot


def reader_of(request: HttpRequest | Request) -> User:
    """Whoever is logged in; nobody else gets as far as a view."""
    return cast("User", request.user)


def slot_for(reader: User, slot_id: UUID) -> Slot:
    """The reader's own slot; any other is not there."""
    slot = Slot.objects.of_reader(reader).select_related("study", "case").filter(pk=slot_id).first()
    if slot is None:
        raise Http404("There is no such case on your work list.")
    return slot
