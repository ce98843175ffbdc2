"""Sets of reports that studies show, for programs."""

from typing import Any, ClassVar

from django.db.models import Count, Q
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.rest.views import Read, Row, user_name
from feedback_app.studies.models import DraftSet
from feedback_app.vlms.drafting.requests import (
    BringDraftsRequest,
    SignedDraftsRequest,
    VlmDraftsRequest,
    ask_for_signed,
    ask_for_writing,
    ask_to_bring,
    rests_on_retracted,
)


class DraftSetSerializer(Row):
    """``asked`` says what they came from; ``sha256`` is empty while a VLM still writes them."""

    reports = serializers.IntegerField()
    is_written = serializers.BooleanField()
    is_retracted = serializers.SerializerMethodField()
    created_by = user_name()

    class Meta:
        model = DraftSet
        fields: ClassVar = [
            "id", "name", "origin", "asked", "reports", "is_written", "sha256", "is_retracted",
            "run", "created_by", "created_at",
        ]  # fmt: skip

    def get_is_retracted(self, drafts: DraftSet) -> bool:
        return rests_on_retracted(drafts)


class DraftSetsView(Read):
    """Reports that studies show; POST brings a file's lines, others are written or were signed."""

    queryset = DraftSet.objects.select_related("run", "created_by").annotate(
        reports=Count("drafts", filter=~Q(drafts__text=""))
    )
    lookup_url_kwarg, lookup_value_converter = "draft_set_id", "int"
    serializer_class = DraftSetSerializer
    asks = {
        "create": BringDraftsRequest,
        "write": VlmDraftsRequest,
        "signed": SignedDraftsRequest,
    }
    statuses = {
        "write": (status.HTTP_202_ACCEPTED,),
        "signed": (status.HTTP_201_CREATED,),
    }
    filterset_fields: ClassVar = {"name": ["exact"], "origin": ["exact"]}
    ordering_fields = ("name", "created_at")

    def create(self, request: Request) -> Response:
        brought = ask_to_bring(self.asked(BringDraftsRequest), created_by=self.actor)
        return self._made(brought.drafts, code=status.HTTP_201_CREATED)

    @action(["post"], detail=False)
    def write(self, request: Request) -> Response:
        """A VLM writes a report of each image, in a run."""
        drafts = ask_for_writing(self.asked(VlmDraftsRequest), created_by=self.actor)
        return self._made(drafts, code=status.HTTP_202_ACCEPTED)

    @action(["post"], detail=False)
    def signed(self, request: Request) -> Response:
        """What readers of a study signed, to be compared with other reports."""
        drafts = ask_for_signed(self.asked(SignedDraftsRequest), created_by=self.actor)
        return self._made(drafts, code=status.HTTP_201_CREATED)

    def _made(self, drafts: DraftSet, *, code: int) -> Response:
        row: Any = self.get_queryset().get(pk=drafts.pk)
        return self.told(row, status=code)
