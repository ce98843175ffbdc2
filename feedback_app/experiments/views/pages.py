"""The list of experiments, the form with its preview, and an experiment as it goes on."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.experiments.access import experiment_of
from feedback_app.experiments.forms import ExperimentForm, filled_in
from feedback_app.experiments.models import Experiment
from feedback_app.experiments.services.design import Design, design_of
from feedback_app.experiments.services.experiments import change_draft, create_experiment
from feedback_app.experiments.services.plan import Plan, plan_of, plan_of_experiment
from feedback_app.experiments.services.progress import progress_of
from feedback_app.experiments.services.regimes import in_words
from feedback_app.images.models import Cohort
from feedback_app.remedies import complain, in_one_line
from generation.errors import RemediableError

SECTION = {"section": "experiments"}
INITIAL = {
    "task": "classification",
    "arms": ["real", "curated", "transformed"],
    "metric": "macro_f1",
    "primary_arm": "curated",
}


@require_safe
@coordinators_only
def list_experiments(request: HttpRequest) -> HttpResponse:
    rows = Experiment.objects.with_counts().select_related("cohort", "created_by")
    listed = [
        {"row": row, "regime": in_words(row.lineage["regimes"]) if row.lineage else ""}
        for row in rows.prefetch_related("sources__curated_set", "sources__export__curated_set")
    ]
    return render(request, "experiments/list.html", SECTION | {"experiments": listed})


@require_http_methods(["GET", "POST"])
@coordinators_only
def create(request: HttpRequest) -> HttpResponse:
    """Saved as a draft; its page says what starting it means."""
    form = ExperimentForm(request.POST or None, initial=INITIAL)
    actor: Any = request.user
    saved = _saved(request, form, lambda design: create_experiment(design, created_by=actor))
    if saved is not None:
        return redirect("experiments:experiment", saved.pk)
    context = {"form": form, "has_cohorts": Cohort.objects.exists()}
    return render(request, "experiments/new.html", SECTION | context)


@require_http_methods(["GET", "POST"])
@coordinators_only
def edit(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Shows the same form for a draft."""
    experiment = experiment_of(experiment_id)
    if not experiment.is_draft:
        messages.info(request, f"“{experiment}” was started: its design is settled.")
        return redirect("experiments:experiment", experiment.pk)
    drafted = design_of(experiment)
    form = ExperimentForm(request.POST or None, initial=filled_in(drafted), drafted=drafted)
    if _saved(request, form, lambda design: change_draft(experiment, design)) is not None:
        return redirect("experiments:experiment", experiment.pk)
    context = {"form": form, "has_cohorts": True, "experiment": experiment}
    return render(request, "experiments/new.html", SECTION | context)


def _saved(
    request: HttpRequest, form: ExperimentForm, save: Callable[[Design], Experiment]
) -> Experiment | None:
    """Returns what came of the form that was sent; None where none was, or it says what is
    wrong.
    """
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return save(form.design)
    except RemediableError as error:
        complain(form, None, error)
        return None


@require_POST
@coordinators_only
def preview(request: HttpRequest) -> HttpResponse:
    """Shows what the filled-in form would give; nothing is saved."""
    form = ExperimentForm(request.POST)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        try:
            context |= _planned(plan_of(form.design), wanted=form.cleaned_data["wanted_gain"])
        except RemediableError as error:
            context["problem"] = in_one_line(error)
    return render(request, "experiments/_preview.html", context)


def _planned(plan: Plan, *, wanted: float | None = None) -> dict[str, Any]:
    from feedback_app.experiments.report.power import power_of, room_of  # slow to import: scipy

    power = power_of(plan, wanted=wanted)
    return {"plan": plan, "power": power, "room": room_of(plan.design)}


@require_safe
@coordinators_only
def show(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Shows how far it is; for htmx what changes of that."""
    experiment = experiment_of(experiment_id)
    context: dict[str, Any] = SECTION | {"experiment": experiment}
    if experiment.is_draft:
        try:
            context |= _planned(plan_of_experiment(experiment))
        except RemediableError as error:
            context["problem"] = in_one_line(error)
        return render(request, "experiments/draft.html", context)
    context |= {
        "progress": progress_of(experiment),
        "regime": in_words(experiment.lineage["regimes"]),
    }
    template = "_live" if request.htmx else "experiment"  # type: ignore[attr-defined]
    return render(request, f"experiments/{template}.html", context)
