"""What a coordinator does to an experiment and its cells."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from feedback_app.accounts.access import coordinators_only
from feedback_app.experiments.access import cell_of, experiment_of
from feedback_app.experiments.services import experiments as services
from feedback_app.remedies import tell
from generation.errors import RemediableError


def _doing(request: HttpRequest, act: Callable[[], object], *, done: str = "") -> None:
    """Do it, and say that it is done, or why it cannot be."""
    try:
        act()
    except RemediableError as error:
        tell(request, error)
    else:
        if done:
            messages.success(request, done)


def _changed(
    request: HttpRequest, experiment_id: UUID, act: Callable[..., object], *, done: str = ""
) -> HttpResponse:
    """Back to the experiment's page, after a change that the audit log names the actor of."""
    row = experiment_of(experiment_id)
    _doing(request, lambda: act(row, actor=request.user), done=done)
    return redirect("experiments:experiment", row.pk)


@require_POST
@coordinators_only
def start(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    return _changed(request, experiment_id, services.start_experiment)


@require_POST
@coordinators_only
def pause(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    done = "Paused: what is being trained is still finished."
    return _changed(request, experiment_id, services.pause_experiment, done=done)


@require_POST
@coordinators_only
def resume(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    return _changed(request, experiment_id, services.resume_experiment)


@require_POST
@coordinators_only
def cancel(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    done = "Cancelled: what is done is kept, and it can be resumed."
    return _changed(request, experiment_id, services.cancel_experiment, done=done)


@require_POST
@coordinators_only
def retry(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    return _changed(request, experiment_id, services.retry_failed)


@require_POST
@coordinators_only
def delete(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    row = experiment_of(experiment_id)
    _doing(request, lambda: services.delete_draft(row), done=f"“{row}” is deleted.")
    return redirect("experiments:list")


@require_POST
@coordinators_only
def retry_cell(request: HttpRequest, experiment_id: UUID, cell_id: int) -> HttpResponse:
    cell = cell_of(experiment_id, cell_id)
    _doing(request, lambda: services.retry_cell(cell))
    return redirect("experiments:experiment", experiment_id)


@require_POST
@coordinators_only
def cancel_cell(request: HttpRequest, experiment_id: UUID, cell_id: int) -> HttpResponse:
    cell = cell_of(experiment_id, cell_id)
    _doing(request, lambda: services.cancel_cell(cell))
    return redirect("experiments:experiment", experiment_id)
