"""Experiments for coordinators' programs."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django_filters.rest_framework import CharFilter, FilterSet
from pydantic import RootModel
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.experiments.access import experiment_of
from feedback_app.experiments.models import Experiment
from feedback_app.experiments.services import experiments as services
from feedback_app.experiments.services.design import Design, design_of
from feedback_app.experiments.services.regimes import in_words
from feedback_app.requests import read
from feedback_app.rest.views import Read, Row, name_of


class DesignRequest(RootModel[Design]):
    """An experiment's design, as a report's file has it."""


class ExperimentSerializer(Row):
    cohort = name_of()
    regime = serializers.SerializerMethodField()
    cells = serializers.IntegerField(source="cell_count")
    done = serializers.IntegerField(source="done_count")
    failed = serializers.IntegerField(source="failed_count")

    class Meta:
        model = Experiment
        fields: ClassVar = [
            "id", "name", "state", "task", "cohort", "regime", "cells", "done", "failed",
        ]  # fmt: skip

    def get_regime(self, row: Experiment) -> str | None:
        return in_words(row.lineage["regimes"]) if row.lineage else None


class ReportSerializer(serializers.Serializer[Any]):
    """Design, cells and comparisons: the same as the report's file; of a draft its design."""


class ExperimentFilter(FilterSet):
    cohort = CharFilter("cohort__name", label="Name of the cohort")

    class Meta:
        model = Experiment
        fields: ClassVar = {"name": ["exact"], "state": ["exact"], "task": ["exact"]}


class ExperimentsView(Read):
    """Downstream models with and without synthetic images, the newest experiment first."""

    queryset = Experiment.objects.with_counts().select_related("cohort")
    lookup_url_kwarg, lookup_value_converter = "experiment_id", "uuid"
    serializer_class = ExperimentSerializer
    answers = {"retrieve": ReportSerializer}
    asks = {"create": DesignRequest}
    filterset_class = ExperimentFilter
    ordering_fields = ("created_at", "name")

    def retrieve(self, request: Request, experiment_id: UUID) -> Response:
        """Design, cells and comparisons."""
        # Slow to import: they bring scipy and statsmodels.
        from feedback_app.experiments.report.cache import figures_for, state_of
        from feedback_app.experiments.report.rerun import report_file

        row = experiment_of(experiment_id)
        if row.is_draft:
            return Response({"design": design_of(row).as_json, "state": row.state})
        figures = figures_for(row, state=state_of(row))
        return Response(report_file(row, figures) | {"state": row.state})

    def create(self, request: Request) -> Response:
        """A draft; nothing is trained before it is started."""
        made = services.create_experiment(
            read(DesignRequest, request.data).root, created_by=self.actor
        )
        return self._told(made, code=status.HTTP_201_CREATED)

    def destroy(self, request: Request, experiment_id: UUID) -> Response:
        """A draft alone can be deleted."""
        services.delete_draft(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(["post"], detail=True)
    def start(self, request: Request, experiment_id: UUID) -> Response:
        return self._change(services.start_experiment)

    @action(["post"], detail=True)
    def pause(self, request: Request, experiment_id: UUID) -> Response:
        """What is being trained is still finished."""
        return self._change(services.pause_experiment)

    @action(["post"], detail=True)
    def resume(self, request: Request, experiment_id: UUID) -> Response:
        return self._change(services.resume_experiment)

    @action(["post"], detail=True)
    def cancel(self, request: Request, experiment_id: UUID) -> Response:
        """What is done is kept, and it can be resumed."""
        return self._change(services.cancel_experiment)

    @action(["post"], detail=True)
    def retry(self, request: Request, experiment_id: UUID) -> Response:
        """Queues the cells that failed or were cancelled."""
        return self._change(services.retry_failed)

    def _change(self, change: Callable[..., Any]) -> Response:
        row = self.row()
        change(experiment_of(row.pk), actor=self.actor)
        return self._told(row)

    def _told(self, row: Experiment, *, code: int = status.HTTP_200_OK) -> Response:
        return self.told(self.get_queryset().get(pk=row.pk), status=code)
