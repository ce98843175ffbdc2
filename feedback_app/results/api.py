"""Readings for coordinators' programs: what the file of readings has, row by row."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.http import StreamingHttpResponse
from django_filters.rest_framework import BooleanFilter, CharFilter, FilterSet, UUIDFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.audit import record
from feedback_app.accounts.pseudonyms import pseudonym_of
from feedback_app.readings.adjudication.withdrawing import withdraw
from feedback_app.readings.models import Reading
from feedback_app.readings.report_models import ReportPreference, WrittenReport
from feedback_app.rest.permissions import IsCoordinator
from feedback_app.rest.views import Listed, Read, Row, Told, user_name
from feedback_app.results.access import study_with_results
from feedback_app.results.adjudication_requests import (
    RoundRequest,
    ask_for_adjudication,
    find_study_of,
)
from feedback_app.results.readings_file.columns import role_of
from feedback_app.results.rounds import describe
from feedback_app.studies.models import Adjudication, Case, Study


class PlacedSerializer(Told):
    """``image`` is CASE-PLACE, from 1; ``image_id`` is missing while the study is blind."""

    image = serializers.SerializerMethodField()
    image_id = serializers.SerializerMethodField()

    def get_image(self, part: Any) -> str | None:
        if part.image_id is None:
            return None
        case = self.context["case"]
        order = [place.image_id for place in case.case_images.all()]
        return f"{case.position + 1}-{order.index(part.image_id) + 1}"

    def get_image_id(self, part: Any) -> str | None:
        is_told = part.image_id is not None and self.context["case"].study.tells_source
        return str(part.image_id) if is_told else None


class StoredScoreSerializer(PlacedSerializer):
    criterion = serializers.CharField(source="criterion.slug")
    value = serializers.IntegerField()


class StoredChoiceSerializer(PlacedSerializer):
    """``image`` is the better one, where one is."""

    criterion = serializers.CharField(source="criterion.slug")
    verdict = serializers.CharField()
    strength = serializers.IntegerField(allow_null=True)


class StoredFlagSerializer(PlacedSerializer):
    flag = serializers.CharField(source="kind.slug")
    grade = serializers.CharField()


class StoredReportSerializer(Told):
    """A report that a reader would sign; ``draft_source`` is missing while the study is blind."""

    draft = serializers.CharField(source="draft.text", default=None, allow_null=True)
    draft_source = serializers.SerializerMethodField()
    text = serializers.CharField()
    is_accepted = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())
    changed_characters = serializers.IntegerField(allow_null=True)
    changed_words = serializers.IntegerField(allow_null=True)

    def get_draft_source(self, report: WrittenReport) -> str | None:
        is_told = report.draft is not None and self.context["case"].study.tells_source
        return report.draft.source if report.draft and is_told else None


class StoredPreferenceSerializer(Told):
    """``left_report`` is 1 or 2: which report of the case stood on the left."""

    criterion = serializers.CharField(source="criterion.slug")
    points = serializers.IntegerField()
    left_report = serializers.SerializerMethodField()
    left_source = serializers.SerializerMethodField()

    def get_left_report(self, preference: ReportPreference) -> int:
        return preference.left.position + 1

    def get_left_source(self, preference: ReportPreference) -> str | None:
        return preference.left.source if self.context["case"].study.tells_source else None


class StoredReadingSerializer(Row):
    """``role`` says whether it is a study's reading or one of an adjudication, blind or final.

    ``case`` is then the number of the case that was sent, in its own study.
    """

    study = serializers.CharField(source="slot.study.name")
    case = serializers.SerializerMethodField()
    repetition = serializers.IntegerField(source="slot.repetition")
    phase = serializers.CharField(source="slot.phase")
    role = serializers.SerializerMethodField()
    case_role = serializers.SerializerMethodField()
    reader = serializers.SerializerMethodField()
    scores = serializers.SerializerMethodField()
    choices = serializers.SerializerMethodField()
    flags = serializers.SerializerMethodField()
    report = serializers.SerializerMethodField()
    preferences = serializers.SerializerMethodField()

    class Meta:
        model = Reading
        fields: ClassVar = [
            "id", "study", "role", "case", "case_role", "repetition", "phase", "reader",
            "is_simulated", "revision", "skip_reason", "none_acceptable", "comment", "active_ms",
            "created_at", "scores", "choices", "flags", "report",
            "preferences",
        ]  # fmt: skip

    def get_role(self, reading: Reading) -> str:
        return role_of(reading.slot.phase)

    def get_case(self, reading: Reading) -> int:
        return self._planned(reading).position + 1

    def get_case_role(self, reading: Reading) -> str:
        return self._planned(reading).role

    def _planned(self, reading: Reading) -> Case:
        """Returns the study's case; of an adjudication's copy the one that it is a copy of."""
        case = reading.slot.case
        return case.copied_from.original if hasattr(case, "copied_from") else case

    def get_reader(self, reading: Reading) -> str:
        names: bool = self.context["names"]
        return reading.reader.username if names else pseudonym_of(reading.reader_id)

    @extend_schema_field(StoredScoreSerializer(many=True))
    def get_scores(self, reading: Reading) -> Any:
        return self._parts(StoredScoreSerializer, reading, reading.scores)

    @extend_schema_field(StoredChoiceSerializer(many=True))
    def get_choices(self, reading: Reading) -> Any:
        return self._parts(StoredChoiceSerializer, reading, reading.choices)

    @extend_schema_field(StoredFlagSerializer(many=True))
    def get_flags(self, reading: Reading) -> Any:
        return self._parts(StoredFlagSerializer, reading, reading.flags)

    @extend_schema_field(StoredReportSerializer(allow_null=True))
    def get_report(self, reading: Reading) -> Any:
        report = getattr(reading, "report", None)
        if report is None:
            return None
        return StoredReportSerializer(report, context={"case": reading.slot.case}).data

    @extend_schema_field(StoredPreferenceSerializer(many=True))
    def get_preferences(self, reading: Reading) -> Any:
        return self._parts(StoredPreferenceSerializer, reading, reading.preferences)

    def _parts(self, kind: Any, reading: Reading, rows: Any) -> Any:
        return kind(rows.all(), many=True, context={"case": reading.slot.case}).data


class ReadingFilter(FilterSet):
    study = UUIDFilter("slot__study", label="Id of a study")
    study_name = CharFilter("slot__study__name", label="Name of a study")
    is_last = BooleanFilter(method="that_count", label="Whether to leave out revised readings")
    names = BooleanFilter(method="as_they_are", label="Readers by name instead of by pseudonym")

    class Meta:
        model = Reading
        fields: ClassVar = {
            "is_simulated": ["exact"],
            "skip_reason": ["exact"],
            "created_at": ["gte", "lte"],
        }

    def that_count(self, rows: Any, _: str, is_last: bool) -> Any:
        return rows.current() if is_last else rows

    def as_they_are(self, rows: Any, _: str, __: bool) -> Any:
        return rows


class ReadingsView(Listed):
    """What readers submitted, in the order in which they did; each page is in the audit log.

    Readers come by pseudonym, the same as in the file of readings, unless ``names`` are asked
    for. While a study is blind, nothing leads to where its images are from.
    """

    queryset = (
        Reading.objects.select_related(
            "slot__case__study",
            "slot__case__copied_from__original",
            "slot__study",
            "reader",
            "report__draft",
        )
        .prefetch_related(
            "slot__case__case_images",
            "scores__criterion",
            "choices__criterion",
            "flags__kind",
            "preferences__criterion",
            "preferences__left",
        )
        .order_by("created_at", "pk")
    )
    serializer_class = StoredReadingSerializer
    filterset_class = ReadingFilter
    ordering_fields = ("created_at",)

    @property
    def names(self) -> bool:
        return self.request.query_params.get("names", "").lower() == "true"

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "names": self.request and self.names}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer = super().list(request, *args, **kwargs)
        query = request.query_params
        study = Study.objects.filter(pk=query["study"]).first() if query.get("study") else None
        record(
            "study.readings_taken_out",
            actor=self.actor,
            target=study.name if study else query.get("study_name", "all studies"),
            target_id=study.pk if study else "",
            details={"file": "api", "page": query.get("page", "1"), "names": self.names},
            address=client_address(request),
        )
        return answer


class RoundSerializer(Row):
    """A round; ``read`` of the ``slots`` were read blind, ``settled`` have a final reading."""

    study = serializers.UUIDField(source="study_id")
    panel = serializers.UUIDField(source="panel_id")
    name = serializers.CharField(source="panel.name")
    state = serializers.CharField(source="panel.state")
    sent_by = user_name()
    adjudicators = serializers.SerializerMethodField()
    cases = serializers.SerializerMethodField()
    slots = serializers.IntegerField(source="told.slots")
    read = serializers.IntegerField(source="told.read")
    settled = serializers.IntegerField(source="told.settled")
    waiting = serializers.IntegerField(source="told.waiting")
    withdrawn = serializers.IntegerField(source="told.withdrawn")

    class Meta:
        model = Adjudication
        fields: ClassVar = [
            "id", "study", "panel", "name", "state", "sent_by", "sent_at", "adjudicators",
            "cases", "slots", "read", "settled", "waiting", "withdrawn",
        ]  # fmt: skip

    def get_adjudicators(self, adjudication: Adjudication) -> list[str]:
        return sorted(reader.username for reader in adjudication.panel.readers.all())

    def get_cases(self, adjudication: Adjudication) -> list[int]:
        """Numbers of the study's cases, from 1."""
        return sorted(sent.original.position + 1 for sent in adjudication.cases.all())


