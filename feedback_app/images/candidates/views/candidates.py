"""All that is known of a candidate."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.candidates.models import MASKS_WITH_PARENTS, Candidate


@require_safe
@coordinators_only
def show_candidate(request: HttpRequest, image_id: UUID) -> HttpResponse:
    candidates = Candidate.objects.select_related(
        "image__blob", "recipe__model_version", "recipe__repair__original", "run"
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
        "repair": getattr(candidate.recipe, "repair", None),
        "repairs": Candidate.objects.filter(recipe__repair__original=candidate)
        .select_related("image", "recipe")
        .order_by("recipe__seed"),
        "lineage": candidate.recipe.model_version.ancestry,
        "batches": candidate.recipe.batches.all(),
        "misfits": candidate.recipe.tries.misfits().select_related("batch"),
        "measures": candidate.image.measures.order_by("scorer", "version"),
        "siblings": siblings[:12],
    }
    return render(request, "images/candidate.html", context)
