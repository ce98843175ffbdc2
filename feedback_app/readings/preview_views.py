"""A draft's room for its coordinators: the pages and the JSON of a reader, without rows."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback_app.accounts.access import coordinators_only
from feedback_app.readings.access import reader_of
from feedback_app.readings.api import CASE, ReadingSerializer, StoredSerializer, given_of
from feedback_app.readings.cases import reference_of
from feedback_app.readings.framing import size_for
from feedback_app.readings.pictures import render_image, render_mask
from feedback_app.readings.preview import PreviewedCase, preview_of
from feedback_app.readings.views import answer_picture, show_room
from feedback_app.remedies import tell
from feedback_app.rest.permissions import IsCoordinator
from feedback_app.studies.access import study_of
from feedback_app.studies.modes import mode_of
from generation.errors import RemediableError


@require_GET
@coordinators_only
def room(request: HttpRequest, study_id: UUID, case_id: UUID | None = None) -> HttpResponse:
    coordinator = reader_of(request)
    study = study_of(study_id)
    try:
        case = preview_of(study, case_id, coordinator=coordinator).describe()
    except RemediableError as error:
        tell(request, error)
        return redirect("studies:detail", study_id)
    return show_room(
        request,
        case,
        pages=reverse("readings:preview", args=[study_id]),
        slots=f"/api/previews/{study_id}/",
        reader=coordinator,
        is_preview=True,
    )


@require_GET
@coordinators_only
def picture(request: HttpRequest, study_id: UUID, case_id: UUID, place: int) -> HttpResponse:
    case = _case(request, study_id, case_id)
    images = case.images_in_order()
    if place >= len(images):
        raise Http404("There is no such image in this case.")
    size = size_for(case.study)
    return answer_picture(lambda: render_image(images[place], size))


@require_GET
@coordinators_only
def reference(request: HttpRequest, study_id: UUID, case_id: UUID) -> HttpResponse:
    case = _case(request, study_id, case_id)
    found = reference_of(case.case.pk)
    if found is None:
        raise Http404("No image stands beside this case.")
    size = size_for(case.study)
    return answer_picture(lambda: render_image(found.image, size))


@require_GET
@coordinators_only
def mask(request: HttpRequest, study_id: UUID, case_id: UUID, kind: str) -> HttpResponse:
    case = _case(request, study_id, case_id)
    found = case.case.masks.filter(kind=kind).select_related("blob").first()
    if found is None or not mode_of(case.study.mode).shows_condition:
        raise Http404("There is no such mask in this case.")
    size = size_for(case.study)
    return answer_picture(lambda: render_mask(found.blob, size))


class PreviewView(APIView):
    """A previewed case, as a reader's page asks for it."""

    permission_classes = [IsCoordinator]

    @extend_schema(responses=CASE)
    def get(self, request: Request, study_id: UUID, case_id: UUID) -> Response:
        return Response(_case(request, study_id, case_id).describe())


class PreviewReadingsView(APIView):
    """An answer is checked as a reader's is, and forgotten."""

    permission_classes = [IsCoordinator]

    @extend_schema(request=ReadingSerializer, responses={status.HTTP_201_CREATED: StoredSerializer})
    def post(self, request: Request, study_id: UUID, case_id: UUID) -> Response:
        serializer = ReadingSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        values.pop("idempotency_key")
        _case(request, study_id, case_id).check(given_of(values))
        return Response({"slot": str(case_id), "revision": 1}, status=status.HTTP_201_CREATED)


def _case(request: HttpRequest | Request, study_id: UUID, case_id: UUID) -> PreviewedCase:
    study = study_of(study_id)
    if not study.is_draft:
        raise Http404("Only a draft is previewed.")
    return preview_of(study, case_id, coordinator=reader_of(request))
