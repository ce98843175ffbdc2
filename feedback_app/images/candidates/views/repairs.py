"""Drawing regions of a candidate again, and comparing what comes of it with the original."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.candidates.forms import RepairForm
from feedback_app.images.candidates.models import Candidate
from feedback_app.images.candidates.picks import keep_picks
from feedback_app.images.candidates.repairs import ask_for_repair
from feedback_app.remedies import complain
from generation.errors import RemediableError


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def repair(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """Asks for repairs; regions in the address are those that somebody marked."""
    rows = Candidate.objects.select_related("image", "recipe__model_version")
    candidate = get_object_or_404(rows, pk=image_id)
    form = RepairForm(
        request.POST or None, initial={"regions": "\n".join(request.GET.getlist("region"))}
    )
    if request.method == "POST" and form.is_valid():
        try:
            batch = ask_for_repair(form.request(), candidate, created_by=request.user)  # type: ignore[arg-type]
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("images:batch", batch.pk)
    context = {"section": "gallery", "candidate": candidate, "form": form}
    return render(request, "images/repair.html", context)


@require_POST
@coordinators_only
def compare(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """Picks a repair and its original, for a study in which they are one case."""
    rows = Candidate.objects.filter(recipe__repair__isnull=False)
    candidate = get_object_or_404(rows.select_related("recipe__repair"), pk=image_id)
    keep_picks(request, [candidate.recipe.repair.original_id, candidate.pk])
    return redirect(f"{reverse('studies:create')}?picked=yes&mode=compare")
