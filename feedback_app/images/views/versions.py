"""Model versions: their tree, what each has made, and which one is promoted."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from feedback_app.accounts.access import admins_only, coordinators_only
from feedback_app.images.forms import VersionForm, complain
from feedback_app.images.models import ModelVersion, Scorer
from feedback_app.images.services import versions
from generation.errors import RemediableError


@require_safe
@coordinators_only
def list_versions(request: HttpRequest) -> HttpResponse:
    scorers = Scorer.objects.select_related("cohort").order_by("-is_active", "kind", "-created_at")
    context = {"section": "versions", "tree": tree(), "scorers": scorers}
    return render(request, "images/versions.html", context)


def tree() -> list[tuple[int, ModelVersion]]:
    """Every version with its depth, parents before their children."""
    children: dict[int | None, list[ModelVersion]] = {}
    for version in ModelVersion.objects.with_counts().order_by("pk"):
        children.setdefault(version.parent_id, []).append(version)
    listed: list[tuple[int, ModelVersion]] = []
    waiting = [(0, version) for version in reversed(children.get(None, []))]
    while waiting:
        depth, version = waiting.pop()
        listed.append((depth, version))
        waiting += [(depth + 1, child) for child in reversed(children.get(version.pk, []))]
    return listed


@require_POST
@admins_only
def promote_version(request: HttpRequest, version_id: int) -> HttpResponse:
    version = get_object_or_404(ModelVersion, pk=version_id)
    versions.promote(version)
    messages.success(request, f"{version.name} is promoted: new batches take it.")
    return redirect("images:versions")


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
            return redirect("images:versions")
    context = {"section": "versions", "form": form}
    return render(
        request, "images/register_version.html", context, status=400 if form.errors else 200
    )
