"""Runs for coordinators' programs."""

from typing import ClassVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django_filters.rest_framework import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.rest.views import Read, Row, user_name
from feedback_app.runs import services
from feedback_app.runs.kinds import kind_of
from feedback_app.runs.models import LogLine, Run
from generation.errors import RemediableError


class RunSerializer(Row):
    created_by = user_name()
    failed_with = serializers.UUIDField(source="failed_with_id", allow_null=True)
    remaining_s = serializers.FloatField(allow_null=True)

    class Meta:
        model = Run
        fields: ClassVar = [
            "id", "kind", "queue", "title", "priority", "gpu_gb", "state", "attempt",
            "cancel_requested", "done", "total", "note", "figures", "result", "error", "remedy",
            "failed_with", "remaining_s", "created_by", "created_at", "started_at", "finished_at",
        ]  # fmt: skip


class LogLineSerializer(Row):
    class Meta:
        model = LogLine
        fields: ClassVar = ["id", "attempt", "at", "text"]


class RunFilter(FilterSet):
    class Meta:
        model = Run
        fields: ClassVar = {
            "kind": ["exact"],
            "queue": ["exact"],
            "state": ["exact"],
            "created_at": ["gte", "lte"],
        }


class RunsView(Read):
    """Long jobs, the newest first; some kinds are stopped and retried by admins alone."""

    queryset = Run.objects.select_related("created_by")
    lookup_url_kwarg, lookup_value_converter = "run_id", "uuid"
    serializer_class = RunSerializer
    answers = {"log": LogLineSerializer}
    listings = frozenset({"list", "log"})
    filterset_class = RunFilter
    ordering_fields = ("created_at", "finished_at", "priority")

    @action(["get"], detail=True)
    def log(self, request: Request, run_id: UUID) -> Response:
        return self.page_of(self.get_object().log_lines.order_by("pk"))

    @action(["post"], detail=True)
    def cancel(self, request: Request, run_id: UUID) -> Response:
        """A queued run ends at once, a running one at its next report."""
        run = self._to_change()
        services.cancel(run)
        return self.told(self.get_object())

    @action(["post"], detail=True)
    def retry(self, request: Request, run_id: UUID) -> Response:
        run = self._to_change()
        if not services.retry(run):
            raise RemediableError(
                f"This run is {run.state}: only a failed or cancelled one can be retried.",
                remedy=f"Retry the run {run.failed_with_id}, which this one comes after."
                if run.failed_with_id
                else "Wait for its end, or cancel it.",
            )
        return self.told(self.get_object())

    def _to_change(self) -> Run:
        run: Run = self.row()
        if kind_of(run.kind).is_for_admins and not self.actor.is_admin:
            raise PermissionDenied
        return run
