"""Model versions for programs."""

from typing import ClassVar

from django_filters.rest_framework import CharFilter, FilterSet
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.images.versions.checkpoints import ask_for_version
from feedback_app.images.versions.continuing import ContinueRequest, ask_for_continuing
from feedback_app.images.versions.controlnets import ControlNetRequest, ask_for_controlnet
from feedback_app.images.versions.evaluations import (
    EvaluationRequest,
    ask_for_evaluation,
    evaluations_of,
)
from feedback_app.images.versions.models import ModelVersion
from feedback_app.images.versions.pretraining import PretrainRequest, ask_for_pretraining
from feedback_app.images.versions.requests import VersionRequest
from feedback_app.rest.views import Read, Row, name_of, user_name
from feedback_app.runs.api import RunSerializer
from feedback_app.runs.models import Run


class ModelVersionSerializer(Row):
    parent = name_of()  # type: ignore[assignment]
    created_by = user_name()
    candidates = serializers.IntegerField(source="candidate_count")
    batches = serializers.IntegerField(source="batch_count")

    class Meta:
        model = ModelVersion
        fields: ClassVar = [
            "id", "name", "parent", "sha256", "method", "taught_by_simulated_readers",
            "is_promoted", "resolution", "follows_masks", "created_by", "created_at",
            "candidates", "batches",
        ]  # fmt: skip


class NewVersionSerializer(ModelVersionSerializer):
    """A version that was registered, or only the run that converts a single file and does."""

    run = serializers.UUIDField(required=False)

    class Meta(ModelVersionSerializer.Meta):
        fields: ClassVar = [*ModelVersionSerializer.Meta.fields, "run"]


class ModelVersionFilter(FilterSet):
    parent = CharFilter("parent__name", label="Name of the parent")

    class Meta:
        model = ModelVersion
        fields: ClassVar = {
            "name": ["exact"],
            "method": ["exact"],
            "is_promoted": ["exact"],
            "follows_masks": ["exact"],
        }


STARTED = ("evaluate", "pretrain", "continue_training", "train_controlnet")
"""Actions that queue a run and answer with it."""


class ModelVersionsView(Read):
    """Base models and what was taught upon them; an admin's POST registers weights."""

    queryset = ModelVersion.objects.with_counts().select_related("parent", "created_by")
    lookup_url_kwarg, lookup_value_converter = "version_id", "int"
    serializer_class = ModelVersionSerializer
    answers = {
        "create": NewVersionSerializer,
        "evaluations": RunSerializer,
        **dict.fromkeys(STARTED, RunSerializer),
    }
    statuses = {
        "create": (status.HTTP_201_CREATED, status.HTTP_202_ACCEPTED),
        **dict.fromkeys(STARTED, (status.HTTP_202_ACCEPTED,)),
    }
    asks = {
        "create": VersionRequest,
        "evaluate": EvaluationRequest,
        "pretrain": PretrainRequest,
        "continue_training": ContinueRequest,
        "train_controlnet": ControlNetRequest,
    }
    admins_actions = frozenset({"create"})
    filterset_class = ModelVersionFilter
    ordering_fields = ("name", "created_at")
    listings = frozenset({"list", "evaluations"})

    def create(self, request: Request) -> Response:
        made = ask_for_version(self.asked(VersionRequest), created_by=self.actor)
        if isinstance(made, Run):
            return Response({"run": made.pk}, status=status.HTTP_202_ACCEPTED)
        row = self.get_queryset().get(pk=made.pk)
        return self.told(row, status=status.HTTP_201_CREATED)

    @action(["post"], detail=True)
    def evaluate(self, request: Request, version_id: int) -> Response:
        """Has the evaluation kit measure candidates of the version; the run has the figures."""
        asked = self.asked(EvaluationRequest)
        run = ask_for_evaluation(asked, self.get_object(), created_by=self.actor)
        return self.told(run, status=status.HTTP_202_ACCEPTED)

    @action(["post"], detail=False)
    def pretrain(self, request: Request) -> Response:
        """Trains a base model on a cohort; the run's result names the version."""
        run = ask_for_pretraining(self.asked(PretrainRequest), created_by=self.actor)
        return self.told(run, status=status.HTTP_202_ACCEPTED)

    @action(["post"], detail=True, url_path="continue-training")
    def continue_training(self, request: Request, version_id: int) -> Response:
        """Trains the version further on a cohort, without readings, into a new base model."""
        asked = self.asked(ContinueRequest)
        run = ask_for_continuing(asked, self.get_object(), created_by=self.actor)
        return self.told(run, status=status.HTTP_202_ACCEPTED)

    @action(["post"], detail=True, url_path="train-controlnet")
    def train_controlnet(self, request: Request, version_id: int) -> Response:
        """Teaches a child of the version to follow a cohort's masks."""
        asked = self.asked(ControlNetRequest)
        run = ask_for_controlnet(asked, self.get_object(), created_by=self.actor)
        return self.told(run, status=status.HTTP_202_ACCEPTED)

    @action(["get"], detail=True)
    def evaluations(self, request: Request, version_id: int) -> Response:
        """Evaluations of the version, the newest first."""
        return self.page_of(evaluations_of(self.get_object()).select_related("created_by"))
