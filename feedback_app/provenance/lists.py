"""The tree of model versions as a list, with what was promoted when and what measures."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django_filters import ChoiceFilter
from django_tables2 import Table

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.models import ModelVersion, Promotion, Scorer
from feedback_app.lists.actions import Action
from feedback_app.lists.filters import ListFilter, WordsFilter
from feedback_app.lists.pages import SORT, ListPage
from feedback_app.lists.tables import NUMBER, CellColumn, TimeColumn
from feedback_app.provenance.lineage import branches
from generation.errors import RemediableError

SHOWN_PROMOTIONS = 20
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "base": ("Base models", {"parent": None}),
    "taught": ("Taught by readings", {"parent__isnull": False}),
    "masks": ("Follows masks", {"follows_masks": True}),
    "promoted": ("Promoted", {"is_promoted": True}),
}


class VersionFilter(ListFilter):
    words = WordsFilter("name", "method", label="Name or method")
    kind = ChoiceFilter(
        choices=[(name, label) for name, (label, _) in KINDS.items()],
        method="of_kind",
        empty_label="Any",
        label="Kind",
    )

    def of_kind(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(**KINDS[value][1])


class VersionTable(Table):
    name = CellColumn(
        "provenance/cells/version.html", verbose_name="Version", accessor="version__name"
    )
    taught = CellColumn(
        "provenance/cells/taught.html", verbose_name="Taught by", accessor="readings"
    )
    gate = CellColumn("provenance/cells/gate.html", orderable=False)
    candidates = CellColumn(
        "provenance/cells/candidates.html", accessor="version__candidate_count", attrs=NUMBER
    )
    evaluation = CellColumn("provenance/cells/evaluation.html", orderable=False)
    since = TimeColumn(accessor="version__created_at")
    promote = CellColumn("provenance/cells/promote.html", orderable=False, attrs=NUMBER)


class VersionList(ListPage):
    listing = "versions"
    section = "versions"
    title = "Models"
    intro = (
        "Base models and the versions that were taught upon them. A gate compares each with its "
        "parent; new batches take the promoted one."
    )
    of_one, of_many = "version", "versions"
    template_name = "provenance/models.html"
    filterset_class = VersionFilter
    table_class: ClassVar[type[Table] | None] = VersionTable
    rows_a_page = 100

    def rows(self) -> "QuerySet[Any]":
        return ModelVersion.objects.order_by("pk")

    def shown(self, found: "QuerySet[Any]") -> Any:
        """Returns the tree's lines, parents before their children unless it is sorted."""
        keys = set(found.values_list("pk", flat=True))
        return [branch for branch in branches() if branch.version.pk in keys]

    def actions(self) -> Sequence[Action]:
        return (Action(slug="beside", label="Lay two side by side", act=_lay_beside),)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        turns = Promotion.objects.in_turn()
        scorers = Scorer.objects.select_related("cohort")
        promotions = Promotion.objects.select_related("version", "created_by")
        return super().get_context_data(**kwargs) | {
            "is_tree": not self.request.GET.get(SORT),
            "scorers": scorers.order_by("-is_active", "kind", "-created_at"),
            "before": turns[-2] if len(turns) > 1 else None,
            "promotions": promotions[:SHOWN_PROMOTIONS],
        }


def _lay_beside(request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponseBase:
    keys = list(rows.values_list("pk", flat=True))
    if len(keys) != 2:
        raise RemediableError(
            f"{len(keys)} version{'s are' if len(keys) > 1 else ' is'} ticked.",
            remedy="Tick two to lay them side by side.",
        )
    chosen = urlencode([("version", key) for key in keys])
    return redirect(f"{reverse('models_beside')}?{chosen}")


models = coordinators_only(VersionList.as_view())
