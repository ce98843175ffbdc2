"""Pages of what readers prefer among reports: its snapshots, and taking one."""

from typing import Any, ClassVar, cast
from uuid import UUID

from django.db.models import QuerySet
from django.forms import Select
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django_filters import BooleanFilter
from django_tables2 import Table

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.lists.filters import ListFilter, WordsFilter
from feedback_app.lists.pages import ListPage
from feedback_app.lists.tables import CellColumn, NumberColumn, TimeColumn
from feedback_app.remedies import complain
from feedback_app.requests import read
from feedback_app.vlms.learning.dependents import retracted_report_snapshots
from feedback_app.vlms.learning.forms import ReportSnapshotForm
from feedback_app.vlms.learning.models import ReportSnapshot
from feedback_app.vlms.learning.requests import ReportSnapshotRequest, ask_for_report_snapshot
from generation.errors import RemediableError

SECTION = {"section": "vlms"}
SHOWN_LINES = 20
READ_BY = [("", "Anybody"), ("false", "People"), ("true", "Simulated readers")]


class ReportSnapshotFilter(ListFilter):
    words = WordsFilter("name", label="Name")
    is_simulated = BooleanFilter(label="Read by", widget=Select(choices=READ_BY))


class ReportSnapshotTable(Table):
    name = CellColumn("vlms/cells/report_snapshot.html", verbose_name="Snapshot")
    choices = NumberColumn(verbose_name="Choices")
    edits = NumberColumn(verbose_name="Edits")
    accepted = NumberColumn(verbose_name="Accepted as they were")
    created_at = TimeColumn(verbose_name="Taken")


class ReportSnapshotList(ListPage):
    listing = "report-snapshots"
    section = "vlms"
    title = "What readers prefer"
    intro = (
        "Frozen choices between reports and edits of drafts, from which VLM versions are taught. "
        "A fifth of the patients is held out of every lesson, to judge what was learnt."
    )
    of_one, of_many = "snapshot", "snapshots"
    template_name = "vlms/report_snapshots.html"
    filterset_class = ReportSnapshotFilter
    table_class: ClassVar[type[Table] | None] = ReportSnapshotTable

    def rows(self) -> "QuerySet[Any]":
        return ReportSnapshot.objects.with_counts().order_by("-created_at", "pk")


list_snapshots = coordinators_only(ReportSnapshotList.as_view())


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def take(request: HttpRequest) -> HttpResponse:
    initial = {"name": f"Reports of {timezone.localtime():%-d %B, %H:%M}"}
    form = ReportSnapshotForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            asked = read(ReportSnapshotRequest, form.values)
            row = ask_for_report_snapshot(asked, created_by=cast("User", request.user))
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("vlms:report-snapshot", row.pk)
    status = 400 if form.errors else 200
    context = SECTION | {"form": form}
    return render(request, "vlms/report_snapshot_new.html", context, status=status)


@require_safe
@coordinators_only
def show(request: HttpRequest, snapshot_id: UUID) -> HttpResponse:
    rows = ReportSnapshot.objects.with_counts().select_related("blob", "created_by", "replaces")
    snapshot = get_object_or_404(rows, pk=snapshot_id)
    context = SECTION | {
        "snapshot": snapshot,
        "is_retracted": retracted_report_snapshots().filter(pk=snapshot.pk).exists(),
        "held_out": sum(line["is_held_out"] for line in snapshot.lines),
        "lines": snapshot.lines[:SHOWN_LINES],
        "fine_tunes": snapshot.fine_tunes.select_related("run", "parent"),
        "replacements": snapshot.replacements.all(),
    }
    return render(request, "vlms/report_snapshot.html", context)
