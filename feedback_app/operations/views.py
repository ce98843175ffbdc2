"""Pages on which admins erase a person or a cohort, once they have seen what that does."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from feedback_app.accounts.access import admins_only, person_of
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.models import User
from feedback_app.images.cohorts.models import Cohort
from feedback_app.operations.erasure import cohorts, people
from feedback_app.operations.erasure.plans import Plan
from feedback_app.remedies import tell
from generation.errors import RemediableError


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def erase_person(request: HttpRequest, person_id: int) -> HttpResponse:
    person = person_of(person_id)
    answer = _erase(
        request,
        people.plan_for(person),
        section="people",
        back=("accounts:person", person.pk),
        erase=lambda **by: people.erase_person(person, **by),
        said=f"{person.display_name} is erased.",
    )
    return answer or redirect("accounts:person", person.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def erase_cohort(request: HttpRequest, name: str) -> HttpResponse:
    cohort = get_object_or_404(Cohort, name=name)
    answer = _erase(
        request,
        cohorts.plan_for(cohort),
        section="cohorts",
        back=("images:cohort", cohort.name),
        erase=lambda **by: cohorts.erase_cohort(cohort, **by),
        said=f"The cohort {cohort.name} is erased.",
    )
    return answer or redirect("images:cohort", cohort.name)


def _erase(
    request: HttpRequest,
    plan: Plan,
    *,
    section: str,
    back: tuple[str, Any],
    erase: Callable[..., object],
    said: str,
) -> HttpResponse | None:
    """Shows what would be done, and does it where the name was typed; None once it is done."""
    if request.method == "POST":
        if request.POST.get("name", "").strip() == plan.name:
            try:
                erase(by=cast("User", request.user), address=client_address(request))
            except RemediableError as error:
                tell(request, error)
            else:
                messages.success(request, said)
                return None
        else:
            messages.error(request, f"Type {plan.name} to erase it: nothing was done.")
    context = {"section": section, "plan": plan, "back": redirect(*back).url}
    return render(request, "operations/erase.html", context)
