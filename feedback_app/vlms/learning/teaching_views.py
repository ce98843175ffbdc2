"""The page on which a VLM version is taught what readers prefer."""

import contextlib
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.remedies import complain
from feedback_app.requests import read
from feedback_app.vlms.learning.forms import VlmFineTuneForm
from feedback_app.vlms.learning.models import ReportSnapshot, VlmMethod
from feedback_app.vlms.learning.promotion import promoted_vlm
from feedback_app.vlms.learning.requests import VlmFineTuneRequest, ask_for_vlm_finetune
from feedback_app.vlms.models import VlmVersion
from generation.errors import RemediableError

SECTION = {"section": "vlms"}


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def teach(request: HttpRequest) -> HttpResponse:
    form = VlmFineTuneForm(request.POST or None, initial=_named(request))
    if request.method == "POST" and form.is_valid():
        try:
            asked = read(VlmFineTuneRequest, form.values)
            row = ask_for_vlm_finetune(asked, created_by=cast("User", request.user))
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("runs:run", row.run_id)
    context = SECTION | {
        "form": form,
        "can_teach": VlmVersion.objects.exists() and ReportSnapshot.objects.exists(),
    }
    return render(request, "vlms/teach.html", context, status=400 if form.errors else 200)


def _named(request: HttpRequest) -> dict[str, Any]:
    """Returns what the address names beforehand; the name follows from the version."""
    parent = request.GET.get("parent", "")
    named: dict[str, Any] = {"method": VlmMethod.DPO, "parent": promoted_vlm()}
    if parent:
        named |= {"parent": parent, "name": f"{parent[:80]}-taught"}
    with contextlib.suppress(KeyError, ValidationError):
        named["snapshot"] = ReportSnapshot.objects.filter(pk=request.GET["snapshot"]).first()
    return named
