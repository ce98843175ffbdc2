"""Registering a model version."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from feedback_app.accounts.access import admins_only
from feedback_app.images.versions import services as versions
from feedback_app.images.versions.forms import VersionForm
from feedback_app.remedies import complain
from generation.errors import RemediableError


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def register_version(request: HttpRequest) -> HttpResponse:
    form = VersionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            version = versions.register(
                form.cleaned_data["name"],
                form.cleaned_data["location"],
                resolution=form.cleaned_data["resolution"],
                created_by=request.user,  # type: ignore[arg-type]
            )
        except RemediableError as error:
            complain(form, None, error)
        else:
            messages.success(request, f"{version.name} is registered.")
            return redirect("models")
    context = {"section": "versions", "form": form}
    return render(
        request, "images/register_version.html", context, status=400 if form.errors else 200
    )
