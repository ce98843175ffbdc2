"""The list of studies."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django_filters import ChoiceFilter, ModelChoiceFilter
from django_tables2 import Column, Table

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.lists.actions import Action, each
from feedback_app.lists.filters import ListFilter, WordsFilter
from feedback_app.lists.pages import ListPage
from feedback_app.lists.tables import CellColumn, NumberColumn, TimeColumn
from feedback_app.studies import services
from feedback_app.studies.choice_fields import OneReaderChoice
from feedback_app.studies.models import Study, StudyState
from feedback_app.studies.modes import mode_choices


class ReaderFilter(ModelChoiceFilter):
    field_class = OneReaderChoice


def readers(_: HttpRequest) -> "QuerySet[User]":
    """Everybody who is a reader of some study."""
    return User.objects.filter(studies__isnull=False).distinct().order_by("last_name", "username")


KINDS = (("own", "Studies"), ("panels", "Panels of adjudication"))


class StudyFilter(ListFilter):
    words = WordsFilter("name", "instructions", label="Name or instructions")
    state = ChoiceFilter(choices=StudyState.choices, empty_label="Any", label="State")
    mode = ChoiceFilter(choices=mode_choices, empty_label="Any", label="Mode")
    readers = ReaderFilter(queryset=readers, empty_label="Anybody", label="Reader")
    kind = ChoiceFilter(choices=KINDS, empty_label="Both", label="Kind", method="of_kind")

    def of_kind(self, rows: "QuerySet[Any]", _: str, kind: str) -> "QuerySet[Any]":
        return rows.filter(adjudicates__isnull=kind == "own")


class StudyTable(Table):
    name = CellColumn("studies/cells/name.html")
    state = CellColumn("studies/cells/state.html")
    mode = Column()
    case_count = NumberColumn(verbose_name="Cases")
    readers = CellColumn("studies/cells/readers.html", orderable=False)
    read_count = CellColumn("studies/cells/read.html", verbose_name="Read")
    created_at = TimeColumn(verbose_name="Designed")


class StudyList(ListPage):
    listing = section = "studies"
    title = "Studies"
    intro = "What readers are asked, about which images."
    of_one, of_many = "study", "studies"
    template_name = "studies/list.html"
    filterset_class = StudyFilter
    table_class: ClassVar[type[Table] | None] = StudyTable
    rows_a_page = 25

    def rows(self) -> "QuerySet[Any]":
        found = Study.objects.with_progress().prefetch_related("readers")
        return found.select_related("adjudicates__study", "slots_run")

    def actions(self) -> Sequence[Action]:
        return (
            Action(slug="pause", label="Pause", act=each(_pause, done="{} paused.")),
            Action(slug="resume", label="Resume", act=each(_resume, done="{} resumed.")),
            Action(
                slug="close",
                label="Close",
                act=each(_close, done="{} closed. All readings stay."),
                confirm="Close the ticked studies? No reading is taken in them any more.",
            ),
        )


def _pause(request: HttpRequest, study: Study) -> object:
    return services.pause_study(study, actor=request.user)  # type: ignore[arg-type]


def _resume(request: HttpRequest, study: Study) -> object:
    return services.resume_study(study, actor=request.user)  # type: ignore[arg-type]


def _close(request: HttpRequest, study: Study) -> object:
    return services.close_study(study, actor=request.user)  # type: ignore[arg-type]


list_studies = coordinators_only(StudyList.as_view())
