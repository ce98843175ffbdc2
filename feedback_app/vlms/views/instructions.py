"""Instruction sets: building one, what it holds, and its files."""

from typing import cast
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from feedback_app.accounts.access import admins_only, coordinators_only
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.images.blobs.places import file_of
from feedback_app.images.cohorts.models import Cohort
from feedback_app.remedies import complain
from feedback_app.requests import read
from feedback_app.vlms.asking import ARCHIVE, SAMPLES, ask_for_instructions
from feedback_app.vlms.forms import InstructionForm
from feedback_app.vlms.models import InstructionSet
from feedback_app.vlms.requests import InstructionRequest
from generation.errors import RemediableError

SECTION = {"section": "vlms"}


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def create(request: HttpRequest) -> HttpResponse:
    actor = cast("User", request.user)
    form = InstructionForm(request.POST or None, is_admin=actor.is_admin, initial={"seed": "0"})
    if request.method == "POST" and form.is_valid():
        try:
            row = ask_for_instructions(read(InstructionRequest, form.values), created_by=actor)
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("vlms:set", row.pk)
    context = SECTION | {"form": form, "has_cohorts": Cohort.objects.exists()}
    return render(request, "vlms/set_new.html", context, status=400 if form.errors else 200)


@require_safe
@coordinators_only
def show_set(request: HttpRequest, set_id: UUID) -> HttpResponse:
    row = get_object_or_404(InstructionSet.objects.select_related("run", "created_by"), pk=set_id)
    context = SECTION | {"row": row, "run": row.run}
    template = "_set" if request.htmx else "set"  # type: ignore[attr-defined]
    return render(request, f"vlms/{template}.html", context)


@require_safe
@admins_only
def download(request: HttpRequest, set_id: UUID) -> HttpResponseBase:
    """Questions, card and benchmark as one archive; texts of real reports may be among them."""
    row = get_object_or_404(InstructionSet.objects.exclude(card={}), pk=set_id)
    if request.method == "GET":
        record(
            "instructions.downloaded",
            actor=cast("User", request.user),
            target=row.name,
            target_id=row.pk,
            address=client_address(request),
        )
    archive = file_of(row.path, ARCHIVE)
    if archive is None:
        raise Http404("There is no archive.")
    return FileResponse(archive.open("rb"), as_attachment=True, filename=ARCHIVE)


@require_safe
@coordinators_only
def show_sample(request: HttpRequest, set_id: UUID, number: int) -> HttpResponseBase:
    row = get_object_or_404(InstructionSet, pk=set_id)
    path = file_of(row.path, f"{SAMPLES}/{number}.png")
    if path is None:
        raise Http404("There is no such picture.")
    return FileResponse(path.open("rb"), content_type="image/png")
