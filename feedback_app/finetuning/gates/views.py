"""Pages of a gate: its report, the study about it, and what is promoted because of it."""

import io
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.finetuning.gates.forms import ReadersForm
from feedback_app.finetuning.gates.models import Gate
from feedback_app.finetuning.gates.people import peoples_word
from feedback_app.finetuning.gates.promotion import go_back, needs_reason, promote_version
from feedback_app.finetuning.gates.report import (
    behind,
    embedded,
    masked_sheets,
    report_of,
    sheet_from,
)
from feedback_app.finetuning.gates.services import read_report, start_gate
from feedback_app.finetuning.requests import ask_for_gate_study
from feedback_app.images.candidates.batches import progress_of
from feedback_app.images.models import ModelVersion, Promotion
from feedback_app.remedies import tell
from generation.errors import RemediableError

SECTION = {"section": "versions"}


def gate_of(gate_id: UUID) -> Gate:
    return get_object_or_404(Gate.objects.for_pages(), pk=gate_id)


@require_safe
@coordinators_only
def gate(request: HttpRequest, gate_id: UUID) -> HttpResponse:
    row = gate_of(gate_id)
    found = row.found
    word = peoples_word(row) if found else None
    context = {
        **SECTION,
        "gate": row,
        "spec": row.asked,
        "report": report_of(found) if found else None,
        "sheet": sheet_from(row.child_batch, row.parent_batch),
        "masked_sheets": masked_sheets(row),
        "behind": behind(row),
        "batches": [(side, batch, progress_of(batch)) for side, batch in row.batches],
        "needs_reason": needs_reason(row.child),
        "newest": Gate.objects.filter(child=row.child).first(),
        "word": word,
        "readers_form": ReadersForm() if found and word is None else None,
    }
    return render(request, "finetuning/gate.html", context)


@require_safe
@coordinators_only
def gate_report(request: HttpRequest, gate_id: UUID, form: str) -> FileResponse:
    """Answers with the report to keep: one HTML file without real images, or the figures as
    JSON.
    """
    row = gate_of(gate_id)
    if row.found is None or form not in {"html", "json"}:
        raise Http404
    name = slugify(f"gate {row.child.name} {row.created_at:%Y-%m-%d}")
    content = row.found.report.read() if form == "json" else _page_to_keep(row).encode()
    return FileResponse(
        io.BytesIO(content),
        as_attachment=True,
        filename=f"{name}.{form}",
        content_type="text/html" if form == "html" else "application/json",
    )


def _page_to_keep(row: Gate) -> str:
    assert row.found is not None
    context = {
        "gate": row,
        "spec": row.asked,
        "report": report_of(row.found, address=embedded),
        "sheet": sheet_from(row.child_batch, row.parent_batch, address=embedded),
        "behind": behind(row),
        "word": peoples_word(row),
    }
    return render_to_string("finetuning/gate_to_keep.html", context)


@require_safe
@coordinators_only
def gate_plot(request: HttpRequest, gate_id: UUID, name: str) -> HttpResponse:
    row = gate_of(gate_id)
    if row.found is None:
        raise Http404
    from feedback_app.finetuning.gates.plots import plots_of

    plots = plots_of(read_report(row.found)["figures"], row.asked)
    plot = next((plot for plot in plots if plot.name == name), None)
    if plot is None:
        raise Http404
    response = HttpResponse(plot.svg(), content_type="image/svg+xml")
    response["Cache-Control"] = "private, max-age=86400"
    return response


@require_POST
@coordinators_only
def gate_start(request: HttpRequest, version_id: int) -> HttpResponse:
    version = get_object_or_404(ModelVersion, pk=version_id)
    try:
        started = start_gate(version, created_by=request.user)  # type: ignore[arg-type]
    except RemediableError as error:
        tell(request, error)
        return redirect("models")
    return redirect("finetuning:gate", started.pk)


@require_POST
@coordinators_only
def gate_study(request: HttpRequest, gate_id: UUID) -> HttpResponse:
    row = gate_of(gate_id)
    form = ReadersForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one reader or more.")
        return redirect("finetuning:gate", row.pk)
    try:
        study = ask_for_gate_study(form.request(), row, actor=request.user)  # type: ignore[arg-type]
    except RemediableError as error:
        tell(request, error)
    else:
        messages.success(request, f"The study “{study.name}” is open: its readers find it.")
    return redirect("finetuning:gate", row.pk)


@require_POST
@coordinators_only
def promote(request: HttpRequest, version_id: int) -> HttpResponse:
    version = get_object_or_404(ModelVersion, pk=version_id)
    try:
        promote_version(
            version,
            actor=request.user,  # type: ignore[arg-type]
            reason=request.POST.get("reason", ""),
        )
    except RemediableError as error:
        tell(request, error)
    else:
        messages.success(request, f"{version.name} is promoted: new batches take it.")
    return redirect("models")


@require_POST
@coordinators_only
def back(request: HttpRequest) -> HttpResponse:
    """Go back to the version that was promoted before."""
    try:
        promotion: Promotion = go_back(actor=request.user)  # type: ignore[arg-type]
    except RemediableError as error:
        tell(request, error)
    else:
        messages.success(request, f"{promotion.version.name} is promoted again.")
    return redirect("models")
