"""The way to an experiment and a cell from a coordinator's page."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from feedback_app.experiments.models import Cell, Experiment


def experiment_of(experiment_id: UUID) -> Experiment:
    rows = Experiment.objects.select_related("cohort", "created_by").prefetch_related(
        "sources__batch", "sources__curated_set__policy", "sources__export__curated_set__policy"
    )
    return get_object_or_404(rows, pk=experiment_id)


def cell_of(experiment_id: UUID, cell_id: int) -> Cell:
    rows = Cell.objects.select_related("run", "experiment")
    return get_object_or_404(rows, pk=cell_id, experiment=experiment_id)
