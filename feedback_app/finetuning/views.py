"""Pages on learning: what is new, snapshots, fine-tunes, schedules."""

import io
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from feedback_app.accounts.access import coordinators_only
from feedback_app.finetuning.forms import FineTuneForm, ScheduleForm, SnapshotForm, described
from feedback_app.finetuning.models import FineTune, Schedule, Snapshot
from feedback_app.finetuning.services import (
    count_new_pairs,
    save_schedule,
    start_finetune,
    take_snapshot,
)
from feedback_app.finetuning.services.schedules import design_of, new_pairs_for
from feedback_app.images.models import ModelVersion
from generation.errors import RemediableError

SHOWN = 20
SHOWN_PAIRS = 24
SECTION = {"section": "learning"}


@require_GET
@coordinators_only
def overview(request: HttpRequest) -> HttpResponse:
    fine_tunes = FineTune.objects.select_related("snapshot", "parent", "run", "model_version")
    context = {
        **SECTION,
        "waiting": [_waiting(simulated=simulated) for simulated in (False, True)],
        "snapshots": _snapshots()[:SHOWN],
        "fine_tunes": fine_tunes[:SHOWN],
        "schedules": [
            {"row": schedule, "new_pairs": new_pairs_for(schedule), **design_of(schedule)}
            for schedule in Schedule.objects.select_related("periodic_task__crontab")
        ],
    }
    return render(request, "finetuning/overview.html", context)


def _snapshots() -> QuerySet[Snapshot]:
    return Snapshot.objects.annotate(
        pair_count=Count("pairs", distinct=True),
        reader_count=Count("pairs__reading__reader", distinct=True),
    )


def _waiting(*, simulated: bool) -> dict[str, Any]:
    """How many pairs no snapshot has yet."""
    last = Snapshot.objects.filter(is_simulated=simulated).first()
    new_pairs = count_new_pairs(simulated=simulated, since=last)
    return {"is_simulated": simulated, "new_pairs": new_pairs, "last": last}


@require_http_methods(["GET", "POST"])
@coordinators_only
def snapshot_new(request: HttpRequest) -> HttpResponse:
    initial = {"name": f"Snapshot of {timezone.localtime():%-d %B, %H:%M}"}
    form = SnapshotForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            snapshot = take_snapshot(
                name=form.cleaned_data["name"],
                studies=list(form.cleaned_data["studies"]) or None,
                simulated=form.is_simulated,
                created_by=request.user,  # type: ignore[arg-type]
            )
        except RemediableError as error:
            form.add_error(None, f"{error} {error.remedy}")
        else:
            return redirect("finetuning:snapshot", snapshot.pk)
    return render(request, "finetuning/snapshot_new.html", {**SECTION, "form": form})


@require_GET
@coordinators_only
def snapshot(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = get_object_or_404(_snapshots().select_related("blob"), pk=pk)
    pairs = row.pairs.select_related("reading__slot__case", "reading__reader")
    context = {**SECTION, "snapshot": row, "pairs": pairs.order_by("pk")[:SHOWN_PAIRS]}
    return render(request, "finetuning/snapshot.html", context)


@require_GET
@coordinators_only
def snapshot_file(request: HttpRequest, pk: UUID) -> FileResponse:
    """The preferences as JSON lines, byte for byte as they were hashed."""
    row = get_object_or_404(Snapshot.objects.select_related("blob"), pk=pk)
    return FileResponse(
        io.BytesIO(row.blob.read()),
        as_attachment=True,
        filename=f"{row.pk}.jsonl",
        content_type="application/jsonl",
    )


@require_http_methods(["GET", "POST"])
@coordinators_only
def finetune_new(request: HttpRequest) -> HttpResponse:
    initial = {"snapshot": request.GET.get("snapshot")}
    form = FineTuneForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        fine_tune = start_finetune(
            snapshot=form.cleaned_data["snapshot"],
            parent=form.cleaned_data["parent"],
            method=form.cleaned_data["method"],
            settings=form.settings,
            created_by=request.user,  # type: ignore[arg-type]
        )
        return redirect("finetuning:finetune", fine_tune.pk)
    context = {
        **SECTION,
        "form": form,
        "is_possible": Snapshot.objects.exists() and ModelVersion.objects.exists(),
    }
    return render(request, "finetuning/finetune_new.html", context)


@require_GET
@coordinators_only
def finetune(request: HttpRequest, pk: UUID) -> HttpResponse:
    rows = FineTune.objects.select_related("snapshot", "parent", "run", "model_version", "schedule")
    row = get_object_or_404(rows, pk=pk)
    context = {**SECTION, "fine_tune": row, "settings": described(row)}
    return render(request, "finetuning/finetune.html", context)


@require_http_methods(["GET", "POST"])
@coordinators_only
def schedule_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = get_object_or_404(Schedule, pk=pk) if pk else None
    form = ScheduleForm(request.POST or None, instance=row, initial={"at": "02:00"})
    if request.method == "POST" and form.is_valid():
        saved = save_schedule(form.design, schedule=row)
        messages.success(request, f"The schedule “{saved.name}” is saved.")
        return redirect("finetuning:overview")
    return render(request, "finetuning/schedule.html", {**SECTION, "form": form, "schedule": row})
