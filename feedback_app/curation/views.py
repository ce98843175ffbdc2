"""Curation pages: policies, what they let in, and the curated sets."""

from typing import Any, cast

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.curation.decisions import decide
from feedback_app.curation.forms import PolicyForm, readable_studies
from feedback_app.curation.models import REASON_MAX, CuratedSet, Policy
from feedback_app.curation.requests import make_policy
from feedback_app.curation.rules import Rules
from feedback_app.curation.services import begin_applying, criteria_of
from feedback_app.curation.tallies import find_tally
from feedback_app.curation.wording import describe, name_means
from feedback_app.remedies import complain, tell
from feedback_app.runs.models import Run
from generation.errors import RemediableError

KEY_DIGITS = 19
SECTION = {"section": "curation"}


@require_safe
@coordinators_only
def list_policies(request: HttpRequest) -> HttpResponse:
    sets = CuratedSet.objects.select_related("policy", "created_by")
    policies = Policy.objects.prefetch_related("studies__criteria")
    context = SECTION | {
        "policies": [
            (policy, name_means(policy.min_mean_scores, names=criteria_of(policy.studies.all())))
            for policy in policies.annotate(Count("curated_sets"))
        ],
        "curated_sets": sets.annotate(item_count=Count("items")),
    }
    return render(request, "curation/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def create(request: HttpRequest) -> HttpResponse:
    """Shows the policy form; while it is filled in, fragments show what would get in."""
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
    """Returns the part of the form that is asked for: the preview, the rules with it, or the
    page.
    """
    htmx = request.htmx  # type: ignore[attr-defined]
    if not htmx:
        return "curation/create.html"
    return f"curation/{'preview' if htmx.target == 'preview' else 'rules'}.html"


def preview_of(rules: Rules | None, **context: Any) -> dict[str, Any]:
    found = find_tally(rules) if rules else None
    return context | {
        "verdict": found and found.tally,
        "run": found and found.run,
        "has_studies": readable_studies().exists(),
    }


@require_safe
@coordinators_only
def show_policy(request: HttpRequest, policy_id: int) -> HttpResponse:
    policy = get_object_or_404(Policy.objects.prefetch_related("studies"), pk=policy_id)
    rules = Rules.of(policy)
    context = SECTION | preview_of(rules, policy=policy) | describe(rules)
    context["curated_sets"] = policy.curated_sets.annotate(item_count=Count("items"))
    context["left_out"] = policy.decisions.standing().select_related("candidate__recipe", "made_by")
    return render(request, "curation/policy.html", context)


@require_POST
@coordinators_only
def apply(request: HttpRequest, policy_id: int) -> HttpResponse:
    policy = get_object_or_404(Policy, pk=policy_id)
    try:
        made = begin_applying(policy, cast("User", request.user))
    except RemediableError as error:
        tell(request, error)
        return redirect("curation:policy", policy_id=policy.pk)
    return redirect("runs:run" if isinstance(made, Run) else "curation:set", made.pk)


@require_POST
@coordinators_only
def let_in(request: HttpRequest, policy_id: int) -> HttpResponse:
    """Takes a decision by hand back: the rules decide on the candidate again."""
    policy = get_object_or_404(Policy, pk=policy_id)
    decision = get_object_or_404(policy.decisions, pk=parse_key(request.POST.get("decision", "")))
    try:
        decide(
            policy,
            [decision.candidate_id],
            is_out=False,
            reason=f"Taken back: {decision.reason}"[:REASON_MAX],
            made_by=cast("User", request.user),
        )
    except RemediableError as error:
        tell(request, error)
    return redirect("curation:policy", policy_id=policy.pk)


def parse_key(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < KEY_DIGITS else None
