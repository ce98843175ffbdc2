"""The files of a study's readings for coordinators' programs."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from feedback_app.accounts.permissions import IsCoordinator
from feedback_app.studies.access import study_of


class ReadingsFileView(APIView):
    """A table as CSV, the regions as COCO, or iMRMC's layout, as it streams.

    ``?names=yes`` names readers, which is noted in the audit log; else they have pseudonyms.
    """

    permission_classes = [IsCoordinator]
    query_parameters = frozenset({"names"})

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Whatever a program says it accepts, the address says what it gets."""
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request, study_id: UUID, name: str, form: str) -> StreamingHttpResponse:
        from feedback_app.results.files import readings_file

        return readings_file(
            study_of(study_id),
            name,
            form,
            names=request.GET.get("names") == "yes",
            actor=request.user,  # type: ignore[arg-type]
        )
