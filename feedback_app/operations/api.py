"""Erasing a person or a cohort, for admins' programs."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.api import AuditEventSerializer
from feedback_app.accounts.models import AuditEvent
from feedback_app.operations.erasure import asking, cohorts, people
from feedback_app.operations.requests import ErasureRequest
from feedback_app.rest.permissions import IsAdmin
from feedback_app.rest.views import Read


class ErasuresView(Read):
    """Who and what was erased; a POST erases a person or a cohort, for good."""

    queryset = AuditEvent.objects.filter(action__in=(people.ERASED, cohorts.ERASED)).select_related(
        "actor"
    )
    permission_classes = [IsAdmin]
    lookup_url_kwarg, lookup_value_converter = "event_id", "int"
    serializer_class = AuditEventSerializer
    asks = {"create": ErasureRequest}
    ordering_fields = ("at",)

    def create(self, request: Request) -> Response:
        event = asking.erase(
            self.asked(ErasureRequest), by=self.actor, address=client_address(request)
        )
        return self.told(event, status=status.HTTP_201_CREATED)
