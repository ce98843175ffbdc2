"""The cases of a draft: which are anchors, and which have known answers."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback_app.accounts.access import coordinators_only
from feedback_app.remedies import complain, tell
from feedback_app.studies import services
from feedback_app.studies.access import study_of
from feedback_app.studies.gold_forms import GoldForm
from feedback_app.studies.models import Case, CaseRole
from feedback_app.studies.modes import mode_of
from generation.errors import RemediableError

CASES_A_PAGE = 24


@require_GET
@coordinators_only
def show_cases(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    cases = study.cases.prefetch_related("case_images", "gold_answers").order_by("position")
    context = {
        "section": "studies",
        "study": study,
        "mode": mode_of(study.mode),
        "page": Paginator(cases, CASES_A_PAGE).get_page(request.GET.get("page")),
        "anchors": study.cases.filter(role=CaseRole.ANCHOR).count(),
    }
    return render(request, "studies/cases.html", context)


@require_POST
@coordinators_only
def toggle_anchor(request: HttpRequest, study_id: UUID, case_id: UUID) -> HttpResponse:
    """Make a draft's case an anchor, or an ordinary case again."""
    study = study_of(study_id)
    case = get_object_or_404(study.cases, pk=case_id)
    anchors = set(study.cases.filter(role=CaseRole.ANCHOR).values_list("pk", flat=True))
    try:
        services.pick_anchors(study, anchors ^ {case.pk})
    except RemediableError as error:
        tell(request, error)
    return _back_to(case)


@require_http_methods(["GET", "POST"])
@coordinators_only
def edit_gold(request: HttpRequest, study_id: UUID, case_id: UUID) -> HttpResponse:
    """Shows the known answers of one case of a draft."""
    study = study_of(study_id)
    case = get_object_or_404(study.cases, pk=case_id)
    form = GoldForm(request.POST if request.method == "POST" else None, case=case)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_gold(study, case, form.answers())
        except RemediableError as error:
            complain(form, None, error)
        else:
            return _back_to(case)
    context = {"section": "studies", "study": study, "case": case, "form": form}
    return render(request, "studies/gold.html", context)


def _back_to(case: Case) -> HttpResponse:
    page = case.position // CASES_A_PAGE + 1
    address = redirect("studies:cases", case.study_id).url
    return redirect(f"{address}?page={page}#case-{case.position}")
