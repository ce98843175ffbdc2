"""Studies for coordinators' programs: what the pages do, as JSON."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework import serializers, status
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback_app.accounts.models import User
from feedback_app.accounts.permissions import IsCoordinator
from feedback_app.incoming import PAGES, KnownFieldsSerializer
from feedback_app.requests import read
from feedback_app.runs.models import Run
from feedback_app.studies import services
from feedback_app.studies.access import study_of, study_with_progress_of
from feedback_app.studies.describing import describe_preview, describe_study, summarise_study
from feedback_app.studies.models import Study
from feedback_app.studies.requests import (
    FewerReadersRequest,
    MoreBatchesRequest,
    MoreReadersRequest,
    StudyRequest,
)


class StudyPagination(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class CoordinatorView(APIView):
    permission_classes = [IsCoordinator]

    @property
    def actor(self) -> User:
        return self.request.user  # type: ignore[return-value]


class StudiesView(CoordinatorView):
    """The list, and making a draft; 202 where a worker writes its cases."""

    query_parameters = PAGES

    def get(self, request: Request) -> Response:
        pages = StudyPagination()
        page = pages.paginate_queryset(Study.objects.with_progress(), request, view=self)
        return pages.get_paginated_response([summarise_study(study) for study in page or []])

    def post(self, request: Request) -> Response:
        return _save(request.data, actor=self.actor, code=status.HTTP_201_CREATED)


class StudyView(CoordinatorView):
    """One study; a draft can be rewritten as a whole, as when it was made, or deleted."""

    def get(self, request: Request, study_id: UUID) -> Response:
        return Response(describe_study(study_with_progress_of(study_id)))

    def put(self, request: Request, study_id: UUID) -> Response:
        draft = study_of(study_id)
        return _save(request.data, actor=self.actor, draft=draft, code=status.HTTP_200_OK)

    def delete(self, request: Request, study_id: UUID) -> Response:
        services.delete_draft(study_of(study_id), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PreviewView(CoordinatorView):
    """What a design would give; nothing is saved."""

    def post(self, request: Request) -> Response:
        seen = services.preview_request(read(StudyRequest, request.data))
        return Response(describe_preview(seen))


class StudyPreviewView(CoordinatorView):
    """What opening a saved draft would give."""

    def get(self, request: Request, study_id: UUID) -> Response:
        return Response(describe_preview(services.preview_study(study_of(study_id))))


class StateView(CoordinatorView):
    """POST moves the study on; ``change`` is the service that does it."""

    change: Callable[..., Any]

    def post(self, request: Request, study_id: UUID) -> Response:
        type(self).change(study_of(study_id), actor=self.actor)
        return Response(summarise_study(study_with_progress_of(study_id)))


class OpenView(CoordinatorView):
    """Answers 202 where a worker writes the slots; the study says when it is done."""

    def post(self, request: Request, study_id: UUID) -> Response:
        study = services.begin_opening(study_of(study_id), actor=self.actor)
        answer = summarise_study(study_with_progress_of(study_id))
        code = status.HTTP_202_ACCEPTED if study.is_being_written else status.HTTP_200_OK
        return Response(answer, status=code)


class PauseView(StateView):
    change = services.pause_study


class ResumeView(StateView):
    change = services.resume_study


class CloseView(StateView):
    change = services.close_study


class ReopenView(StateView):
    change = services.reopen_study


class UnblindSerializer(KnownFieldsSerializer):
    is_confirmed = serializers.BooleanField(default=False)


class UnblindView(CoordinatorView):
    def post(self, request: Request, study_id: UUID) -> Response:
        serializer = UnblindSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.unblind_study(study_of(study_id), actor=self.actor, **serializer.validated_data)
        return Response(summarise_study(study_with_progress_of(study_id)))


class AddReadersView(CoordinatorView):
    def post(self, request: Request, study_id: UUID) -> Response:
        study = study_of(study_id)
        readers = services.find_readers(read(MoreReadersRequest, request.data).readers)
        joined = services.add_readers(study, readers, actor=self.actor)
        return Response({"added": [reader.username for reader in joined]})


class RemoveReaderView(CoordinatorView):
    """Takes a reader out: others read their open cases, and what they read stays."""

    def post(self, request: Request, study_id: UUID) -> Response:
        study = study_of(study_id)
        asked = read(FewerReadersRequest, request.data)
        reader = get_object_or_404(study.readers, username=asked.reader)
        left = services.remove_reader(study, reader, actor=self.actor)
        return Response({"handed_on": left.handed_on, "dropped": left.dropped})


class AddBatchesView(CoordinatorView):
    def post(self, request: Request, study_id: UUID) -> Response:
        study = study_of(study_id)
        more = services.find_more_batches(read(MoreBatchesRequest, request.data), study)
        added = services.begin_adding(study, **more, actor=self.actor)
        if isinstance(added, Run):
            return Response({"run": str(added.pk)}, status=status.HTTP_202_ACCEPTED)
        return Response({"cases": added.cases, "images": added.images, "warnings": added.warnings})


def _save(data: Any, *, actor: User, code: int, draft: Study | None = None) -> Response:
    study, added = services.ask_for_study(
        read(StudyRequest, data),
        fill=partial(services.begin_filling, actor=actor),
        actor=actor,
        draft=draft,
    )
    body = describe_study(study_with_progress_of(study.pk))
    if isinstance(added, Run):
        return Response(body, status=status.HTTP_202_ACCEPTED)
    return Response(body | {"warnings": added.warnings}, status=code)
