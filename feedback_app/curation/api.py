"""Policies and curated sets for coordinators' programs."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Count
from django_filters.rest_framework import CharFilter, FilterSet
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.curation.models import CuratedItem, CuratedSet, Policy
from feedback_app.curation.requests import CuratedSetRequest, PolicyRequest, curate, make_policy
from feedback_app.rest.views import Read, Row, user_name


class PolicySerializer(Row):
    studies = serializers.SlugRelatedField[Any](slug_field="name", many=True, read_only=True)
    vetoing_flags = serializers.ListField(child=serializers.CharField())
    created_by = user_name()

    class Meta:
        model = Policy
        fields: ClassVar = [
            "id", "name", "studies", "min_readers", "min_mean_scores", "min_measures",
            "vetoing_flags", "vetoing_grade", "refuses_copies", "uses_simulated_readers",
            "created_by", "created_at",
        ]  # fmt: skip


class PolicyFilter(FilterSet):
    study = CharFilter("studies__name", label="Name of a study")

    class Meta:
        model = Policy
        fields: ClassVar = {"name": ["exact"]}


class PoliciesView(Read):
    """Rules that a candidate must meet; they stay as they were made."""

    queryset = Policy.objects.select_related("created_by").prefetch_related("studies")
    lookup_url_kwarg, lookup_value_converter = "policy_id", "int"
    serializer_class = PolicySerializer
    asks = {"create": PolicyRequest}
    filterset_class = PolicyFilter
    ordering_fields = ("name", "created_at")

    def create(self, request: Request) -> Response:
        made = make_policy(self.asked(PolicyRequest), created_by=self.actor)
        return self.told(made, status=status.HTTP_201_CREATED)


class CuratedSetSerializer(Row):
    policy = serializers.CharField(source="policy.name")
    items = serializers.IntegerField(source="item_count")
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)
    created_by = user_name()

    class Meta:
        model = CuratedSet
        fields: ClassVar = [
            "id", "policy", "rules", "sha256", "is_simulated", "considered", "refused", "items",
            "replaces", "created_by", "created_at",
        ]  # fmt: skip


class CuratedItemSerializer(Row):
    candidate = serializers.UUIDField(source="candidate_id")

    class Meta:
        model = CuratedItem
        fields: ClassVar = ["position", "candidate", "mean_scores", "measures", "reader_count"]


class CuratedSetFilter(FilterSet):
    policy = CharFilter("policy__name", label="Name of a policy")

    class Meta:
        model = CuratedSet
        fields: ClassVar = {"sha256": ["exact"], "is_simulated": ["exact"]}


class CuratedSetsView(Read):
    """What policies let in, the newest first; POST applies a policy to the readings of now."""

    queryset = CuratedSet.objects.select_related("policy", "created_by").annotate(
        item_count=Count("items")
    )
    lookup_url_kwarg, lookup_value_converter = "set_id", "uuid"
    serializer_class = CuratedSetSerializer
    answers = {"items": CuratedItemSerializer}
    asks = {"create": CuratedSetRequest}
    listings = frozenset({"list", "items"})
    filterset_class = CuratedSetFilter
    ordering_fields = ("created_at",)

    def create(self, request: Request) -> Response:
        """Where readings say the same as before, it is the same set."""
        made = curate(self.asked(CuratedSetRequest), created_by=self.actor)
        row = self.get_queryset().get(pk=made.pk)
        return self.told(row, status=status.HTTP_201_CREATED)

    @action(["get"], detail=True)
    def items(self, request: Request, set_id: UUID) -> Response:
        return self.page_of(self.get_object().items.order_by("position"))
