"""Scorers for programs, to read."""

from typing import ClassVar

from django_filters.rest_framework import CharFilter, FilterSet

from feedback_app.images.scorers.models import Scorer
from feedback_app.rest.views import Read, Row, name_of, user_name


class ScorerSerializer(Row):
    cohort = name_of()
    created_by = user_name()

    class Meta:
        model = Scorer
        fields: ClassVar = [
            "id", "name", "kind", "target", "sha256", "cohort", "taught_by_simulated_readers",
            "figures", "is_active", "owes_measures", "created_by", "created_at",
        ]  # fmt: skip


class ScorerFilter(FilterSet):
    cohort = CharFilter("cohort__name", label="Name of a cohort")

    class Meta:
        model = Scorer
        fields: ClassVar = {"name": ["exact"], "kind": ["exact"], "is_active": ["exact"]}


class ScorersView(Read):
    """Trained networks that measure candidates as they are made."""

    queryset = Scorer.objects.select_related("cohort", "created_by")
    lookup_url_kwarg, lookup_value_converter = "scorer_id", "int"
    serializer_class = ScorerSerializer
    filterset_class = ScorerFilter
    ordering_fields = ("name", "created_at")
