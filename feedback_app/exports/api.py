"""Exports for admins' programs."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponseBase
from django_filters.rest_framework import CharFilter, FilterSet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.accounts.addresses import client_address
from feedback_app.exports.downloads import DESPITE, hand_out
from feedback_app.exports.models import Export
from feedback_app.exports.requests import ExportRequest, PreferencesRequest
from feedback_app.exports.services import (
    ask_for_export,
    ask_for_preferences,
    file_name_of,
    rests_on_retracted,
)
from feedback_app.rest.files import file_action
from feedback_app.rest.permissions import IsAdmin
from feedback_app.rest.views import Read, Row, user_name
from generation.errors import RemediableError


class RestsOnRetracted(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "retracted"
    default_detail = (
        f"Readings that this rests on are retracted: ?despite={DESPITE} gives it all the same."
    )


class ExportSerializer(Row):
    """``sha256`` is of the archive, which is there once the run has succeeded."""

    curated_set = serializers.UUIDField(source="curated_set_id", allow_null=True)
    snapshot = serializers.UUIDField(source="snapshot_id", allow_null=True)
    run = serializers.UUIDField(source="run_id")
    state = serializers.CharField(source="run.state")
    file_name = serializers.SerializerMethodField()
    sha256 = serializers.CharField(source="blob_id", allow_null=True)
    size_bytes = serializers.SerializerMethodField()
    created_by = user_name(source="run.created_by")
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)

    class Meta:
        model = Export
        fields: ClassVar = [
            "id", "curated_set", "snapshot", "format", "with_readings", "run", "state", "file_name",
            "sha256", "size_bytes", "replaces", "created_by", "created_at",
        ]  # fmt: skip

    def get_file_name(self, export: Export) -> str:
        return file_name_of(export)

    def get_size_bytes(self, export: Export) -> int | None:
        return export.blob.size_bytes if export.blob else None


class ExportFilter(FilterSet):
    state = CharFilter("run__state", label="State of its run")

    class Meta:
        model = Export
        fields: ClassVar = {"format": ["exact"], "curated_set": ["exact"], "snapshot": ["exact"]}


class ExportsView(Read):
    """Curated sets, and snapshots' preferences, written out, the newest first."""

    queryset = Export.objects.select_related(
        "curated_set__policy", "snapshot", "run__created_by", "blob"
    )
    permission_classes = [IsAdmin]
    lookup_url_kwarg, lookup_value_converter = "export_id", "uuid"
    serializer_class = ExportSerializer
    asks = {"create": ExportRequest, "preferences": PreferencesRequest}
    statuses = {"preferences": (status.HTTP_201_CREATED,)}
    parameters = {"download": frozenset({"despite"})}
    filterset_class = ExportFilter
    ordering_fields = ("created_at",)

    def create(self, request: Request) -> Response:
        made = ask_for_export(self.asked(ExportRequest), created_by=self.actor)
        return self.told(made, status=status.HTTP_201_CREATED)

    @action(["post"], detail=False)
    def preferences(self, request: Request) -> Response:
        """Write a snapshot's pairs out in the layout that trainers of Diffusion-DPO read."""
        made = ask_for_preferences(self.asked(PreferencesRequest), created_by=self.actor)
        return self.told(made, status=status.HTTP_201_CREATED)

    @file_action(
        "application/zip",
        parameters=[OpenApiParameter("despite", enum=[DESPITE], required=False)],
    )
    def download(self, request: Request, export_id: UUID) -> Any:
        """Returns the archive; 409 where it rests on readings that were retracted."""
        export: Export = self.get_object()
        if export.blob is None:
            raise RemediableError("The archive is not there yet.", remedy="Wait for its run.")
        is_marked = rests_on_retracted(export)
        if is_marked and request.query_params.get("despite") != DESPITE:
            raise RestsOnRetracted
        answer: HttpResponseBase = hand_out(
            export, actor=self.actor, address=client_address(request), is_marked=is_marked
        )
        return answer
