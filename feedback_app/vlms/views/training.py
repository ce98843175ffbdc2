"""The page on which the training of a VLM is asked for."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.remedies import complain
from feedback_app.requests import read
from feedback_app.vlms.forms import TrainingForm
from feedback_app.vlms.models import InstructionSet
from feedback_app.vlms.requests import VlmTrainingRequest, ask_for_training
from generation.errors import RemediableError


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def train(request: HttpRequest) -> HttpResponse:
    chosen = {name: request.GET.get(name, "") for name in ("instructions", "parent")}
    form = TrainingForm(request.POST or None, initial=chosen)
    if request.method == "POST" and form.is_valid():
        try:
            asked = read(VlmTrainingRequest, form.values)
            run = ask_for_training(asked, created_by=cast("User", request.user))
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("runs:run", run.pk)
    context = {
        "section": "vlms",
        "form": form,
        "has_sets": InstructionSet.objects.built().exists(),
    }
    return render(request, "vlms/train.html", context, status=400 if form.errors else 200)
