"""Flags that comments name, for coordinators' programs: what is offered, and what is decided."""

from typing import ClassVar
from uuid import UUID

from django_filters.rest_framework import FilterSet, UUIDFilter
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.readings.comment_models import CommentFlag
from feedback_app.rest.views import Nothing, Read, Row, user_name
from feedback_app.results.comment_requests import CommentFlagRequest
from feedback_app.results.comments import decide, take_back


class CommentFlagSerializer(Row):
    """``image`` is the image's number in its case, from 1, whichever order the reader saw."""

    reading = serializers.UUIDField(source="reading_id")
    study = serializers.UUIDField(source="reading.slot.study_id")
    case = serializers.SerializerMethodField()
    image = serializers.SerializerMethodField()
    flag = serializers.CharField(source="kind.slug")
    decided_by = user_name()

    class Meta:
        model = CommentFlag
        fields: ClassVar = [
            "id", "reading", "study", "case", "image", "flag", "is_confirmed", "grade", "box",
            "words", "decided_by", "decided_at",
        ]  # fmt: skip

    def get_case(self, row: CommentFlag) -> int:
        return row.reading.slot.case.position + 1

    def get_image(self, row: CommentFlag) -> int:
        order = [place.image_id for place in row.reading.slot.case.case_images.all()]
        return order.index(row.image_id) + 1


class CommentFlagFilter(FilterSet):
    study = UUIDFilter("reading__slot__study", label="Id of a study")

    class Meta:
        model = CommentFlag
        fields: ClassVar = {"reading": ["exact"], "is_confirmed": ["exact"]}


class CommentFlagsView(Read):
    """Decisions that stand, the last first; a new one for the same flag stands instead."""

    queryset = (
        CommentFlag.objects.standing()
        .select_related("reading__slot__case", "reading__slot__study", "kind", "decided_by")
        .prefetch_related("reading__slot__case__case_images")
        .order_by("-decided_at")
    )
    lookup_url_kwarg, lookup_value_converter = "flag_id", "uuid"
    serializer_class = CommentFlagSerializer
    filterset_class = CommentFlagFilter
    ordering_fields = ("decided_at",)
    asks = {"create": CommentFlagRequest, "back": Nothing}

    def create(self, request: Request) -> Response:
        """Says of a flag that a comment names whether it is meant."""
        row = decide(self.asked(CommentFlagRequest), actor=self.actor)
        return self.told(self.queryset.get(pk=row.pk), status=status.HTTP_201_CREATED)

    @action(["post"], detail=True)
    def back(self, request: Request, flag_id: UUID) -> Response:
        """Nothing is decided of it any more."""
        row = self.get_object()
        take_back(row, actor=self.actor)
        return self.told(row)
