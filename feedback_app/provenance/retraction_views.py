"""Retraction pages: who or what is retracted, what rests on it, and making that anew."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.models import User
from feedback_app.finetuning.models import RewardModel
from feedback_app.finetuning.services.reward_models import training_in_place_of
from feedback_app.images.models import Scorer
from feedback_app.provenance.impact import (
    Impact,
    Replaceable,
    impact_of,
    impact_of_all,
    impact_of_retraction,
    latest_of,
)
from feedback_app.provenance.naming import KINDS, kind_of
from feedback_app.provenance.rebuilding import Outcome, ask_for_rebuild, rebuild
from feedback_app.provenance.retraction_forms import (
    ReasonForm,
    RetractionForm,
    retractable,
    whose,
)
from feedback_app.readings.retraction_models import Retraction
from feedback_app.readings.services.retractions import retract, undo_retraction
from feedback_app.remedies import complain, tell
from generation.errors import RemediableError

SECTION = {"section": "studies"}


@dataclass(frozen=True)
class Line:
    """Something that rests on the readings, and what stands in its place."""

    row: Replaceable
    kind: str
    replacement: Replaceable | None
    is_for_admins: bool
    """Whether only an admin may rebuild or open it."""
    training: RewardModel | None = None
    """The training that is to give another reward model in this one's place."""

    @property
    def kind_words(self) -> str:
        return self.kind if self.kind == "fine-tune" else self.kind.replace("-", " ")


def retractions() -> Any:
    return Retraction.objects.select_related("reader", "study", "made_by", "undone_by")


@require_safe
@coordinators_only
def list_retractions(request: HttpRequest) -> HttpResponse:
    lines = [(one, impact_of_retraction(one)) for one in retractions()]
    return render(request, "provenance/retractions.html", SECTION | {"lines": lines})


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def create(request: HttpRequest) -> HttpResponse:
    """Shows the form, with all that rests on the readings before they are retracted."""
    target = request.POST.get("target") or request.GET.get("target", "")
    form = RetractionForm(request.POST or None, initial={"target": target})
    if request.method == "POST" and form.is_valid():
        try:
            made = retract(
                **form.whose,
                reason=form.cleaned_data["reason"],
                made_by=cast("User", request.user),
                address=client_address(request),
            )
        except RemediableError as error:
            complain(form, None, error)
        else:
            messages.success(request, f"The readings of the {made} are retracted.")
            return redirect("retractions:show", made.pk)
    impact = impact_of_target(target)
    context = SECTION | {"form": form, "impact": impact, "lines": lines_of(impact)}
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "provenance/_impact_before.html", context)
    status = 400 if form.errors else 200
    return render(request, "provenance/retraction_new.html", context, status=status)


def impact_of_target(target: str) -> Impact | None:
    """Returns None where no reader or study is chosen that could be retracted."""
    if target not in retractable():
        return None
    return impact_of(Retraction(**whose(target)).sources)


def lines_of(impact: Impact | None) -> list[Line]:
    if impact is None:
        return []
    tainted = impact_of_all()
    lines = []
    for row in impact.rebuildable:
        latest = latest_of(row)
        is_replaced = latest != row and latest not in tainted
        kind = kind_of(row)
        training = training_in_place_of(row) if isinstance(row, Scorer) else None
        replacement = latest if is_replaced else None
        lines.append(Line(row, kind, replacement, kind == "export", training))
    return lines


@require_safe
@coordinators_only
def show(request: HttpRequest, retraction_id: UUID) -> HttpResponse:
    retraction = get_object_or_404(retractions(), pk=retraction_id)
    impact = impact_of_retraction(retraction)
    lines = lines_of(impact)
    context = SECTION | {
        "retraction": retraction,
        "impact": impact,
        "lines": lines,
        "is_rebuilt": all(line.replacement for line in lines),
        "reason_form": ReasonForm(),
    }
    return render(request, "provenance/retraction.html", context)


@require_POST
@coordinators_only
def undo(request: HttpRequest, retraction_id: UUID) -> HttpResponse:
    retraction = get_object_or_404(retractions(), pk=retraction_id)
    try:
        undo_retraction(
            retraction,
            reason=request.POST.get("reason", ""),
            undone_by=cast("User", request.user),
            address=client_address(request),
        )
    except RemediableError as error:
        tell(request, error)
    else:
        messages.success(request, f"The readings of the {retraction} count again.")
    return redirect("retractions:show", retraction.pk)


@require_POST
@coordinators_only
def rebuild_all(request: HttpRequest, retraction_id: UUID) -> HttpResponse:
    retraction = get_object_or_404(retractions(), pk=retraction_id)
    try:
        outcome = ask_for_rebuild(retraction, asked_by=cast("User", request.user))
    except RemediableError as error:
        tell(request, error)
    else:
        tell_outcome(request, outcome)
    return redirect("retractions:show", retraction.pk)


def tell_outcome(request: HttpRequest, outcome: Outcome) -> None:
    made = len(outcome.made)
    messages.success(request, f"{made} rebuilt or started." if made else "Nothing new was started.")
    for line in outcome.waiting:
        messages.info(request, line)
    for line in dict.fromkeys(outcome.refused):
        messages.warning(request, line)


@require_POST
@coordinators_only
def rebuild_one(request: HttpRequest, retraction_id: UUID) -> HttpResponse:
    retraction = get_object_or_404(retractions(), pk=retraction_id)
    row = row_of(request.POST.get("kind", ""), request.POST.get("row", ""))
    try:
        rebuild(row, asked_by=cast("User", request.user))
    except RemediableError as error:
        tell(request, error)
    return redirect("retractions:show", retraction.pk)


def row_of(kind: str, pk: str) -> Replaceable:
    if kind not in KINDS:
        raise Http404
    try:
        return cast("Replaceable", get_object_or_404(KINDS[kind], pk=pk))
    except (ValidationError, ValueError) as error:
        raise Http404 from error
