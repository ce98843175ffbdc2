"""Pages on learning: what is new, snapshots, fine-tunes, schedules."""

import io
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from feedback_app.accounts.access import coordinators_only
from feedback_app.finetuning.forms import FineTuneForm, ScheduleForm, SnapshotForm
from feedback_app.finetuning.methods import FACTS
from feedback_app.finetuning.models import FineTune, Gate, Method, Schedule, Snapshot
from feedback_app.finetuning.requests import ask_for_finetune
from feedback_app.finetuning.services import (
    save_schedule,
)
from feedback_app.finetuning.services.marked import count_marked_pairs
from feedback_app.finetuning.services.remarks import count_remarks
from feedback_app.finetuning.services.schedules import design_of, new_readings_so_far
from feedback_app.finetuning.services.snapshots import begin_snapshot
from feedback_app.finetuning.services.yields import new_pairs_so_far
from feedback_app.finetuning.wording import described
from feedback_app.images.models import Blob, ModelVersion
from feedback_app.remedies import complain
from feedback_app.runs.models import Run
from generation.errors import RemediableError

if TYPE_CHECKING:
    from feedback_app.charts.plots import Plot

SHOWN = 20
SHOWN_PAIRS = 24
SECTION = {"section": "learning"}
CONTENT_TYPES = {"svg": "image/svg+xml", "csv": "text/csv; charset=utf-8"}


@require_GET
@coordinators_only
def overview(request: HttpRequest) -> HttpResponse:
    fine_tunes = FineTune.objects.select_related(
        "snapshot", "parent", "run", "model_version"
    ).prefetch_related("model_version__gates__verdict", "model_version__gates__run")
    context = {
        **SECTION,
        "waiting": [_waiting(simulated=simulated) for simulated in (False, True)],
        "snapshots": Snapshot.objects.with_counts()[:SHOWN],
        "fine_tunes": fine_tunes[:SHOWN],
        "schedules": [
            {"row": schedule, "new_pairs": new_readings_so_far(schedule), **design_of(schedule)}
            for schedule in Schedule.objects.select_related("periodic_task__crontab")
        ],
    }
    return render(request, "finetuning/overview.html", context)


def _waiting(*, simulated: bool) -> dict[str, Any]:
    """Returns how many pairs no snapshot has yet."""
    last = Snapshot.objects.filter(is_simulated=simulated).first()
    new_pairs = new_pairs_so_far(simulated=simulated, since=last)
    return {"is_simulated": simulated, "new_pairs": new_pairs, "last": last}


@require_http_methods(["GET", "POST"])
@coordinators_only
def snapshot_new(request: HttpRequest) -> HttpResponse:
    initial = {"name": f"Snapshot of {timezone.localtime():%-d %B, %H:%M}"}
    form = SnapshotForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = begin_snapshot(
                name=form.cleaned_data["name"],
                studies=list(form.cleaned_data["studies"]),
                simulated=form.is_simulated,
                prefers_final=form.cleaned_data["prefers_final"],
                created_by=request.user,  # type: ignore[arg-type]
            )
        except RemediableError as error:
            complain(form, None, error)
        else:
            page = "runs:run" if isinstance(made, Run) else "finetuning:snapshot"
            return redirect(page, made.pk)
    return render(request, "finetuning/snapshot_new.html", {**SECTION, "form": form})


@require_GET
@coordinators_only
def snapshot(request: HttpRequest, pk: UUID) -> HttpResponse:
    rows = Snapshot.objects.with_counts().select_related("blob", "remarks")
    row = get_object_or_404(rows, pk=pk)
    pairs = row.pairs.select_related("reading__slot__case", "reading__reader")
    rated = row.rated_images.select_related("image", "reading__slot__case", "reading__reader")
    context = {
        **SECTION,
        "snapshot": row,
        "marked_pairs": count_marked_pairs(row),
        "remarks": count_remarks(row),
        "pairs": pairs.order_by("pk")[:SHOWN_PAIRS],
        "ratings": rated.order_by("pk")[:SHOWN_PAIRS],
    }
    return render(request, "finetuning/snapshot.html", context)


