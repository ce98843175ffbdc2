"""The gate of a VLM version, its promotion, and going back."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.remedies import tell
from feedback_app.requests import read
from feedback_app.vlms.learning.forms import VlmGateForm
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.promotion import (
    go_back_vlm,
    is_unsupported,
    promote_vlm,
    promoted_vlm,
    reason_needed,
    rests_on_retracted,
)
from feedback_app.vlms.learning.requests import (
    VlmGateRequest,
    VlmPromotionRequest,
    ask_for_vlm_gate,
)
from feedback_app.vlms.models import VlmVersion
from generation.errors import RemediableError

SECTION = {"section": "vlms"}


@require_POST
@coordinators_only
def ask(request: HttpRequest, version_id: int) -> HttpResponse:
    version = get_object_or_404(VlmVersion, pk=version_id)
    form = VlmGateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a benchmark, and a margin from 0 to 1.")
        return redirect("vlms:version", version.pk)
    try:
        asked = read(VlmGateRequest, form.values(version))
        gate = ask_for_vlm_gate(asked, created_by=cast("User", request.user))
    except RemediableError as error:
        tell(request, error)
        return redirect("vlms:version", version.pk)
    return redirect("vlms:gate", gate.pk)


@require_safe
@coordinators_only
def show(request: HttpRequest, gate_id: UUID) -> HttpResponse:
    rows = VlmGate.objects.select_related(
        "child", "parent", "instruction_set", "snapshot", "run", "verdict", "created_by"
    )
    gate = get_object_or_404(rows, pk=gate_id)
    is_promoted = promoted_vlm() == gate.child
    context = SECTION | {
        "gate": gate,
        "is_promoted": is_promoted,
        "can_promote": gate.found is not None and not is_promoted and not reason_needed(gate.child),
        "run": gate.run,
        "verdict": gate.found,
        "is_retracted": gate.found is not None
        and (is_unsupported(gate.found) or rests_on_retracted(gate.child)),
    }
    return render(request, "vlms/gate.html", context)


@require_POST
@coordinators_only
def promote(request: HttpRequest, version_id: int) -> HttpResponse:
    version = get_object_or_404(VlmVersion, pk=version_id)
    given = {"version": version.name, "reason": request.POST.get("reason", "")}
    try:
        asked = read(VlmPromotionRequest, given)
        promote_vlm(version, actor=cast("User", request.user), reason=asked.reason)
    except RemediableError as error:
        tell(request, error)
    else:
        messages.success(request, f"{version.name} is promoted.")
    return redirect("vlms:version", version.pk)


@require_POST
@coordinators_only
def back(request: HttpRequest) -> HttpResponse:
    try:
        promotion = go_back_vlm(actor=cast("User", request.user))
    except RemediableError as error:
        tell(request, error)
        return redirect("vlms:list")
    messages.success(request, f"{promotion.version.name} is promoted again.")
    return redirect("vlms:version", promotion.version_id)
