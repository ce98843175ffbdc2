"""The reading page's JSON: cases out, readings in."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback_app.accounts.models import User
from feedback_app.incoming import FiniteFloatField, KnownFieldsSerializer
from feedback_app.readings import claims
from feedback_app.readings.access import (
    guideline_for,
    reader_of,
    require_same_reader,
    slot_for,
    slot_to_read,
)
from feedback_app.readings.admission import admit, case_for
from feedback_app.readings.models import Bookmark, Grade, Shape, SkipReason, Verdict
from feedback_app.readings.preferences import preferences_of, save_preferences
from feedback_app.readings.report_models import POINTS_MAX, ReportReason
from feedback_app.readings.services import (
    ACTIVE_MS_MAX,
    COMMENT_MAX,
    GivenChoice,
    GivenFlag,
    GivenPreference,
    GivenReading,
    GivenRegion,
    GivenReport,
    GivenScore,
    submit_reading,
)
from feedback_app.readings.teaching import gold_feedback
from feedback_app.readings.training import answer_training, refuse_untrained
from feedback_app.readings.unmasking import is_unmasked
from feedback_app.readings.worklist import next_unread
from feedback_app.rest.views import Told
from feedback_app.studies.drafting import TEXT_MAX
from feedback_app.studies.guideline import describe
from feedback_app.studies.models import SCORE_MAX, Slot
from feedback_app.studies.scales import SLUG_LENGTH

PLACES_MAX = 16
HOLDING_MAX = 16


class ScoreSerializer(KnownFieldsSerializer):
    place = serializers.IntegerField(min_value=0, max_value=PLACES_MAX - 1)
    criterion = serializers.CharField(max_length=SLUG_LENGTH)
    value = serializers.IntegerField(min_value=0, max_value=SCORE_MAX)


class ChoiceSerializer(KnownFieldsSerializer):
    criterion = serializers.CharField(max_length=SLUG_LENGTH)
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    place = serializers.IntegerField(
        min_value=0, max_value=PLACES_MAX - 1, allow_null=True, default=None
    )
    strength = serializers.IntegerField(min_value=1, max_value=3, allow_null=True, default=None)


class RegionSerializer(KnownFieldsSerializer):
    shape = serializers.ChoiceField(choices=Shape.choices)
    points = serializers.ListField(
        child=serializers.ListField(child=FiniteFloatField(), min_length=2, max_length=2),
        max_length=200,
    )


class FlagSerializer(KnownFieldsSerializer):
    place = serializers.IntegerField(min_value=0, max_value=PLACES_MAX - 1)
    flag = serializers.CharField(max_length=SLUG_LENGTH)
    grade = serializers.ChoiceField(choices=Grade.choices)
    regions = RegionSerializer(many=True, default=list, max_length=32)  # type: ignore[call-arg]


class ReportSerializer(KnownFieldsSerializer):
    text = serializers.CharField(
        allow_blank=True, max_length=TEXT_MAX, trim_whitespace=True, help_text="As it is signed."
    )
    reasons = serializers.ListField(
        child=serializers.ChoiceField(choices=ReportReason.choices),
        default=list,
        max_length=len(ReportReason),
    )
    is_accepted = serializers.BooleanField(
        default=False, help_text="That the draft is to stay as it is."
    )


class PreferenceSerializer(KnownFieldsSerializer):
    criterion = serializers.CharField(max_length=SLUG_LENGTH)
    points = serializers.IntegerField(
        min_value=-POINTS_MAX, max_value=POINTS_MAX, help_text="Above 0 the right one is better."
    )


class ReadingSerializer(KnownFieldsSerializer):
    """What a browser posts; ``idempotency_key`` is a random UUID made with the reading."""

    idempotency_key = serializers.UUIDField()
    scores = ScoreSerializer(many=True, default=list, max_length=256)  # type: ignore[call-arg]
    choices = ChoiceSerializer(many=True, default=list, max_length=64)  # type: ignore[call-arg]
    flags = FlagSerializer(many=True, default=list, max_length=1024)  # type: ignore[call-arg]
    report = ReportSerializer(default=None, allow_null=True)
    preferences = PreferenceSerializer(  # type: ignore[call-arg]
        many=True, default=list, max_length=16
    )
    comment = serializers.CharField(
        default="", allow_blank=True, max_length=COMMENT_MAX, trim_whitespace=True
    )
    skip_reason = serializers.ChoiceField(choices=SkipReason.choices, default="", allow_blank=True)
    none_acceptable = serializers.BooleanField(default=False)
    active_ms = serializers.IntegerField(default=0, min_value=0, max_value=ACTIVE_MS_MAX)
    display = serializers.DictField(default=dict)


class NextSerializer(KnownFieldsSerializer):
    """``holding``: slots that the page has already, and does not want again.

    ``is_ahead`` says that it is to be kept for later, behind the one that comes next.
    """

    holding = serializers.ListField(
        child=serializers.UUIDField(), default=list, max_length=HOLDING_MAX
    )
    is_ahead = serializers.BooleanField(default=False)


class StoredSerializer(Told):
    slot = serializers.UUIDField()
    revision = serializers.IntegerField()
    feedback = serializers.JSONField(required=False, help_text="What is right, where it is told.")


class LeaseSerializer(Told):
    lease_s = serializers.FloatField(allow_null=True)


CASE = {status.HTTP_200_OK: OpenApiTypes.OBJECT}
NONE = {status.HTTP_204_NO_CONTENT: None}


class ReaderView(APIView):
    """A view of the reader that is logged in, and of no other tab's."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        require_same_reader(request)


