"""A person's own notices for their programs, and how they want to have them."""

from typing import Any, ClassVar

from django_filters.rest_framework import BooleanFilter, FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.notices.models import Notice, NoticeKind, Way
from feedback_app.notices.services import choose, mark_read, ways_of
from feedback_app.requests import Request as Asked
from feedback_app.rest.views import Listed, Row, Told


class NoticeSerializer(Row):
    """``address`` is the page that it leads to; ``mail`` says what became of its e-mail."""

    is_read = serializers.BooleanField()

    class Meta:
        model = Notice
        fields: ClassVar = [
            "id",
            "kind",
            "text",
            "address",
            "made_at",
            "read_at",
            "is_read",
            "mail",
        ]


class MarkedSerializer(Told):
    marked = serializers.IntegerField()


class WaysSerializer(Told):
    """By kind of notice: here, here and by mail, or none."""

    study_waits = serializers.ChoiceField(choices=Way.choices)
    study_due = serializers.ChoiceField(choices=Way.choices)
    study_paused = serializers.ChoiceField(choices=Way.choices)
    run_done = serializers.ChoiceField(choices=Way.choices)
    run_failed = serializers.ChoiceField(choices=Way.choices)


class WaysRequest(Asked):
    """How notices of these kinds are wanted; a kind that is not named stays as it is."""

    study_waits: Way | None = None
    study_due: Way | None = None
    study_paused: Way | None = None
    run_done: Way | None = None
    run_failed: Way | None = None


class NoticeFilter(FilterSet):
    is_read = BooleanFilter("read_at", lookup_expr="isnull", exclude=True, label="Whether read")

    class Meta:
        model = Notice
        fields: ClassVar = {"kind": ["exact"], "made_at": ["gte", "lte"]}


class NoticesView(Listed):
    """What its caller was told, the newest first; nobody sees another person's."""

    permission_classes = [IsAuthenticated]
    queryset = Notice.objects.order_by("-made_at")
    serializer_class = NoticeSerializer
    filterset_class = NoticeFilter
    ordering_fields = ("made_at",)
    asks = {"choose": WaysRequest}
    answers = {"mark_read": MarkedSerializer, "ways": WaysSerializer, "choose": WaysSerializer}

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(person=self.actor.pk)

    @action(["post"], detail=False, url_path="mark-read")
    def mark_read(self, request: Request) -> Response:
        """All are read from now on."""
        return self.told({"marked": mark_read(self.actor)})

    @action(["get"], detail=False)
    def ways(self, request: Request) -> Response:
        """How notices of each kind are wanted."""
        return self._ways()

    @action(["post"], detail=False)
    def choose(self, request: Request) -> Response:
        """Says how notices are wanted; by mail only where the installation sends any."""
        asked = self.asked(WaysRequest)
        wanted = {kind.value: way for kind in NoticeKind if (way := getattr(asked, kind.value))}
        choose(self.actor, wanted)
        return self._ways()

    def _ways(self) -> Response:
        person = self.actor
        return self.told({kind.value: ways_of([person], kind)[person.pk] for kind in NoticeKind})
