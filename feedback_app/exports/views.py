"""Export pages, for admins only."""

from typing import cast
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from feedback_app.accounts.access import admins_only
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedSet
from feedback_app.exports.downloads import DESPITE, hand_out
from feedback_app.exports.forms import ExportForm, PreferencesForm
from feedback_app.exports.models import Export
from feedback_app.exports.requests import PreferencesRequest
from feedback_app.exports.services import (
    ask_for_export,
    ask_for_preferences,
    file_name_of,
    rests_on_retracted,
)
from feedback_app.finetuning.models import Snapshot

SECTION = {"section": "exports"}


def exports() -> QuerySet[Export]:
    return Export.objects.select_related(
        "curated_set__policy", "snapshot", "run__created_by", "blob"
    )


@require_safe
@admins_only
def list_exports(request: HttpRequest) -> HttpResponse:
    return render(request, "exports/list.html", SECTION | {"exports": exports()})


@require_POST
@admins_only
def create(request: HttpRequest) -> HttpResponse:
    form = ExportForm(request.POST)
    if not form.is_valid():
        raise Http404
    asked = form.request()
    get_object_or_404(CuratedSet, pk=asked.curated_set)
    export = ask_for_export(asked, created_by=cast("User", request.user))
    return redirect("exports:export", export_id=export.pk)


@require_POST
@admins_only
def create_preferences(request: HttpRequest) -> HttpResponse:
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        raise Http404
    asked = PreferencesRequest(snapshot=form.cleaned_data["snapshot"])
    get_object_or_404(Snapshot, pk=asked.snapshot)
    export = ask_for_preferences(asked, created_by=cast("User", request.user))
    return redirect("exports:export", export_id=export.pk)


@require_safe
@admins_only
def show(request: HttpRequest, export_id: UUID) -> HttpResponse:
    export = get_object_or_404(exports(), pk=export_id)
    context = SECTION | {
        "export": export,
        "run": export.run,
        "file_name": file_name_of(export),
        "layout": export.layout,
    }
    if export.curated_set:
        context["image_count"] = export.curated_set.items.count()
    template = "detail" if request.htmx else "export"  # type: ignore[attr-defined]
    return render(request, f"exports/{template}.html", context)


@require_safe
@admins_only
def download(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """Streams the archive from the storage; warns first where readings are retracted."""
    export = get_object_or_404(exports().filter(blob__isnull=False), pk=export_id)
    is_marked = rests_on_retracted(export)
    if is_marked and request.GET.get("despite") != DESPITE:
        context = SECTION | {"export": export, "file_name": file_name_of(export)}
        return render(request, "exports/retracted.html", context, status=409)
    return hand_out(
        export,
        actor=cast("User", request.user),
        address=client_address(request),
        is_marked=is_marked,
        is_logged=request.method == "GET",
    )