@require_GET
@coordinators_only
def snapshot_file(request: HttpRequest, pk: UUID) -> FileResponse:
    """Answers with the preferences as JSON lines, byte for byte as they were hashed."""
    row = get_object_or_404(Snapshot.objects.select_related("blob"), pk=pk)
    return _lines(row.blob, name=f"{row.pk}.jsonl")


@require_GET
@coordinators_only
def snapshot_remarks(request: HttpRequest, pk: UUID) -> FileResponse:
    """Answers with what readers wrote, flagged and skipped, as JSON lines."""
    row = get_object_or_404(Snapshot.objects.exclude(remarks=None).select_related("remarks"), pk=pk)
    assert row.remarks is not None
    return _lines(row.remarks, name=f"{row.pk}-remarks.jsonl")


def _lines(blob: Blob, *, name: str) -> FileResponse:
    return FileResponse(
        io.BytesIO(blob.read()),
        as_attachment=True,
        filename=name,
        content_type="application/jsonl",
    )


@require_http_methods(["GET", "POST"])
@coordinators_only
def finetune_new(request: HttpRequest) -> HttpResponse:
    """Shows the form; for htmx the part of it that depends on snapshot and method."""
    is_fragment = bool(request.htmx)  # type: ignore[attr-defined]
    form = FineTuneForm(request.POST or None, initial=_chosen_so_far(request))
    if request.method == "POST" and form.is_valid():
        try:
            fine_tune = ask_for_finetune(
                form.request(),
                created_by=request.user,  # type: ignore[arg-type]
            )
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("finetuning:finetune", fine_tune.pk)
    context = {
        **SECTION,
        "form": form,
        "is_possible": Snapshot.objects.exists() and ModelVersion.objects.exists(),
        "is_fragment": is_fragment,
    }
    template = "finetuning/_method.html" if is_fragment else "finetuning/finetune_new.html"
    return render(request, template, context)


def _chosen_so_far(request: HttpRequest) -> dict[str, Any]:
    """Another snapshot has its own recommendation: the method chosen before is forgotten.

    What learns, by default, follows from snapshot and parent.
    """
    chosen: dict[str, Any] = request.GET.dict()
    changed = request.htmx.trigger_name  # type: ignore[attr-defined]
    if changed == "snapshot":
        chosen.pop("method", None)
    if changed in {"snapshot", "parent"}:
        chosen.pop("adapted", None)
    return chosen


@require_GET
@coordinators_only
def finetune(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = _finetune(pk)
    context = {
        **SECTION,
        "fine_tune": row,
        "settings": described(row),
        "figures_explained": FACTS[Method(row.method)].figures,
        "plot": _plot_of(row),
        "gate": Gate.objects.for_pages().filter(child__fine_tune=row).first(),
    }
    return render(request, "finetuning/finetune.html", context)


def _plot_of(row: FineTune) -> "Plot | None":
    """Returns None until there is a curve; what draws it is slow to import."""
    if not row.curve:
        return None
    from feedback_app.finetuning.curves import curve_plot

    return curve_plot(row.curve)


def _finetune(pk: UUID) -> FineTune:
    rows = FineTune.objects.select_related(
        "snapshot", "parent", "real_cohort", "run", "model_version", "schedule"
    )
    return get_object_or_404(rows, pk=pk)


@require_GET
@coordinators_only
def finetune_curve(request: HttpRequest, pk: UUID, form: str) -> HttpResponse:
    """Shows the figures of the training by step, as SVG or CSV."""
    plot = _plot_of(_finetune(pk))
    if plot is None or form not in CONTENT_TYPES:
        raise Http404("There is no such curve of this fine-tune.")
    content = plot.svg() if form == "svg" else plot.csv()
    response = HttpResponse(content, content_type=CONTENT_TYPES[form])
    if form == "csv" or "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="curve.{form}"'
    return response


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
