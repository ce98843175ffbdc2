"""What VLM versions learn of readers, for programs."""

from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from django_filters.rest_framework import CharFilter, FilterSet
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.requests import at
from feedback_app.rest.files import file_action
from feedback_app.rest.views import Listed, Nothing, Read, Row, name_of, user_name
from feedback_app.vlms.learning.gate_models import VlmGate, VlmPromotion
from feedback_app.vlms.learning.models import ReportSnapshot, VlmFineTune
from feedback_app.vlms.learning.promotion import go_back_vlm, promote_vlm
from feedback_app.vlms.learning.requests import (
    ReportSnapshotRequest,
    VlmFineTuneRequest,
    VlmGateRequest,
    VlmPromotionRequest,
    ask_for_report_snapshot,
    ask_for_vlm_finetune,
    ask_for_vlm_gate,
)
from feedback_app.vlms.services import find_vlm
from generation.errors import RemediableError


class ReportSnapshotSerializer(Row):
    """``choices``, ``edits`` and ``accepted`` count its lessons."""

    sha256 = serializers.CharField()
    choices = serializers.IntegerField()
    edits = serializers.IntegerField()
    accepted = serializers.IntegerField()
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)
    created_by = user_name()

    class Meta:
        model = ReportSnapshot
        fields: ClassVar = [
            "id", "name", "sha256", "is_simulated", "choices", "edits", "accepted", "replaces",
            "created_by", "created_at",
        ]  # fmt: skip


class ReportSnapshotsView(Read):
    """Frozen choices and edits of reports; POST takes a snapshot."""

    queryset = ReportSnapshot.objects.with_counts().select_related("created_by")
    lookup_url_kwarg, lookup_value_converter = "report_snapshot_id", "uuid"
    serializer_class = ReportSnapshotSerializer
    asks = {"create": ReportSnapshotRequest}
    filterset_fields: ClassVar = {"name": ["exact"], "is_simulated": ["exact"]}
    ordering_fields = ("created_at", "name")

    def create(self, request: Request) -> Response:
        made = ask_for_report_snapshot(self.asked(ReportSnapshotRequest), created_by=self.actor)
        return self.told(self.get_queryset().get(pk=made.pk), status=status.HTTP_201_CREATED)

    @file_action("application/jsonl")
    def file(self, request: Request, report_snapshot_id: UUID) -> HttpResponse:
        """Answers with the lessons as JSON lines, byte for byte as they were hashed."""
        return HttpResponse(self.get_object().blob.read(), content_type="application/jsonl")


class VlmFineTuneSerializer(Row):
    """``version`` is the child's name, once it is there."""

    snapshot = serializers.UUIDField(source="snapshot_id")
    parent = name_of()  # type: ignore[assignment]
    version = name_of()
    state = serializers.CharField(source="run.state")
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)

    class Meta:
        model = VlmFineTune
        fields: ClassVar = [
            "id", "name", "snapshot", "parent", "method", "settings", "version", "state", "run",
            "replaces", "created_at",
        ]  # fmt: skip


class VlmFineTunesView(Read):
    """VLM versions being taught by readers; POST teaches one."""

    queryset = VlmFineTune.objects.select_related("parent", "version", "run")
    lookup_url_kwarg, lookup_value_converter = "vlm_fine_tune_id", "uuid"
    serializer_class = VlmFineTuneSerializer
    asks = {"create": VlmFineTuneRequest}
    filterset_fields: ClassVar = {"name": ["exact"], "method": ["exact"]}
    ordering_fields = ("created_at", "name")

    def create(self, request: Request) -> Response:
        row = ask_for_vlm_finetune(self.asked(VlmFineTuneRequest), created_by=self.actor)
        return self.told(row, status=status.HTTP_201_CREATED)


class VlmGateSerializer(Row):
    """``decision`` and ``report`` are empty until the run is done."""

    child = name_of()
    parent = name_of()  # type: ignore[assignment]
    instruction_set = name_of()
    snapshot = serializers.UUIDField(source="snapshot_id")
    state = serializers.CharField(source="run.state")
    decision = serializers.CharField(source="found.decision", default="")
    report = serializers.JSONField(source="found.report", default=dict)
    created_by = user_name()

    class Meta:
        model = VlmGate
        fields: ClassVar = [
            "id", "child", "parent", "instruction_set", "snapshot", "margin", "state", "decision",
            "report", "run", "created_by", "created_at",
        ]  # fmt: skip


class VlmGateFilter(FilterSet):
    child = CharFilter("child__name", label="Name of the version that is compared")

    class Meta:
        model = VlmGate
        fields: ClassVar[list[str]] = []


class VlmGatesView(Read):
    """VLM versions beside their parents; POST asks a gate by a run."""

    queryset = VlmGate.objects.select_related(
        "child", "parent", "instruction_set", "run", "verdict", "created_by"
    )
    lookup_url_kwarg, lookup_value_converter = "vlm_gate_id", "uuid"
    serializer_class = VlmGateSerializer
    asks = {"create": VlmGateRequest}
    filterset_class = VlmGateFilter
    ordering_fields = ("created_at",)

    def create(self, request: Request) -> Response:
        gate = ask_for_vlm_gate(self.asked(VlmGateRequest), created_by=self.actor)
        return self.told(gate, status=status.HTTP_201_CREATED)


class VlmPromotionSerializer(Row):
    version = name_of()
    created_by = user_name()

    class Meta:
        model = VlmPromotion
        fields: ClassVar = ["id", "version", "kind", "reason", "created_by", "created_at"]


class VlmPromotionsView(Listed):
    """Which VLM version was offered first, and since when; POST promotes one."""

    queryset = VlmPromotion.objects.select_related("version", "created_by")
    serializer_class = VlmPromotionSerializer
    asks = {"create": VlmPromotionRequest}
    statuses = {"back": (status.HTTP_201_CREATED,)}

    def create(self, request: Request) -> Response:
        asked = self.asked(VlmPromotionRequest)
        with at("version"):
            version = find_vlm(asked.version)
        made = promote_vlm(version, actor=self.actor, reason=asked.reason)
        if made is None:
            raise RemediableError(
                f"“{version.name}” is promoted already.", remedy="Nothing is left to do."
            )
        return self.told(made, status=status.HTTP_201_CREATED)

    @action(["post"], detail=False)
    def back(self, request: Request) -> Response:
        """Promote the version that the promoted one took over from."""
        self.asked(Nothing)
        return self.told(go_back_vlm(actor=self.actor), status=status.HTTP_201_CREATED)
