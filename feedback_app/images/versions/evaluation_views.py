"""What the evaluation kit says of a model version, and asking for it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.versions.evaluations import ask_for_evaluation, evaluations_of
from feedback_app.images.versions.forms import EvaluationForm
from feedback_app.images.versions.models import ModelVersion
from feedback_app.remedies import complain
from feedback_app.runs.models import State
from generation.errors import RemediableError

SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def show(request: HttpRequest, version_id: int) -> HttpResponse:
    version = get_object_or_404(ModelVersion, pk=version_id)
    is_admin: bool = request.user.is_admin  # type: ignore[union-attr]
    form = EvaluationForm(request.POST or None, names_folders=is_admin)
    if request.method == "POST" and form.is_valid():
        try:
            run = ask_for_evaluation(form.request(), version, created_by=request.user)  # type: ignore[arg-type]
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("runs:run", run.pk)
    runs = list(evaluations_of(version)[:SHOWN])
    done = [run for run in runs if run.state == State.SUCCEEDED]
    chosen = next((run for run in done if str(run.pk) == request.GET.get("run")), None)
    context = {
        "section": "versions",
        "version": version,
        "form": form,
        "runs": runs,
        "shown": chosen or (done[0] if done else None),
    }
    return render(request, "images/evaluations.html", context)
