"""Experiments for coordinators' programs, to read."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback_app.accounts.permissions import IsCoordinator
from feedback_app.experiments.access import experiment_of
from feedback_app.experiments.models import Experiment
from feedback_app.experiments.services.design import design_of
from feedback_app.experiments.services.regimes import in_words


class ExperimentsView(APIView):
    permission_classes = [IsCoordinator]

    def get(self, request: Request) -> Response:
        rows = Experiment.objects.with_counts().select_related("cohort")
        return Response({"results": [summarise(row) for row in rows]})


class ExperimentView(APIView):
    """Design, cells and comparisons: the same as the report's file."""

    permission_classes = [IsCoordinator]

    def get(self, request: Request, experiment_id: UUID) -> Response:
        # Slow to import: they bring scipy and statsmodels.
        from feedback_app.experiments.report.cache import figures_for, state_of
        from feedback_app.experiments.report.rerun import report_file

        row = experiment_of(experiment_id)
        if row.is_draft:
            return Response({"design": design_of(row).as_json, "state": row.state})
        figures = figures_for(row, state=state_of(row))
        return Response(report_file(row, figures) | {"state": row.state})


def summarise(row: Experiment) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "name": row.name,
        "state": row.state,
        "task": row.task,
        "cohort": row.cohort.name,
        "regime": in_words(row.lineage["regimes"]) if row.lineage else None,
        "cells": row.cell_count,  # type: ignore[attr-defined]
        "done": row.done_count,  # type: ignore[attr-defined]
        "failed": row.failed_count,  # type: ignore[attr-defined]
    }
