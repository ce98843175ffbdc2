"""Cohort pages: what real data there is, and what was left out of it."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.csv_files import csv_lines
from feedback_app.images.blobs.views import answer_with
from feedback_app.images.cohorts.figures import ages_of, plots_of, shared_of
from feedback_app.images.cohorts.filters import choices_of, filter_images
from feedback_app.images.cohorts.import_report import WARNING
from feedback_app.images.cohorts.models import Cohort, ImportSkip, Mask
from feedback_app.runs.models import Run
from generation.datasets.layouts import LAYOUTS

IMAGES_A_PAGE = 48
SHOWN_SKIPS = 50
SHOWN_REASONS = 12


def imports_of(cohort: Cohort) -> "QuerySet[Run]":
    return Run.objects.filter(kind="import_cohort", spec__name=cohort.name)


@require_safe
@coordinators_only
def list_cohorts(request: HttpRequest) -> HttpResponse:
    cohorts = Cohort.objects.with_counts()
    imports = Run.objects.filter(kind="import_cohort").unfinished()
    context = {
        "section": "cohorts",
        "cohorts": cohorts,
        "imports": imports,
        "layouts": LAYOUTS,
    }
    return render(request, "images/cohorts.html", context)


@require_safe
@coordinators_only
def show_cohort(request: HttpRequest, name: str) -> HttpResponse:
    cohort = get_object_or_404(Cohort.objects.with_counts(), name=name)
    context = {"section": "cohorts", "cohort": cohort} | grid_of(cohort, request)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "images/cohort_grid.html", context)
    context |= {
        "plots": plots_of(cohort),
        "ages": ages_of(cohort),
        "shared": shared_of(cohort),
        "run": imports_of(cohort).first(),
    } | report_of(cohort)
    return render(request, "images/cohort.html", context)


def grid_of(cohort: Cohort, request: HttpRequest) -> dict[str, Any]:
    """Returns one page of the cohort's images, of those that were asked for."""
    choices = choices_of(request.GET)
    page = Paginator(filter_images(cohort, choices), IMAGES_A_PAGE)
    return {
        "choices": choices,
        "is_filtered": any(choice.chosen for choice in choices),
        "page": page.get_page(request.GET.get("page")),
    }


def report_of(cohort: Cohort) -> dict[str, Any]:
    """Returns what the last import that came to an end left out, by reason and file by file."""
    everything = skips_of(cohort)
    skips = everything.exclude(what=WARNING)
    reasons = reasons_of(skips)
    return {
        "warnings": reasons_of(everything.filter(what=WARNING)),
        "skips": skips[:SHOWN_SKIPS],
        "skip_count": skips.count(),
        "reasons": reasons[:SHOWN_REASONS],
        "reason_count": reasons.count(),
        "listed_count": everything.count(),
    }


def reasons_of(skips: "QuerySet[ImportSkip]") -> "QuerySet[ImportSkip, Any]":
    """Reasons with how often each of them was given, the most frequent first."""
    rows = skips.order_by().values("what", "reason").annotate(count=Count("pk"))
    return rows.order_by("-count", "reason")


def skips_of(cohort: Cohort) -> "QuerySet[ImportSkip]":
    last = imports_of(cohort).exclude(finished_at=None).first()
    return ImportSkip.objects.filter(run=last) if last else ImportSkip.objects.none()


@require_safe
@coordinators_only
def download_skipped(request: HttpRequest, name: str) -> StreamingHttpResponse:
    cohort = get_object_or_404(Cohort, name=name)
    skips = skips_of(cohort).values_list("file", "what", "reason")
    lines = csv_lines(("file", "what", "reason"), skips.iterator())
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{cohort.name}-skipped.csv"'
    return response


@require_safe
@coordinators_only
def show_mask(request: HttpRequest, mask_id: int) -> HttpResponse:
    mask = get_object_or_404(Mask.objects.select_related("blob"), pk=mask_id)
    return answer_with(mask.blob, is_of_patient=True)
