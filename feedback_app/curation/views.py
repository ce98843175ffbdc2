"""Curation pages: policies, what they let in, and the curated sets."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.curation.forms import PolicyForm, readable_studies
from feedback_app.curation.models import CuratedSet, Policy
from feedback_app.curation.requests import make_policy
from feedback_app.curation.rules import Rules, evaluate, most_first
from feedback_app.curation.services import apply_policy, criteria_of
from feedback_app.images.measures import label_of
from feedback_app.remedies import complain, tell
from feedback_app.studies.models import Study
from generation.errors import RemediableError

ITEMS_A_PAGE = 48
SECTION = {"section": "curation"}


@require_safe
@coordinators_only
def list_policies(request: HttpRequest) -> HttpResponse:
    sets = CuratedSet.objects.select_related("policy", "created_by")
    context = SECTION | {
        "policies": Policy.objects.prefetch_related("studies").annotate(Count("curated_sets")),
        "curated_sets": sets.annotate(item_count=Count("items")),
    }
    return render(request, "curation/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def create(request: HttpRequest) -> HttpResponse:
    """The policy form; while it is filled in, fragments show what would get in."""
    if request.method == "POST":
        form = PolicyForm(request.POST)
        if form.is_valid():
            try:
                policy = make_policy(form.request(), created_by=cast("User", request.user))
            except RemediableError as error:
                complain(form, None, error)
            else:
                messages.success(request, f"The policy {policy.name} is saved.")
                return redirect("curation:policy", policy_id=policy.pk)
    else:
        form = PolicyForm(request.GET if request.htmx else None)  # type: ignore[attr-defined]
    return render(request, template_for(request), SECTION | preview_of(form.rules(), form=form))


def template_for(request: HttpRequest) -> str:
    """The part of the form that is asked for: the preview, the rules with it, or the page."""
    htmx = request.htmx  # type: ignore[attr-defined]
    if not htmx:
        return "curation/create.html"
    return f"curation/{'preview' if htmx.target == 'preview' else 'rules'}.html"


def preview_of(rules: Rules | None, **context: Any) -> dict[str, Any]:
    verdict = evaluate(rules) if rules else None
    return context | {"verdict": verdict, "has_studies": readable_studies().exists()}


@require_safe
@coordinators_only
def show_policy(request: HttpRequest, policy_id: int) -> HttpResponse:
    policy = get_object_or_404(Policy.objects.prefetch_related("studies"), pk=policy_id)
    rules = Rules.of(policy)
    context = SECTION | preview_of(rules, policy=policy) | describe(rules)
    context["curated_sets"] = policy.curated_sets.annotate(item_count=Count("items"))
    return render(request, "curation/policy.html", context)


def describe(rules: Rules) -> dict[str, Any]:
    """Rules in the words of their studies."""
    studies = list(Study.objects.filter(pk__in=rules.studies).prefetch_related("criteria"))
    names = criteria_of(studies)
    return {
        "rules": rules,
        "studies": studies,
        "criteria": names,
        "least_scores": [
            (names.get(slug, slug), least) for slug, least in rules.min_mean_scores.items()
        ],
        "least_measures": [(label_of(name), least) for name, least in rules.min_measures.items()],
    }


@require_POST
@coordinators_only
def apply(request: HttpRequest, policy_id: int) -> HttpResponse:
    policy = get_object_or_404(Policy, pk=policy_id)
    try:
        curated_set = apply_policy(policy, cast("User", request.user))
    except RemediableError as error:
        tell(request, error)
        return redirect("curation:policy", policy_id=policy.pk)
    return redirect("curation:set", set_id=curated_set.pk)


@require_safe
@coordinators_only
def show_set(request: HttpRequest, set_id: UUID) -> HttpResponse:
    curated_set = get_object_or_404(
        CuratedSet.objects.select_related("policy", "created_by"), pk=set_id
    )
    items = curated_set.items.select_related("candidate__recipe__model_version")
    page = Paginator(items, ITEMS_A_PAGE).get_page(request.GET.get("page"))
    context = SECTION | describe(Rules(**curated_set.rules))
    names = context["criteria"]
    context |= {
        "curated_set": curated_set,
        "page": page,
        "cards": [(item, name_means(item.mean_scores, names=names)) for item in page],
        "reasons": most_first(curated_set.refused),
    }
    template = "items" if request.htmx else "set"  # type: ignore[attr-defined]
    return render(request, f"curation/{template}.html", context)


def name_means(means: dict[str, float], *, names: dict[str, str]) -> list[tuple[str, float]]:
    """Mean scores under the names of their criteria, in the order in which readers see them."""
    slugs = [*(slug for slug in names if slug in means), *sorted(means.keys() - names.keys())]
    return [(names.get(slug, slug), means[slug]) for slug in slugs]