class RoundFilter(FilterSet):
    study = UUIDFilter("study", label="Id of the study whose cases were sent")


class RoundsView(Read):
    """Rounds of adjudication, the newest first; sending is append-only, what is open goes back."""

    queryset = (
        Adjudication.objects.select_related("panel", "sent_by")
        .prefetch_related("panel__readers", "cases__original")
        .order_by("-sent_at")
    )
    lookup_url_kwarg, lookup_value_converter = "round_id", "uuid"
    serializer_class = RoundSerializer
    filterset_class = RoundFilter
    ordering_fields = ("sent_at",)
    asks = {"create": RoundRequest}

    def prepare(self, rows: Sequence[Any]) -> None:
        for row in rows:
            row.told = describe(row)

    def create(self, request: Request) -> Response:
        """Sends cases of a study to adjudicators; they are told."""
        asked = self.asked(RoundRequest)
        sent = ask_for_adjudication(asked, find_study_of(asked), sent_by=self.actor)
        return self.told(self.queryset.get(pk=sent.pk), status=status.HTTP_201_CREATED)

    @action(["post"], detail=True)
    def withdraw(self, request: Request, round_id: UUID) -> Response:
        """What is still open is taken back; what was read stays."""
        withdraw(self.row(), actor=self.actor)
        return self.told(self.get_object())


class ReadingsFileView(APIView):
    """It streams a table as CSV, the regions as COCO, or iMRMC's layout, as it streams.

    ``?names=yes`` names readers, which is noted in the audit log; else they have pseudonyms.
    """

    permission_classes = [IsCoordinator]
    query_parameters = frozenset({"names"})

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Whatever a program says it accepts, the address says what it gets."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="studies_files_get",
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, "application/json"): OpenApiTypes.BINARY,
        },
        parameters=[OpenApiParameter("names", enum=["yes"], required=False)],
    )
    def get(self, request: Request, study_id: UUID, name: str, form: str) -> StreamingHttpResponse:
        from feedback_app.results.files import readings_file

        return readings_file(
            study_with_results(study_id),
            name,
            form,
            names=request.GET.get("names") == "yes",
            actor=request.user,  # type: ignore[arg-type]
        )
