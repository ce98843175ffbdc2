"""What VLM versions learn of readers, for programs."""

from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.rest.files import file_action
from feedback_app.rest.views import Read, Row, name_of, user_name
from feedback_app.vlms.learning.models import ReportSnapshot, VlmFineTune
from feedback_app.vlms.learning.requests import (
    ReportSnapshotRequest,
    VlmFineTuneRequest,
    ask_for_report_snapshot,
    ask_for_vlm_finetune,
)


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
        """The lessons as JSON lines, byte for byte as they were hashed."""
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
