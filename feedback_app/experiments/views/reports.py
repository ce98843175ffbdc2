"""What an experiment found: on a page, as one HTML file, as JSON, and plot by plot.

The modules behind these views bring scipy and matplotlib: they are imported when a view
is first asked, so that the processes that serve readers start without them.
"""

import io
import json
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.experiments.access import experiment_of
from feedback_app.experiments.models import Experiment
from feedback_app.experiments.services.regimes import in_words

SECTION = {"section": "experiments"}
CONTENT_TYPES = {"svg": "image/svg+xml", "csv": "text/csv; charset=utf-8"}


def started_of(experiment_id: UUID) -> Experiment:
    experiment = experiment_of(experiment_id)
    if experiment.is_draft:
        raise Http404
    return experiment


@require_safe
@coordinators_only
def report(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    from feedback_app.experiments.report.cache import figures_for, state_of
    from feedback_app.experiments.report.page import report_of

    experiment = started_of(experiment_id)
    state = state_of(experiment)
    figures = figures_for(experiment, state=state)
    context = {
        **SECTION,
        "experiment": experiment,
        "state": state,
        "report": report_of(experiment, figures),
        "cells": experiment.cells.for_pages(),
    }
    return render(request, "experiments/report.html", context)


@require_safe
@coordinators_only
def report_to_keep(request: HttpRequest, experiment_id: UUID, form: str) -> StreamingHttpResponse:
    """Answers with one HTML file without real images, the file to run it again, or all
    predictions.
    """
    from feedback_app.experiments.report.cache import figures_for, state_of
    from feedback_app.experiments.report.page import report_of
    from feedback_app.experiments.report.rerun import report_file
    from feedback_app.experiments.report.sheets import embedded

    experiment = started_of(experiment_id)
    if form == "csv":
        return _predictions(experiment)
    figures = figures_for(experiment, state=state_of(experiment))
    if form == "json":
        content = json.dumps(report_file(experiment, figures), indent=1).encode()
    elif form == "html":
        context = {
            "experiment": experiment,
            "report": report_of(experiment, figures, address=embedded, shows_real=False),
            "cells": experiment.cells.for_pages(),
            "is_to_keep": True,
        }
        content = render_to_string("experiments/report_to_keep.html", context).encode()
    else:
        raise Http404
    return FileResponse(
        io.BytesIO(content),
        as_attachment=True,
        filename=f"{slugify(f'experiment {experiment.name}')}.{form}",
        content_type="text/html" if form == "html" else "application/json",
    )


def _predictions(experiment: Experiment) -> StreamingHttpResponse:
    from feedback_app.experiments.report.predictions_file import predictions_csv

    response = StreamingHttpResponse(
        predictions_csv(experiment), content_type="text/csv; charset=utf-8"
    )
    name = slugify(f"predictions {experiment.name}")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


@require_safe
@coordinators_only
def plot(request: HttpRequest, experiment_id: UUID, name: str, form: str) -> HttpResponse:
    from feedback_app.experiments.report.cache import figures_for, state_of
    from feedback_app.experiments.report.plots import plots_of

    experiment = started_of(experiment_id)
    figures = figures_for(experiment, state=state_of(experiment))
    plots = plots_of(figures, regime=in_words(experiment.lineage["regimes"]))
    found = next((one for one in plots if one.name == name), None)
    if found is None or form not in CONTENT_TYPES:
        raise Http404
    content = found.svg() if form == "svg" else found.csv()
    response = HttpResponse(content, content_type=CONTENT_TYPES[form])
    if form == "svg":
        response["Cache-Control"] = "private, max-age=60"
    if form == "csv" or "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response
