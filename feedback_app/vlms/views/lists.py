"""The lists of VLM versions and of instruction sets."""

from typing import Any, ClassVar

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django_filters import ChoiceFilter
from django_tables2 import Column, Table

from feedback_app.accounts.access import coordinators_only
from feedback_app.lists.filters import ListFilter, WordsFilter
from feedback_app.lists.pages import ListPage
from feedback_app.lists.tables import NUMBER, CellColumn, NumberColumn, TimeColumn
from feedback_app.runs.models import State
from feedback_app.vlms.learning.promotion import promoted_vlm
from feedback_app.vlms.models import InstructionSet, VlmVersion
from generation.vlm.model.folders import FAMILIES


class VlmFilter(ListFilter):
    words = WordsFilter("name", label="Name")
    family = ChoiceFilter(choices=list(FAMILIES.items()), empty_label="Any", label="Family")


class VlmTable(Table):
    name = CellColumn("vlms/cells/version.html", verbose_name="Version")
    family = CellColumn("vlms/cells/family.html")
    parent = Column(accessor="parent__name", verbose_name="Taught on from", default="–")
    result_count = NumberColumn(verbose_name="Benchmarks answered")
    sha256 = CellColumn("vlms/cells/weights.html", verbose_name="Weights", orderable=False)
    created_at = TimeColumn(verbose_name="Since")


class VlmList(ListPage):
    listing = "vlms"
    section = "vlms"
    title = "VLMs"
    intro = (
        "Vision-language models: they judge beside readers and are never called readers. Each "
        "figure stands beside what the same model says without looking."
    )
    of_one, of_many = "VLM version", "VLM versions"
    template_name = "vlms/list.html"
    filterset_class = VlmFilter
    table_class: ClassVar[type[Table] | None] = VlmTable

    def rows(self) -> "QuerySet[Any]":
        rows = VlmVersion.objects.select_related("parent")
        promoted = promoted_vlm()
        is_promoted = Q(pk=promoted.pk if promoted else None)
        return rows.annotate(
            result_count=Count("results"),
            is_promoted=ExpressionWrapper(is_promoted, output_field=BooleanField()),
        ).order_by("-created_at", "pk")


class SetFilter(ListFilter):
    words = WordsFilter("name", label="Name")
    state = ChoiceFilter(
        field_name="run__state", choices=State.choices, empty_label="Any", label="State"
    )


class SetTable(Table):
    name = CellColumn("vlms/cells/set.html", verbose_name="Instruction set")
    sources = CellColumn("vlms/cells/sources.html", orderable=False)
    count = CellColumn("vlms/cells/count.html", verbose_name="Instructions", attrs=NUMBER,
                       orderable=False)  # fmt: skip
    questions = CellColumn("vlms/cells/benchmark.html", verbose_name="Benchmark", attrs=NUMBER,
                           orderable=False)  # fmt: skip
    created_at = TimeColumn(verbose_name="Asked for")


class SetList(ListPage):
    listing = "instruction-sets"
    section = "vlms"
    title = "Instruction data"
    intro = (
        "Questions with answers on pictures, that VLMs learn from. A patient is on one side of "
        "the split in all sources; questions on test patients are the benchmark."
    )
    of_one, of_many = "instruction set", "instruction sets"
    template_name = "vlms/sets.html"
    filterset_class = SetFilter
    table_class: ClassVar[type[Table] | None] = SetTable

    def rows(self) -> "QuerySet[Any]":
        return InstructionSet.objects.select_related("run").order_by("-created_at", "pk")


list_versions = coordinators_only(VlmList.as_view())
list_sets = coordinators_only(SetList.as_view())
