"""Cohort pages: what real data there is, and what was left out of it."""

import csv
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.models import Cohort, Mask, Split
from feedback_app.images.models.cohorts import Sex
from feedback_app.runs.models import Run, State
from generation.conditioning.facts import AGE_BANDS
from generation.conditioning.findings import FINDINGS, NORMAL

IMAGES_A_PAGE = 48
SHOWN_SKIPS = 50
UNKNOWN, NOT_LABELLED = "unknown", "not labelled"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One line of a bar table; ``query`` filters the grid by it."""

    name: str
    count: int
    percent: float
    query: str = ""


def imports_of(cohort: Cohort) -> Any:
    return Run.objects.filter(kind="import_cohort", spec__name=cohort.name)


@require_safe
@coordinators_only
def list_cohorts(request: HttpRequest) -> HttpResponse:
    cohorts = Cohort.objects.with_counts()
    imports = Run.objects.filter(kind="import_cohort").unfinished()
    context = {"section": "cohorts", "cohorts": cohorts, "imports": imports}
    return render(request, "images/cohorts.html", context)


@require_safe
@coordinators_only
def show_cohort(request: HttpRequest, name: str) -> HttpResponse:
    cohort = get_object_or_404(Cohort.objects.with_counts(), name=name)
    context = {"section": "cohorts", "cohort": cohort} | grid_of(cohort, request)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "images/cohort_grid.html", context)
    last_import = imports_of(cohort).first()
    skipped = skipped_of(cohort)
    context |= {
        "tables": tables_of(cohort),
        "run": last_import,
        "skipped": skipped[:SHOWN_SKIPS],
        "skipped_count": len(skipped),
        "skip_reasons": count_reasons(skipped),
    }
    return render(request, "images/cohort.html", context)


def grid_of(cohort: Cohort, request: HttpRequest) -> dict[str, Any]:
    """One page of the cohort's images, of one finding or split where asked for."""
    images = cohort.images.select_related("image", "patient").prefetch_related("masks", "boxes")
    finding, split = request.GET.get("finding", ""), request.GET.get("split", "")
    if finding == NORMAL:
        images = images.filter(findings=[]).exclude(source_labels={})
    elif finding in FINDINGS:
        images = images.filter(findings__contains=[finding])
    if split in Split.values:
        images = images.filter(patient__split=split)
    page = Paginator(images, IMAGES_A_PAGE).get_page(request.GET.get("page"))
    return {"page": page, "finding": finding, "split": split}


def tables_of(cohort: Cohort) -> list[tuple[str, list[Bar]]]:
    """Counts by finding, split, sex, view and age band."""
    rows = list(
        cohort.images.order_by().values_list(
            "findings", "source_labels", "patient__split", "patient__sex", "view", "age_years"
        )
    )
    findings: Counter[str] = Counter()
    for found, labels, *_ in rows:
        findings.update(found or [NORMAL if labels else NOT_LABELLED])
    sexes = dict(Sex.choices)
    columns = {
        "Finding": (findings, [name for name, _ in findings.most_common()]),
        "Split": (Counter(row[2] for row in rows), Split.values),
        "Sex": (
            Counter(sexes[row[3]] if row[3] else UNKNOWN for row in rows),
            [Sex.FEMALE.label, Sex.MALE.label, UNKNOWN],
        ),
        "View": (Counter(row[4] or UNKNOWN for row in rows), ["PA", "AP", UNKNOWN]),
        "Age": (Counter(band_of(row[5]) for row in rows), [*AGE_BANDS, UNKNOWN]),
    }
    return [
        (title, bars_of(counts, order=order, total=len(rows), kind=title.lower()))
        for title, (counts, order) in columns.items()
    ]


def bars_of(counts: Counter[str], *, order: list[str], total: int, kind: str) -> list[Bar]:
    can_filter = {"finding": {*FINDINGS, NORMAL}, "split": set(Split.values)}.get(kind, set())
    return [
        Bar(
            name=name,
            count=counts[name],
            percent=round(100 * counts[name] / total, 1),
            query=f"{kind}={name}" if name in can_filter else "",
        )
        for name in order
        if counts[name]
    ]


def band_of(age_years: int | None) -> str:
    if age_years is None:
        return UNKNOWN
    return next(name for name, oldest in AGE_BANDS.items() if age_years <= oldest)


def skipped_of(cohort: Cohort) -> list[dict[str, str]]:
    """What the last import that came to its end left out."""
    done = imports_of(cohort).filter(state=State.SUCCEEDED).first()
    return done.result["skipped"] if done else []


def count_reasons(skipped: list[dict[str, str]]) -> list[tuple[str, int]]:
    return Counter(skip["what"] for skip in skipped).most_common()


@require_safe
@coordinators_only
def download_skipped(request: HttpRequest, name: str) -> HttpResponse:
    cohort = get_object_or_404(Cohort, name=name)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{cohort.name}-skipped.csv"'
    writer = csv.DictWriter(response, fieldnames=["file", "what", "reason"])
    writer.writeheader()
    writer.writerows(skipped_of(cohort))
    return response


@require_safe
@coordinators_only
def show_mask(request: HttpRequest, mask_id: int) -> HttpResponse:
    mask = get_object_or_404(Mask.objects.select_related("blob"), pk=mask_id)
    response = HttpResponse(mask.blob.read(), content_type=mask.blob.media_type)
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
