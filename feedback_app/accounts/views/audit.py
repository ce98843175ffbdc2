"""The audit log, for admins only."""

import json
from collections.abc import Iterator

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from feedback_app.accounts.access import admins_only
from feedback_app.accounts.forms import AuditForm
from feedback_app.accounts.models import AuditEvent, AuditEventQuerySet
from feedback_app.csv_files import csv_lines

EVENTS_A_PAGE = 50
COLUMNS = ("at", "person", "action", "target", "target_id", "details", "address")


@require_safe
@admins_only
def show_log(request: HttpRequest) -> HttpResponse:
    form = AuditForm(request.GET)
    page = Paginator(events_of(form), EVENTS_A_PAGE).get_page(request.GET.get("page"))
    is_filtered = any(request.GET.get(name) for name in form.fields)
    context = {"section": "audit", "form": form, "page": page, "is_filtered": is_filtered}
    return render(request, "accounts/audit.html", context)


@require_safe
@admins_only
def download_log(request: HttpRequest) -> StreamingHttpResponse:
    """Answers with what the page shows with these filters, all of it."""
    events = events_of(AuditForm(request.GET))
    response = StreamingHttpResponse(_csv(events), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def events_of(form: AuditForm) -> AuditEventQuerySet:
    """Returns None where the filters make no sense: a log that shows too much misleads."""
    events = AuditEvent.objects.select_related("actor")
    if not form.is_valid():
        return events.none()
    wanted = form.cleaned_data
    if wanted["person"]:
        events = events.of_person(wanted["person"])
    if wanted["action"]:
        events = events.filter(action=wanted["action"])
    return events.between(wanted["first"], wanted["last"])


def _csv(events: AuditEventQuerySet) -> Iterator[str]:
    rows = (
        (
            event.at.isoformat(),
            event.actor.username if event.actor else "",
            event.action,
            event.target,
            event.target_id,
            json.dumps(event.details, ensure_ascii=False) if event.details else "",
            event.address or "",
        )
        for event in events.iterator(chunk_size=500)
    )
    return csv_lines(COLUMNS, rows)