class CaseView(ReaderView):
    @extend_schema(responses=CASE)
    def get(self, request: Request, slot_id: UUID) -> Response:
        return Response(case_for(reader_of(request), slot_id))


class ReadingsView(ReaderView):
    @extend_schema(request=ReadingSerializer, responses={status.HTTP_201_CREATED: StoredSerializer})
    def post(self, request: Request, slot_id: UUID) -> Response:
        """Posting the same reading again gives the same answer and stores nothing."""
        serializer = ReadingSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        key = values.pop("idempotency_key")
        answer = _submit(
            given_of(values), slot_id=slot_id, reader=reader_of(request), idempotency_key=key
        )
        return Response({"slot": str(slot_id), **answer}, status=status.HTTP_201_CREATED)


class NextView(ReaderView):
    @extend_schema(request=NextSerializer, responses=CASE | NONE)
    def post(self, request: Request, slot_id: UUID) -> Response:
        """The next case of this slot's study for this reader, claimed where it is a pool."""
        reader = reader_of(request)
        slot = slot_for(reader, slot_id)
        serializer = NextSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        holding = serializer.validated_data["holding"]
        refuse_untrained(slot.study, reader.pk)
        is_ahead = serializer.validated_data["is_ahead"]
        following = _following(slot, reader, holding=holding, is_ahead=is_ahead)
        if following is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(admit(following, holding=holding))


class HeartbeatView(ReaderView):
    @extend_schema(request=None, responses=LeaseSerializer)
    def post(self, request: Request, slot_id: UUID) -> Response:
        slot = slot_for(reader_of(request), slot_id)
        return Response({"lease_s": claims.renew_lease(slot)})


class BookmarkView(ReaderView):
    @extend_schema(request=None, responses=NONE)
    def put(self, request: Request, slot_id: UUID) -> Response:
        Bookmark.objects.get_or_create(slot=slot_for(reader_of(request), slot_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=NONE)
    def delete(self, request: Request, slot_id: UUID) -> Response:
        Bookmark.objects.filter(slot=slot_for(reader_of(request), slot_id)).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class PreferencesView(ReaderView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(preferences_of(reader_of(request)))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request) -> Response:
        return Response(save_preferences(reader_of(request), request.data))


class GuidelineView(ReaderView):
    """How to read, with the examples: for the study's readers and for coordinators."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, study_id: UUID) -> Response:
        user = reader_of(request)
        study = guideline_for(user, study_id)
        found = describe(study, in_all_phases=user.is_coordinator or is_unmasked(study, user))
        for example in found["examples"]:
            example["address"] = reverse("readings:example", args=[study.pk, example.pop("pk")])
        return Response(found)


def _submit(
    given: GivenReading, *, slot_id: UUID, reader: User, idempotency_key: UUID
) -> dict[str, Any]:
    """Returns what the page is answered; what is right is told where that is wanted, once it is
    stored.
    """
    try:
        reading = submit_reading(
            given, slot_id=slot_id, reader=reader, idempotency_key=idempotency_key
        )
    except Http404:
        told = answer_training(
            given, slot_id=slot_id, reader=reader, idempotency_key=idempotency_key
        )
        return {"revision": 1, "feedback": told}
    told_gold = gold_feedback(reading.slot, given) if reading.slot.study.gold_teaches else None
    return {"revision": reading.revision} | ({"feedback": told_gold} if told_gold else {})


def given_of(values: dict[str, Any]) -> GivenReading:
    scores = [GivenScore(**score) for score in values.pop("scores")]
    choices = [GivenChoice(**choice) for choice in values.pop("choices")]
    flags = [_given_flag(flag) for flag in values.pop("flags")]
    report = values.pop("report")
    return GivenReading(
        scores=scores,
        choices=choices,
        flags=flags,
        report=GivenReport(**report) if report else None,
        preferences=[GivenPreference(**one) for one in values.pop("preferences")],
        **values,
    )


def _given_flag(values: dict[str, Any]) -> GivenFlag:
    regions = [
        GivenRegion(shape=region["shape"], points=[(x, y) for x, y in region["points"]])
        for region in values.pop("regions")
    ]
    return GivenFlag(**values, regions=regions)


def _following(slot: Slot, reader: User, *, holding: list[UUID], is_ahead: bool) -> Slot | None:
    if slot.study.is_pool:
        return claims.claim(slot.study, reader, holding=holding, is_ahead=is_ahead)
    following = next_unread(slot, holding=holding)
    return slot_to_read(reader, following) if following else None
