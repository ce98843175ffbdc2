"""Run pages: what is being done, how far it is, and what went wrong."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.runs import services
from feedback_app.runs.kinds import kind_of
from feedback_app.runs.models import Run

LINES_SHOWN = 500
KEY_DIGITS = 19
"""As many have keys beyond what the database counts to."""


@require_safe
@coordinators_only
def show_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Shows the page; for htmx what changes on it, with the log's lines after ``after``."""
    rows = Run.objects.select_related("created_by", "failed_with")
    run = get_object_or_404(rows, pk=run_id)
    is_fragment = bool(request.htmx)  # type: ignore[attr-defined]
    context = {"section": "runs", "run": run, "is_fragment": is_fragment}
    context["neighbours"] = [
        ("Comes after", list(run.after.order_by("created_at"))),
        ("Before", list(run.successors.order_by("created_at"))),
    ]
    context |= _log_of(run, after=request.GET.get("after", "") if is_fragment else "")
    return render(request, "runs/_run.html" if is_fragment else "runs/run.html", context)


def _log_of(run: Run, *, after: str) -> dict[str, Any]:
    lines = run.log_lines.order_by("-pk")
    if after.isdecimal() and len(after) < KEY_DIGITS:
        lines = lines.filter(pk__gt=int(after))
    shown = list(reversed(lines[:LINES_SHOWN]))
    return {"lines": shown, "last_line": shown[-1].pk if shown else after}


@require_safe
@coordinators_only
def show_progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Shows a few lines on a run, which fetch themselves anew until it is finished."""
    return render(request, "runs/_progress.html", {"run": get_object_or_404(Run, pk=run_id)})


@require_POST
@coordinators_only
def cancel_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _run_to_change(request, run_id)
    services.cancel(run)
    return redirect("runs:run", run.pk)


@require_POST
@coordinators_only
def retry_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _run_to_change(request, run_id)
    if not services.retry(run):
        messages.warning(
            request,
            f"Retry “{run.failed_with.title}”, which this run comes after."
            if run.failed_with
            else "Only a failed or cancelled run can be retried.",
        )
    return redirect("runs:run", run.pk)


def _run_to_change(request: HttpRequest, run_id: UUID) -> Run:
    run = get_object_or_404(Run, pk=run_id)
    if kind_of(run.kind).is_for_admins and not request.user.is_admin:  # type: ignore[union-attr]
        raise PermissionDenied
    return run
