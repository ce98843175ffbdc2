"""Retractions for coordinators' programs."""

from typing import Any, ClassVar
from uuid import UUID

from django_filters.rest_framework import BooleanFilter, CharFilter, FilterSet, UUIDFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.accounts.addresses import client_address
from feedback_app.provenance.impact import (
    Impact,
    impact_of,
    impact_of_all,
    impact_of_retraction,
    latest_of,
)
from feedback_app.provenance.naming import describe as name_of
from feedback_app.provenance.naming import kind_of
from feedback_app.provenance.rebuilding import ask_for_rebuild
from feedback_app.provenance.requests import (
    ReasonRequest,
    RetractionRequest,
    TargetRequest,
    find_target,
)
from feedback_app.readings.retraction_models import Retraction
from feedback_app.readings.services.retractions import retract, undo_retraction
from feedback_app.rest.views import Read, Row, Told, user_name


class RebuiltThingSerializer(Told):
    kind = serializers.SerializerMethodField()
    id = serializers.CharField(source="pk")

    def get_kind(self, row: Any) -> str:
        return kind_of(row)


class RestingSerializer(RebuiltThingSerializer):
    """Something that rests on readings; ``replacement`` was made in its place without them."""

    name = serializers.SerializerMethodField()
    replacement = serializers.SerializerMethodField()

    def get_name(self, row: Any) -> str:
        return name_of(row)

    def get_replacement(self, row: Any) -> str | None:
        latest = latest_of(row)
        is_new = latest != row and latest not in self.context["tainted"]
        return str(latest.pk) if is_new else None


class ImpactSerializer(Told):
    readings = serializers.IntegerField()
    model_versions = serializers.SerializerMethodField()
    vlm_versions = serializers.SerializerMethodField()
    items = serializers.SerializerMethodField()

    def get_model_versions(self, impact: Impact) -> list[str]:
        return [version.name for version in impact.versions]

    def get_vlm_versions(self, impact: Impact) -> list[str]:
        return [version.name for version in impact.vlm_versions]

    @extend_schema_field(RestingSerializer(many=True))
    def get_items(self, impact: Impact) -> Any:
        context = {"tainted": impact_of_all()}
        return RestingSerializer(impact.rebuildable, many=True, context=context).data


class RetractionSerializer(Row):
    reader = user_name()
    study = serializers.UUIDField(source="study_id", allow_null=True)
    is_active = serializers.BooleanField()

    class Meta:
        model = Retraction
        fields: ClassVar = [
            "id", "reader", "study", "reason", "made_at", "is_active", "undone_at",
            "undone_reason",
        ]  # fmt: skip


class WholeRetractionSerializer(RetractionSerializer):
    rests_on_it = serializers.SerializerMethodField()

    class Meta(RetractionSerializer.Meta):
        fields: ClassVar = [*RetractionSerializer.Meta.fields, "rests_on_it"]

    @extend_schema_field(ImpactSerializer)
    def get_rests_on_it(self, row: Retraction) -> Any:
        return ImpactSerializer(impact_of_retraction(row)).data


class RebuiltSerializer(Told):
    made = RebuiltThingSerializer(many=True)
    waiting = serializers.ListField(child=serializers.CharField())
    refused = serializers.ListField(child=serializers.CharField())


class RetractionFilter(FilterSet):
    reader = CharFilter("reader__username", label="User name of a reader")
    study = UUIDFilter("study", label="Id of a study")
    is_active = BooleanFilter("undone_at", lookup_expr="isnull", label="Whether it is not undone")


class RetractionsView(Read):
    """Readings that are not to be relied on, the newest retraction first."""

    queryset = Retraction.objects.select_related("reader", "study")
    lookup_url_kwarg, lookup_value_converter = "retraction_id", "uuid"
    serializer_class = RetractionSerializer
    answers = {
        "create": WholeRetractionSerializer,
        "retrieve": WholeRetractionSerializer,
        "preview": ImpactSerializer,
        "rebuild": RebuiltSerializer,
    }
    asks = {"create": RetractionRequest, "preview": TargetRequest, "undo": ReasonRequest}
    filterset_class = RetractionFilter
    ordering_fields = ("made_at",)

    def create(self, request: Request) -> Response:
        asked = self.asked(RetractionRequest)
        reader, study = find_target(asked)
        made = retract(
            reader=reader,
            study=study,
            reason=asked.reason,
            made_by=self.actor,
            address=client_address(request),
        )
        return self.told(made, status=status.HTTP_201_CREATED)

    @action(["post"], detail=False)
    def preview(self, request: Request) -> Response:
        """What would be marked; nothing is retracted."""
        reader, study = find_target(self.asked(TargetRequest))
        return self.told(impact_of(Retraction(reader=reader, study=study).sources))

    @action(["post"], detail=True)
    def undo(self, request: Request, retraction_id: UUID) -> Response:
        row, asked = self.get_object(), self.asked(ReasonRequest)
        undone = undo_retraction(
            row, reason=asked.reason, undone_by=self.actor, address=client_address(request)
        )
        return self.told(undone)

    @action(["post"], detail=True)
    def rebuild(self, request: Request, retraction_id: UUID) -> Response:
        """Everything that rests on it, now and as runs finish; nothing is started twice."""
        return self.told(ask_for_rebuild(self.row(), asked_by=self.actor))
