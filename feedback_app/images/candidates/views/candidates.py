"""The gallery of candidates, and all that is known of one."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.candidates.forms import GalleryForm
from feedback_app.images.candidates.models import MASKS_WITH_PARENTS, Candidate

CANDIDATES_A_PAGE = 60


@require_safe
@coordinators_only
def list_candidates(request: HttpRequest) -> HttpResponse:
    form = GalleryForm(request.GET)
    candidates = Candidate.objects.for_gallery()
    if form.is_valid():
        candidates = _filtered(candidates, form.cleaned_data)
    page = Paginator(candidates, CANDIDATES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "section": "gallery",
        "form": form,
        "page": page,
        "has_masks": any(candidate.recipe.conditioning for candidate in page),
        "is_filtered": any(request.GET.get(name) for name in form.fields if name != "order"),
        "order": request.GET.get("order", "").removeprefix("-").replace("-", " "),
    }
    template = "images/_gallery.html" if request.htmx else "images/gallery.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _filtered(candidates: Any, wanted: dict[str, Any]) -> Any:
    if wanted["version"]:
        candidates = candidates.filter(recipe__model_version=wanted["version"])
    if wanted["batch"]:
        candidates = candidates.filter(recipe__batches=wanted["batch"])
    if order := wanted["order"]:
        scorer = order.removeprefix("-")
        candidates = candidates.by_measure(scorer, lowest_first=order.startswith("-"))
    for word in wanted["words"].split():
        candidates = candidates.filter(recipe__prompt__icontains=word)
    return candidates


@require_safe
@coordinators_only
def show_candidate(request: HttpRequest, image_id: UUID) -> HttpResponse:
    candidates = Candidate.objects.select_related(
        "image__blob", "recipe__model_version", "run"
    ).prefetch_related(MASKS_WITH_PARENTS)
    candidate = get_object_or_404(candidates, pk=image_id)
    siblings = (
        Candidate.objects.of_condition(candidate.recipe)
        .exclude(pk=candidate.pk)
        .select_related("image", "recipe")
        .order_by("recipe__seed")
    )
    context = {
        "section": "gallery",
        "candidate": candidate,
        "recipe": candidate.recipe,
        "lineage": candidate.recipe.model_version.ancestry,
        "batches": candidate.recipe.batches.all(),
        "measures": candidate.image.measures.order_by("scorer", "version"),
        "siblings": siblings[:12],
    }
    return render(request, "images/candidate.html", context)
