"""The lists of candidates and of batches."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django_filters import ChoiceFilter, ModelChoiceFilter
from django_tables2 import Column, Table

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.candidates.batches import cancel_batch
from feedback_app.images.candidates.fitting_models import Try
from feedback_app.images.candidates.forms import list_orders
from feedback_app.images.candidates.models import Batch, BatchRecipe, Candidate
from feedback_app.images.candidates.picks import keep_picks
from feedback_app.images.versions.models import ModelVersion
from feedback_app.lists.actions import Action, each
from feedback_app.lists.filters import ListFilter, WordsFilter
from feedback_app.lists.pages import ListPage
from feedback_app.lists.tables import CellColumn, TimeColumn
from feedback_app.related import number_of
from generation.conditioning.findings import FINDINGS, NORMAL
from generation.errors import RemediableError

BATCHES_MAX = 40
"""So many keys fit into an address."""


def findings() -> list[tuple[str, str]]:
    """Returns every finding of the vocabulary in words, and none."""
    return [(NORMAL, "None: normal"), *((one, one.capitalize()) for one in FINDINGS)]


class CandidateFilter(ListFilter):
    version = ModelChoiceFilter(
        field_name="recipe__model_version",
        queryset=ModelVersion.objects.all(),
        label="Model version",
        empty_label="Any",
    )
    batch = ModelChoiceFilter(
        field_name="recipe__batches", queryset=Batch.objects.all(), empty_label="Any", label="Batch"
    )
    finding = ChoiceFilter(
        choices=findings, method="of_finding", empty_label="Any", label="Finding"
    )
    unfit = ChoiceFilter(
        choices=[("yes", "Only those"), ("no", "Without those")],
        method="that_did_not_fit",
        empty_label="With all others",
        label="Did not fit a batch",
    )
    words = WordsFilter("recipe__prompt", label="Words of the prompt")
    order = ChoiceFilter(
        choices=[one for one in list_orders() if one[0]],
        method="in_order",
        empty_label="Newest first",
        label="Order",
    )

    def of_finding(self, rows: Any, name: str, value: str) -> Any:
        if value == NORMAL:
            return rows.filter(recipe__findings=[])
        return rows.filter(recipe__findings__contains=[value])

    def that_did_not_fit(self, rows: Any, name: str, value: str) -> Any:
        """Returns those that a batch had made and did not take, or all others."""
        misfits = Try.objects.misfits().values("recipe")
        if value == "yes":
            return rows.filter(recipe__in=misfits)
        return rows.exclude(recipe__in=misfits)

    def in_order(self, rows: Any, name: str, value: str) -> Any:
        """By a measure; a minus stands for the lowest first."""
        return rows.by_measure(value.removeprefix("-"), lowest_first=value.startswith("-"))

    @property
    def asked(self) -> dict[str, str]:
        return {name: value for name, value in super().asked.items() if name != "order"}


class CandidateList(ListPage):
    listing = section = "gallery"
    title = "Gallery"
    intro = "Every candidate that was made."
    of_one, of_many = "candidate", "candidates"
    template_name = "images/gallery.html"
    filterset_class = CandidateFilter
    rows_a_page = 60

    def rows(self) -> "QuerySet[Any]":
        return Candidate.objects.for_gallery()

    def actions(self) -> Sequence[Action]:
        return (Action(slug="study", label="Into a study", act=_into_a_study),)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        order = self.request.GET.get("order", "").removeprefix("-").replace("-", " ")
        has_masks = any(candidate.recipe.conditioning for candidate in context["page"])
        return context | {"order": order, "has_masks": has_masks}


def _into_a_study(request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponseBase:
    keep_picks(request, rows.values_list("pk", flat=True))
    return redirect("studies:picked")


class BatchFilter(ListFilter):
    words = WordsFilter("name", label="Name")
    version = ModelChoiceFilter(
        field_name="model_version",
        queryset=ModelVersion.objects.all(),
        label="Model version",
        empty_label="Any",
    )


class BatchTable(Table):
    name = CellColumn("images/cells/batch.html")
    model_version = Column(accessor="model_version__name", verbose_name="Model version")
    made_count = CellColumn("images/cells/made.html", verbose_name="Made")
    created_by = CellColumn("images/cells/asked_by.html", verbose_name="Asked for by")
    created_at = TimeColumn(verbose_name="Asked for")


class BatchList(ListPage):
    listing = "batches"
    section = "generate"
    title = "Batches"
    intro = "Every request for candidates, and how much of it is made."
    of_one, of_many = "batch", "batches"
    template_name = "images/batches.html"
    filterset_class = BatchFilter
    table_class: ClassVar[type[Table] | None] = BatchTable

    def rows(self) -> "QuerySet[Any]":
        return batches_with_progress().order_by("-created_at", "pk")

    def actions(self) -> Sequence[Action]:
        return (
            Action(slug="study", label="New study of these", act=_study_of),
            Action(
                slug="cancel",
                label="Cancel what is not made",
                act=each(lambda _, batch: cancel_batch(batch), done="{} cancelled."),
                confirm="Cancel what the ticked batches have not made yet?",
            ),
        )


def batches_with_progress() -> "QuerySet[Batch]":
    """Adds how many images each asks for, and of how many there is a candidate that counts."""
    places = BatchRecipe.objects.filter(batch=OuterRef("pk"))
    return Batch.objects.select_related("model_version", "created_by", "fitting").annotate(
        recipe_count=Coalesce("fitting__images", number_of(places)),
        made_count=number_of(places.made()),
    )


def _study_of(request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponseBase:
    keys = [str(key) for key in rows.values_list("pk", flat=True)[: BATCHES_MAX + 1]]
    if len(keys) > BATCHES_MAX:
        raise RemediableError(
            f"More than {BATCHES_MAX} batches are ticked.", remedy="Choose fewer for one study."
        )
    return redirect(f"{reverse('studies:create')}?{urlencode([('batches', key) for key in keys])}")


list_candidates = coordinators_only(CandidateList.as_view())
list_batches = coordinators_only(BatchList.as_view())
