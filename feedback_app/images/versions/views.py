"""Registering a model version."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from feedback_app.accounts.access import admins_only
from feedback_app.accounts.models import User
from feedback_app.images.versions.checkpoints import ask_for_version
from feedback_app.images.versions.forms import VersionForm
from feedback_app.remedies import complain
from feedback_app.runs.models import Run
from generation.errors import RemediableError


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def register_version(request: HttpRequest) -> HttpResponse:
    form = VersionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = ask_for_version(form.request(), created_by=cast("User", request.user))
        except RemediableError as error:
            complain(form, None, error)
        else:
            if isinstance(made, Run):
                return redirect("runs:run", made.pk)
            messages.success(request, f"{made.name} is registered.")
            return redirect("models")
    context = {"section": "versions", "form": form}
    return render(
        request, "images/register_version.html", context, status=400 if form.errors else 200
    )
