"""Batch pages: images appear while they are made."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.candidates.batches import (
    cancel_batch,
    made_before,
    make_missing,
    progress_of,
    runs_ahead,
)
from feedback_app.images.candidates.fitting import OpenPlace, fitted_since, open_places
from feedback_app.images.candidates.fitting_models import Fitting, Try
from feedback_app.images.candidates.mask_models import RecipeMask
from feedback_app.images.candidates.models import Batch, BatchRecipe, Recipe

PLACES_A_PAGE = 160
MISFITS_SHOWN = 96
IMAGES_OF_A_ROW = 4
"""Groups that have fewer stand beside each other."""
COMMIT_WITHIN = timedelta(seconds=3)
"""A candidate is seen at most this long after its time stamp."""


@require_safe
@coordinators_only
def show_batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Shows the page; for htmx the progress, with the images made since ``since`` put in place."""
    batch = get_object_or_404(
        Batch.objects.select_related(
            "model_version", "created_by", "prompt_set_version__prompt_set", "fitting"
        ),
        pk=batch_id,
    )
    now = timezone.now()
    # The progress before the places: what is made in between is shown at the next poll.
    progress = progress_of(batch)
    context: dict[str, Any] = {"batch": batch, "progress": progress, "now": now}
    if progress.is_waiting:
        context["ahead"] = runs_ahead(batch)
    places = batch.batchrecipe_set.with_candidates()
    fitting = getattr(batch, "fitting", None)
    asked: QuerySet[Any] = batch.tries.firsts() if fitting else places
    paginator = Paginator(asked, PLACES_A_PAGE)
    paginator.count = progress.total  # known already
    page = paginator.get_page(request.GET.get("page"))
    context["page"] = page
    if request.htmx:  # type: ignore[attr-defined]
        since = parse_since(request.GET.get("since", ""))
        shown = places.filter(position__range=(page.start_index() - 1, page.end_index() - 1))
        context["new_places"] = (
            _fitted_since(shown, batch, since) if fitting else _made_since(shown, since)
        )
        return render(request, "images/_batch.html", context)
    if fitting:
        page.object_list = with_open_places(fitting, page.object_list, places)
    groups = group_by_prompt(page)
    context |= {
        "section": "generate",
        "groups": groups,
        "prompt_count": Recipe.objects.filter(of_batch(batch))
        .exclude(prompt="")
        .values("prompt")
        .distinct()
        .count(),
        "made_before": made_before(batch),
        "is_compact": all(len(places) < IMAGES_OF_A_ROW for _, places in groups),
        "mask_count": count_masks(batch) if any(one.mask_blobs for one, _ in groups) else 0,
        "fitting": fitting,
    }
    if fitting:
        misfits = batch.tries.misfits().select_related("recipe__candidate__image")
        context |= {"misfits": misfits[:MISFITS_SHOWN]}
    return render(request, "images/batch.html", context)


def parse_since(text: str) -> datetime | None:
    """Returns the time in a query; None for what is no time with a zone."""
    try:
        since = parse_datetime(text)
        if since is None or timezone.is_naive(since):
            return None
        return since.astimezone(UTC)  # the database knows no zone further than 15 h away
    except (ValueError, OverflowError):
        return None


def _made_since(places: Any, since: datetime | None) -> Any:
    made = places.exclude(recipe__candidate=None)
    if since is None:
        return made
    return made.filter(recipe__candidate__created_at__gt=since - COMMIT_WITHIN)


def _fitted_since(places: Any, batch: Batch, since: datetime | None) -> Any:
    return places if since is None else places.filter(fitted_since(batch, since - COMMIT_WITHIN))


def with_open_places(
    fitting: Fitting, firsts: Iterable[Try], places: "QuerySet[BatchRecipe]"
) -> list[BatchRecipe | OpenPlace]:
    """Returns what fits where something does, and else a place that waits, or that nothing
    fitted.
    """
    rows = list(firsts)
    positions = [first.position for first in rows]
    taken = {place.position: place for place in places.filter(position__in=positions)}
    return [taken.get(one.position) or one for one in open_places(fitting, rows)]


def of_batch(batch: Batch) -> Q:
    """Recipes that a batch has a place for, or that are its first tries."""
    return Q(batchrecipe__batch=batch) | Q(tries__batch=batch, tries__number=1)


def count_masks(batch: Batch) -> int:
    """Returns how many different sets of masks its recipes follow."""
    recipes = Recipe.objects.filter(of_batch(batch))
    masks = RecipeMask.objects.filter(recipe__in=recipes.values("pk")).order_by("recipe", "blob")
    by_recipe = groupby(masks.values_list("recipe", "blob"), key=itemgetter(0))
    return len({tuple(blob for _, blob in of_recipe) for _, of_recipe in by_recipe})


def group_by_prompt(
    places: Iterable[BatchRecipe | OpenPlace],
) -> list[tuple[Recipe, list[BatchRecipe | OpenPlace]]]:
    """Returns the places of each prompt and masks, with a recipe that has these."""
    groups = groupby(places, key=lambda place: place.prompt_index)
    listed = [list(group) for _, group in groups]
    return [(group[0].recipe, group) for group in listed]


@require_POST
@coordinators_only
def cancel(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=batch_id)
    cancel_batch(batch)
    return redirect("images:batch", batch.pk)


@require_POST
@coordinators_only
def complete(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=batch_id)
    make_missing(batch, created_by=request.user)  # type: ignore[arg-type]
    return redirect("images:batch", batch.pk)
