"""Reports that were written elsewhere: which there are, and bringing in more."""

from typing import cast

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.remedies import complain
from feedback_app.studies import services
from feedback_app.studies.models import DraftSet
from feedback_app.studies.models.reports import SOURCE_LENGTH
from generation.errors import RemediableError


class DraftsForm(forms.Form):
    """A file of reports, and under which name a study chooses them."""

    name = forms.CharField(
        max_length=SOURCE_LENGTH,
        help_text="Who or what wrote them, a model and its version say. Readers never see it.",
    )
    file = forms.FileField(
        help_text='JSON lines: {"image": SHA-256 of the picture, "text": its report}.'
    )


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def show_drafts(request: HttpRequest) -> HttpResponse:
    form = DraftsForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            brought = services.bring_in_drafts(
                data["name"], data["file"], actor=cast("User", request.user)
            )
        except RemediableError as error:
            complain(form, None, error)
        else:
            messages.success(
                request,
                f"{brought.reports:,} reports came in, {brought.here:,} of them of images here.",
            )
            return redirect("studies:drafts")
    sets = DraftSet.objects.select_related("created_by").annotate(count=Count("drafts"))
    context = {"section": "studies", "form": form, "sets": sets}
    return render(request, "studies/drafts.html", context)
