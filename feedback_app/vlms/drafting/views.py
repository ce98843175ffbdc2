"""The page of reports that studies show: which there are, and three ways to have more."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.remedies import complain
from feedback_app.requests import read
from feedback_app.studies.models import DraftSet
from feedback_app.studies.services import bring_in_drafts
from feedback_app.vlms.drafting.forms import FileForm, SignedDraftsForm, VlmDraftsForm
from feedback_app.vlms.drafting.requests import (
    SignedDraftsRequest,
    VlmDraftsRequest,
    ask_for_signed,
    ask_for_writing,
    rests_on_retracted,
)
from generation.errors import RemediableError

WAYS: dict[str, type[forms.Form]] = {
    "file": FileForm,
    "vlm": VlmDraftsForm,
    "signed": SignedDraftsForm,
}


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def show_drafts(request: HttpRequest) -> HttpResponse:
    """Lists all sets; a form's ``way`` says which of the three was sent."""
    way = request.POST.get("way", "")
    sent_now = {way: (request.POST, request.FILES)}
    forms_of = {}
    for name, kind in WAYS.items():
        data, files = sent_now.get(name, (None, None))
        forms_of[name] = kind(data, files, prefix=name)
    sent = forms_of.get(way)
    if request.method == "POST" and sent is not None and sent.is_valid():
        try:
            said = DOING[way](sent, cast("User", request.user))
        except RemediableError as error:
            complain(sent, None, error)
        else:
            messages.success(request, said)
            return redirect("vlms:drafts")
    sets = DraftSet.objects.select_related("created_by", "run").annotate(
        count=Count("drafts", filter=~Q(drafts__text="")), places=Count("drafts")
    )
    context = {
        "section": "studies",
        "forms": forms_of,
        "sets": [{"set": one, "is_retracted": rests_on_retracted(one)} for one in sets],
    }
    status = 400 if sent is not None and sent.errors else 200
    return render(request, "vlms/drafts.html", context, status=status)


def _bring(form: Any, actor: User) -> str:
    data = form.cleaned_data
    brought = bring_in_drafts(data["name"], data["file"], actor=actor)
    return f"{brought.reports:,} reports came in, {brought.here:,} of them of images here."


def _let_write(form: Any, actor: User) -> str:
    drafts = ask_for_writing(read(VlmDraftsRequest, form.values), created_by=actor)
    return f"“{drafts}” is being written. Studies can choose it now, and open once it is there."


def _keep_signed(form: Any, actor: User) -> str:
    drafts = ask_for_signed(read(SignedDraftsRequest, form.values), created_by=actor)
    return f"{drafts.drafts.count():,} reports that readers signed are kept as “{drafts}”."


DOING: dict[str, Callable[[Any, User], str]] = {
    "file": _bring,
    "vlm": _let_write,
    "signed": _keep_signed,
}
