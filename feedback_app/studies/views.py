"""The coordinator's pages: list, design, open, close, reopen, watch."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.models import Batch
from feedback_app.studies import services
from feedback_app.studies.access import study_of
from feedback_app.studies.forms import (
    SCALES_MAX,
    BaseScaleFormSet,
    StudyForm,
    scale_formset,
    scale_initial,
    study_initial,
)
from feedback_app.studies.models import Study
from feedback_app.studies.progress import progress_of
from generation.errors import RemediableError

HTTP_NO_CONTENT = 204


@require_GET
@coordinators_only
def list_studies(request: HttpRequest) -> HttpResponse:
    studies = Study.objects.with_progress().prefetch_related("readers")
    return render(request, "studies/list.html", {"section": "studies", "studies": studies})


@require_http_methods(["GET", "POST"])
@coordinators_only
def create(request: HttpRequest) -> HttpResponse:
    return _design(request, study=None)


@require_http_methods(["GET", "POST"])
@coordinators_only
def edit(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    if not study.is_draft:
        messages.error(request, "The study has been opened, so its design is fixed.")
        return redirect("studies:detail", study.pk)
    return _design(request, study=study)


def _design(request: HttpRequest, *, study: Study | None) -> HttpResponse:
    initial = scale_initial(study)
    form = StudyForm(
        request.POST or None, study=study, initial=study_initial(study) if study else None
    )
    scales = scale_formset(extra=SCALES_MAX - len(initial))(
        request.POST or None, prefix="scale", initial=initial
    )
    if request.method == "POST" and form.is_valid() and scales.is_valid():
        try:
            saved = _save(request, form, scales)
        except RemediableError as error:
            form.add_error(None, f"{error} {error.remedy}")
        else:
            return redirect("studies:detail", saved.pk)
    context = {"section": "studies", "study": study, "form": form, "scales": scales}
    return render(request, "studies/design.html", context)


@transaction.atomic
def _save(request: HttpRequest, form: StudyForm, scales: BaseScaleFormSet) -> Study:
    design = dict(form.cleaned_data)
    batches: list[Batch] = list(design.pop("batches"))
    if form.study is None:
        study = services.create_study(
            **design,
            scales=scales.scales(),
            created_by=request.user,  # type: ignore[arg-type]
        )
    else:
        study = services.redesign_study(form.study, **design, scales=scales.scales())
    added = services.CasesAdded()
    for batch in batches:
        added += services.add_cases_from_batch(study, batch)
    for warning in added.warnings:
        messages.warning(request, warning)
    return study


@require_POST
@coordinators_only
def preview(request: HttpRequest) -> HttpResponse:
    """The fragment beside the form: what these choices would give."""
    form = StudyForm(request.POST)
    form.is_valid()
    design = form.cleaned_data
    context = {
        "preview": services.preview_design(
            mode=design.get("mode", ""),
            batches=design.get("batches", []),
            readers=len(design.get("readers", [])),
            readers_per_case=design.get("readers_per_case", 1),
        )
    }
    return render(request, "studies/preview.html", context)


@require_GET
@coordinators_only
def detail(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """The page; for htmx its progress only, and only where something was read since."""
    study = study_of(study_id)
    context = {"section": "studies", "study": study, "progress": progress_of(study)}
    if not request.htmx:  # type: ignore[attr-defined]
        context["preview"] = services.preview_study(study)
        return render(request, "studies/detail.html", context)
    if request.GET.get("seen") == f"{study.state}-{study.read_count}":  # type: ignore[attr-defined]
        return HttpResponse(status=HTTP_NO_CONTENT)
    response = render(request, "studies/progress.html", context)
    response["HX-Trigger"] = "readings-changed"
    return response


@require_POST
@coordinators_only
def open_study(request: HttpRequest, study_id: UUID) -> HttpResponse:
    said = "“{}” is open. It is on its readers' work lists now."
    return _change(request, study_id, change=services.open_study, said=said)


@require_POST
@coordinators_only
def close_study(request: HttpRequest, study_id: UUID) -> HttpResponse:
    said = "“{}” is closed. All readings stay."
    return _change(request, study_id, change=services.close_study, said=said)


@require_POST
@coordinators_only
def reopen_study(request: HttpRequest, study_id: UUID) -> HttpResponse:
    said = "“{}” is open again. Its readers can go on and revise."
    return _change(request, study_id, change=services.reopen_study, said=said)


def _change(
    request: HttpRequest, study_id: UUID, *, change: Callable[[Study], Study], said: str
) -> HttpResponse:
    try:
        study = change(study_of(study_id))
    except RemediableError as error:
        messages.error(request, f"{error} {error.remedy}")
    else:
        messages.success(request, said.format(study.name))
    return redirect("studies:detail", study_id)
