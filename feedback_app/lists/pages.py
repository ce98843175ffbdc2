"""The one way in which a list is shown: its filter, its views, its order, its ticks."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django_filters.views import FilterView
from django_tables2 import RequestConfig, Table

from feedback_app.lists.actions import Action
from feedback_app.lists.models import (
    NAME_LENGTH,
    QUERY_LENGTH,
    VIEWS_MAX,
    HiddenColumns,
    SavedView,
)
from feedback_app.remedies import tell
from generation.errors import RemediableError

SORT = "sort"
NOT_KEPT = ("page",)
PICKS_MAX = 10_000
"""So many rows are acted on at once; more would keep a request waiting."""


class ListPage(FilterView):
    """A list; whoever may open it may keep views of it and do its actions.

    For htmx it is the list alone, below the filter. ``table_class`` is None where the rows
    are no table; the template then shows ``page`` itself.
    """

    http_method_names = ("get", "head", "post")
    template_name = "lists/page.html"
    strict = False

    listing: ClassVar[str]
    """The list's name among saved views."""
    section: ClassVar[str]
    title: ClassVar[str]
    intro: ClassVar[str] = ""
    of_one: ClassVar[str]
    of_many: ClassVar[str]
    table_class: ClassVar[type[Table] | None] = None
    rows_a_page: ClassVar[int] = 50

    def rows(self) -> "QuerySet[Any]":
        """Returns every row that the list may show, in its usual order."""
        raise NotImplementedError

    def shown(self, found: "QuerySet[Any]") -> Any:
        """Returns what the table shows of the rows that fit the filter: these, or lines made of
        them.
        """
        return found

    def actions(self) -> Sequence[Action]:
        """Returns what can be done to ticked rows."""
        return ()

    def is_live(self, page: Any) -> bool:
        """Returns whether the list fetches itself anew while it is looked at."""
        return False

    def get_queryset(self) -> "QuerySet[Any]":
        return self.rows()

    def get_filterset_kwargs(self, filterset_class: Any) -> dict[str, Any]:
        return super().get_filterset_kwargs(filterset_class) | {"data": self.request.GET}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = kwargs["object_list"]
        table = self._table(found)
        page = table.page if table else self._paginated(found)
        query = kept_of(self.request.GET)
        views = list(self._views())
        return {
            "view": self,
            "section": self.section,
            "filter": self.filterset,
            "table": table,
            "page": page,
            "actions": self.actions(),
            "is_filtered": bool(self.filterset.asked),
            "is_live": self.is_live(page),
            "sort": self.request.GET.get(SORT, ""),
            "columns": self._columns(table) if table else (),
            "views": views,
            "current": next((view for view in views if view.query == query), None),
            "query": query,
            "layout": "lists/fragment.html" if _asks_for_the_list(self.request) else "base.html",
            "object_list": found,
        }

    def _table(self, found: "QuerySet[Any]") -> Table | None:
        """Returns it sorted and at its page; rows that are alike keep an order of their own."""
        if self.table_class is None:
            return None
        table = self.table_class(self.shown(found))
        RequestConfig(self.request, paginate=False).configure(table)
        for name in self._hidden():
            table.columns.hide(name)
        rows = table.data.data
        if isinstance(rows, QuerySet) and self.request.GET.get(SORT):
            table.data.data = rows.order_by(*rows.query.order_by, "pk")
        # With a paginator of its own a table is counted by the database, not by loading all rows.
        table.paginator = Paginator(table.rows, self.rows_a_page)
        table.page = table.paginator.get_page(self.request.GET.get("page"))
        return table

    def _paginated(self, found: Any) -> Any:
        return Paginator(found, self.rows_a_page).get_page(self.request.GET.get("page"))

    def _hidden(self) -> list[str]:
        """Returns the columns that this person hides; the first one, which leads on, never is."""
        kept = HiddenColumns.objects.filter(owner=self.request.user.pk, listing=self.listing)
        names = kept.values_list("names", flat=True).first() or []
        return [name for name in names if name in self._may_hide()]

    def _columns(self, table: Table) -> list[tuple[str, str, bool]]:
        """Returns name, header and whether it is shown, of every column that can be hidden."""
        hidden = set(self._hidden())
        named = {column.name: str(column.header) for column in table.columns.all()}
        return [(name, named[name], name not in hidden) for name in self._may_hide()]

    def _may_hide(self) -> list[str]:
        return list(self.table_class.base_columns)[1:] if self.table_class else []

    def _views(self) -> "QuerySet[SavedView]":
        return SavedView.objects.filter(owner=self.request.user.pk, listing=self.listing)

    # -- what is sent

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asked = request.POST.get("action", "")
        if asked == "keep-view":
            return self._keep_view(request)
        if asked == "drop-view":
            name = request.POST.get("name", "")
            self._views().filter(name=name).delete()
            return redirect(request.path)
        if asked == "keep-columns":
            return self._keep_columns(request)
        action = next((one for one in self.actions() if one.slug == asked), None)
        if action is None:
            raise SuspiciousOperation(f"The list has no action {asked!r}.")
        return self._act(request, action)

    def _act(self, request: HttpRequest, action: Action) -> HttpResponseBase:
        rows = self._picked(request)
        if not rows:
            messages.warning(request, f"Tick at least one {self.of_one} first.")
        elif rows.count() > PICKS_MAX:
            messages.warning(request, f"Narrow them down to {PICKS_MAX:,} at most.")
        else:
            try:
                if answer := action.act(request, rows):
                    return answer
            except RemediableError as error:
                tell(request, error)
        return redirect(request.get_full_path())

    def _picked(self, request: HttpRequest) -> "QuerySet[Any]":
        """Returns the ticked rows, or all that fit the filter, in the list's usual order."""
        self.filterset = self.get_filterset(self.get_filterset_class())
        found: QuerySet[Any] = self.filterset.qs
        if request.POST.get("all"):
            return found
        try:
            return self.rows().filter(pk__in=request.POST.getlist("pick"))
        except (ValueError, ValidationError) as error:
            raise SuspiciousOperation("A tick names no row.") from error

    def _keep_columns(self, request: HttpRequest) -> HttpResponse:
        shown = set(request.POST.getlist("column"))
        HiddenColumns.objects.update_or_create(
            owner_id=request.user.pk,
            listing=self.listing,
            defaults={"names": [name for name in self._may_hide() if name not in shown]},
        )
        return redirect(request.get_full_path())

    def _keep_view(self, request: HttpRequest) -> HttpResponse:
        name = " ".join(request.POST.get("name", "").split())[:NAME_LENGTH]
        query = kept_of(request.GET)
        if not name or len(query) > QUERY_LENGTH:
            messages.error(request, "Give the view a name.")
        elif self._views().exclude(name=name).count() >= VIEWS_MAX:
            messages.error(request, f"Remove a view first: {VIEWS_MAX} are the most of one list.")
        else:
            SavedView.objects.update_or_create(
                owner_id=request.user.pk, listing=self.listing, name=name, defaults={"query": query}
            )
            messages.success(request, f"“{name}” is kept among your views of this list.")
        return redirect(request.get_full_path())


def kept_of(asked: QueryDict) -> str:
    """Returns what of an address makes a view: what is filtered and sorted by, in a fixed order."""
    kept = sorted(
        (name, value)
        for name, values in asked.lists()
        for value in values
        if value and name not in NOT_KEPT
    )
    query = QueryDict(mutable=True)
    for name, value in kept:
        query.appendlist(name, value)
    return query.urlencode()


def _asks_for_the_list(request: HttpRequest) -> bool:
    """Returns whether htmx wants the list alone; going back in history it wants the page."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.history_restore_request
