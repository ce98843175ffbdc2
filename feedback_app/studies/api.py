"""Studies for coordinators' programs: what the pages do, as JSON."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.shortcuts import get_object_or_404
from django_filters.rest_framework import BooleanFilter, CharFilter, FilterSet, UUIDFilter
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.rest.views import Listed, Read
from feedback_app.runs.models import Run
from feedback_app.studies import services
from feedback_app.studies.describing import (
    AddedSerializer,
    CaseSerializer,
    JoinedSerializer,
    LeftSerializer,
    NewStudySerializer,
    PreviewSerializer,
    SlotSerializer,
    StudySerializer,
    WholeStudySerializer,
)
from feedback_app.studies.models import Case, Slot, Study
from feedback_app.studies.requests import (
    DueDateRequest,
    FewerReadersRequest,
    MoreBatchesRequest,
    MoreReadersRequest,
    StudyRequest,
    UnblindRequest,
)

MADE, GOOD, QUEUED = status.HTTP_201_CREATED, status.HTTP_200_OK, status.HTTP_202_ACCEPTED


class StudyFilter(FilterSet):
    class Meta:
        model = Study
        fields: ClassVar = {
            "name": ["exact"],
            "mode": ["exact"],
            "state": ["exact"],
            "created_at": ["gte", "lte"],
        }


class StudiesView(Read):
    """Reader studies, the newest first; answers 202 where a worker writes cases or slots."""

    queryset = Study.objects.with_progress().select_related("adjudicates", "slots_run")
    lookup_url_kwarg, lookup_value_converter = "study_id", "uuid"
    serializer_class = StudySerializer
    filterset_class = StudyFilter
    ordering_fields = ("created_at", "name")
    asks = {
        "create": StudyRequest,
        "update": StudyRequest,
        "preview": StudyRequest,
        "unblind": UnblindRequest,
        "due": DueDateRequest,
        "add_readers": MoreReadersRequest,
        "remove_reader": FewerReadersRequest,
        "add_batches": MoreBatchesRequest,
    }
    answers = {
        "retrieve": WholeStudySerializer,
        "create": NewStudySerializer,
        "update": NewStudySerializer,
        "preview": PreviewSerializer,
        "draft_preview": PreviewSerializer,
        "add_readers": JoinedSerializer,
        "remove_reader": LeftSerializer,
        "add_batches": AddedSerializer,
    }
    statuses = {
        "create": (MADE, QUEUED),
        "update": (GOOD, QUEUED),
        "open": (GOOD, QUEUED),
        "add_batches": (GOOD, QUEUED),
    }

    def create(self, request: Request) -> Response:
        return self._save(code=MADE)

    def update(self, request: Request, study_id: UUID) -> Response:
        """A draft is rewritten as a whole, as when it was made."""
        return self._save(code=GOOD, draft=self.get_object())

    def destroy(self, request: Request, study_id: UUID) -> Response:
        """A draft alone can be deleted."""
        services.delete_draft(self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(["post"], detail=False)
    def preview(self, request: Request) -> Response:
        """What a design would give; nothing is saved."""
        return self.told(services.preview_request(self.asked(StudyRequest)))

    @action(["get"], detail=True, url_path="preview", url_name="draft-preview")
    def draft_preview(self, request: Request, study_id: UUID) -> Response:
        """What opening a saved draft would give."""
        return self.told(services.preview_study(self.get_object()))

    @action(["post"], detail=True)
    def open(self, request: Request, study_id: UUID) -> Response:
        study = services.begin_opening(self.row(), actor=self.actor)
        return self.told(self.get_object(), status=QUEUED if study.is_being_written else GOOD)

    @action(["post"], detail=True)
    def pause(self, request: Request, study_id: UUID) -> Response:
        return self._move(services.pause_study)

    @action(["post"], detail=True)
    def resume(self, request: Request, study_id: UUID) -> Response:
        return self._move(services.resume_study)

    @action(["post"], detail=True)
    def close(self, request: Request, study_id: UUID) -> Response:
        return self._move(services.close_study)

    @action(["post"], detail=True)
    def reopen(self, request: Request, study_id: UUID) -> Response:
        return self._move(services.reopen_study)

    @action(["post"], detail=True)
    def unblind(self, request: Request, study_id: UUID) -> Response:
        study, asked = self.get_object(), self.asked(UnblindRequest)
        services.unblind_study(study, actor=self.actor, is_confirmed=asked.is_confirmed)
        return self.told(self.get_object())

    @action(["post"], detail=True, url_path="add-readers")
    def add_readers(self, request: Request, study_id: UUID) -> Response:
        study, asked = self.get_object(), self.asked(MoreReadersRequest)
        readers = services.find_readers(asked.readers)
        joined = services.add_readers(study, readers, actor=self.actor)
        return self.told({"added": [reader.username for reader in joined]})

    @action(["post"], detail=True)
    def due(self, request: Request, study_id: UUID) -> Response:
        services.set_due_date(self.row(), self.asked(DueDateRequest).due_on, actor=self.actor)
        return self.told(self.get_object())

    @action(["post"], detail=True, url_path="remove-reader")
    def remove_reader(self, request: Request, study_id: UUID) -> Response:
        """Others read their open cases, and what they read stays."""
        study, asked = self.get_object(), self.asked(FewerReadersRequest)
        reader = get_object_or_404(study.readers, username=asked.reader)
        return self.told(services.remove_reader(study, reader, actor=self.actor))

    @action(["post"], detail=True, url_path="add-batches")
    def add_batches(self, request: Request, study_id: UUID) -> Response:
        study, asked = self.get_object(), self.asked(MoreBatchesRequest)
        more = services.find_more_batches(asked, study)
        added = services.begin_adding(study, **more, actor=self.actor)
        return self.told(added, status=QUEUED if isinstance(added, Run) else GOOD)

    def _move(self, change: Callable[..., Any]) -> Response:
        change(self.row(), actor=self.actor)
        return self.told(self.get_object())

    def _save(self, *, code: int, draft: Study | None = None) -> Response:
        saved, added = services.ask_for_study(
            self.asked(StudyRequest),
            fill=partial(services.begin_filling, actor=self.actor),
            actor=self.actor,
            draft=draft,
        )
        study = Study.objects.with_progress().get(pk=saved.pk)
        if isinstance(added, Run):
            return self.told(study, status=QUEUED)
        study.warnings = added.warnings  # type: ignore[attr-defined]
        return self.told(study, status=code)


class CaseFilter(FilterSet):
    study = UUIDFilter("study", label="Id of a study")

    class Meta:
        model = Case
        fields: ClassVar = {"role": ["exact"]}


class CasesView(Read):
    """What studies show together at one time, in the order in which it was planned."""

    queryset = (
        Case.objects.select_related("study")
        .prefetch_related("case_images")
        .order_by("-study__created_at", "position")
    )
    lookup_url_kwarg, lookup_value_converter = "case_id", "uuid"
    serializer_class = CaseSerializer
    filterset_class = CaseFilter
    ordering_fields = ("position",)


class SlotFilter(FilterSet):
    study = UUIDFilter("study", label="Id of a study")
    case = UUIDFilter("case", label="Id of a case")
    reader = CharFilter("reader__username", label="User name of a reader")
    is_read = BooleanFilter("is_read", label="Whether a reading of it was submitted")


class SlotsView(Listed):
    """Planned readings, for who plans them; a reader asks for their own one at its address."""

    queryset = (
        Slot.objects.wanted()
        .select_related("reader")
        .order_by("-study__created_at", "-priority", "position")
    )
    serializer_class = SlotSerializer
    filterset_class = SlotFilter
    ordering_fields = ("position", "lease_until")
