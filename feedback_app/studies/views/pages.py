"""Looking at one study with its progress."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from feedback_app.accounts.access import coordinators_only
from feedback_app.studies import services
from feedback_app.studies.access import study_with_progress_of
from feedback_app.studies.change_forms import BatchesForm, ReadersForm, RewardModelForm
from feedback_app.studies.models import CaseReference, CaseRole, Study
from feedback_app.studies.modes import mode_of
from feedback_app.studies.progress import order_progress_of, progress_of

HTTP_NO_CONTENT = 204


@require_GET
@coordinators_only
def detail(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """Shows the page; for htmx its progress only, and only where something was read since."""
    study = study_with_progress_of(study_id)
    is_htmx = request.htmx  # type: ignore[attr-defined]
    if is_htmx and request.GET.get("seen") == f"{study.state}-{study.read_count}":  # type: ignore[attr-defined]
        return HttpResponse(status=HTTP_NO_CONTENT)
    context = {
        "section": "studies",
        "study": study,
        "progress": progress_of(study),
        "drawing": order_progress_of(study),
    }
    if is_htmx and "writing" in request.GET:
        return _writing(request, study)
    if is_htmx:
        response = render(request, "studies/progress.html", context)
        response["HX-Trigger"] = "readings-changed"
        return response
    if study.is_draft and not study.is_being_written:
        context["preview"] = services.preview_study(study)
    elif not study.is_being_written:
        context["readers_form"] = ReadersForm(study=study)
        context["batches_form"] = BatchesForm(study=study)
        if study.is_active:
            context["reward_model_form"] = RewardModelForm(study=study)
    mode = mode_of(study.mode)
    context["shown"], context["facts"] = mode.describe(study), mode.facts(study)
    context["anchors"] = study.cases.filter(role=CaseRole.ANCHOR).count()
    context["referenced"] = CaseReference.objects.filter(case__study=study).count()
    context["gold"] = study.cases.filter(role=CaseRole.GOLD).count()
    return render(request, "studies/detail.html", context)


def _writing(request: HttpRequest, study: Study) -> HttpResponse:
    """Shows how far the study's run is; the whole page once it is finished."""
    response = render(request, "studies/writing.html", {"study": study})
    if not study.is_being_written:
        response["HX-Refresh"] = "true"
    return response
