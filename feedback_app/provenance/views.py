"""Pages that join everything."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from feedback_app.accounts.models import User
from feedback_app.provenance.loop import next_step, stages
from feedback_app.runs.models import Run

SHOWN_RUNS = 3


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Readers go straight to their work list; coordinators see where the loop stands."""
    assert isinstance(request.user, User)
    if not request.user.is_coordinator:
        return redirect("readings:worklist")
    unfinished = Run.objects.unfinished().order_by("state", "-priority", "created_at")
    context = {
        "section": "home",
        "stages": stages(request.user),
        "next_step": next_step(request.user),
        "runs": list(unfinished[:SHOWN_RUNS]),
        "waiting_runs": max(0, unfinished.count() - SHOWN_RUNS),
    }
    return render(request, "provenance/home.html", context)
