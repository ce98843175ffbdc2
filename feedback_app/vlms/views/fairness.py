"""How an experiment's classifiers, and scorers, fare by group of patients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.experiments.models import Experiment
from feedback_app.images.scorers.models import Scorer
from feedback_app.remedies import tell
from feedback_app.runs.models import Run
from feedback_app.vlms.fairness import (
    OF_EXPERIMENT,
    OF_SCORER,
    ask_for_experiment,
    ask_for_scorer,
    newest,
)
from generation.errors import RemediableError


@dataclass(frozen=True)
class Back:
    """The section of the page, and where its button leads back to."""

    section: str
    name: str
    page: str


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def of_experiment(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    row = get_object_or_404(Experiment.objects.exclude(state="draft"), pk=experiment_id)
    run = newest(OF_EXPERIMENT, experiment=str(row.pk))
    page = reverse("experiments:experiment", args=[row.pk])
    return _page(
        request, row, run, ask=ask_for_experiment, back=Back("experiments", row.name, page)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def of_scorer(request: HttpRequest, scorer_id: int) -> HttpResponse:
    row = get_object_or_404(Scorer, pk=scorer_id)
    run = newest(OF_SCORER, scorer=row.pk)
    return _page(
        request, row, run, ask=ask_for_scorer, back=Back("versions", "Models", reverse("models"))
    )


def _page(
    request: HttpRequest, row: Any, run: Run | None, *, ask: Callable[..., Run], back: Back
) -> HttpResponse:
    if request.method == "POST":
        try:
            ask(row, created_by=cast("User", request.user))
        except RemediableError as error:
            tell(request, error)
        return redirect(request.path)
    context = {
        "section": back.section,
        "back": back,
        "subject": row,
        "run": run,
        "judged": _judged(run),
    }
    template = "_groups" if request.htmx else "groups"  # type: ignore[attr-defined]
    return render(request, f"vlms/{template}.html", context)


def _judged(run: Run | None) -> list[dict[str, Any]]:
    """Returns each finding with its plot; what draws it is slow to import."""
    reports = run.result.get("reports", []) if run else []
    if not reports:
        return []
    from feedback_app.vlms.plots import fairness_plot

    return [one | {"plot": fairness_plot(one)} for one in reports]


@require_safe
@coordinators_only
def show_plot(request: HttpRequest, run_id: UUID, number: int) -> HttpResponse:
    run = get_object_or_404(Run, pk=run_id, kind__in=(OF_EXPERIMENT, OF_SCORER))
    reports = run.result.get("reports", [])
    if number >= len(reports):
        raise Http404("There is no such plot.")
    from feedback_app.vlms.plots import fairness_plot

    return HttpResponse(fairness_plot(reports[number]).svg(), content_type="image/svg+xml")
