"""The reading page's JSON: one case out, one reading in."""

from typing import Any
from uuid import UUID

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback_app.readings.access import reader_of, require_same_reader, slot_for
from feedback_app.readings.cases import describe_case
from feedback_app.readings.models import Grade
from feedback_app.readings.services import (
    ACTIVE_MS_MAX,
    COMMENT_MAX,
    GivenFlag,
    GivenScore,
    submit,
)
from feedback_app.studies.models import SCORE_MAX
from feedback_app.studies.scales import SLUG_LENGTH

PLACES_MAX = 16


class ScoreSerializer(serializers.Serializer[Any]):
    place = serializers.IntegerField(min_value=0, max_value=PLACES_MAX - 1)
    criterion = serializers.CharField(max_length=SLUG_LENGTH)
    value = serializers.IntegerField(min_value=0, max_value=SCORE_MAX)


class FlagSerializer(serializers.Serializer[Any]):
    place = serializers.IntegerField(min_value=0, max_value=PLACES_MAX - 1)
    flag = serializers.CharField(max_length=SLUG_LENGTH)
    grade = serializers.ChoiceField(choices=Grade.choices)


class ReadingSerializer(serializers.Serializer[Any]):
    """What a browser posts; ``idempotency_key`` is a random UUID made with the reading."""

    idempotency_key = serializers.UUIDField()
    scores = ScoreSerializer(many=True, allow_empty=False, max_length=256)  # type: ignore[call-arg]
    flags = FlagSerializer(many=True, required=False, default=list, max_length=1024)  # type: ignore[call-arg]
    comment = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=COMMENT_MAX, trim_whitespace=True
    )
    active_ms = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=ACTIVE_MS_MAX
    )


class CaseView(APIView):
    def get(self, request: Request, slot_id: UUID) -> Response:
        require_same_reader(request)
        case = describe_case(slot_for(reader_of(request), slot_id))
        return Response(case, headers={"Cache-Control": "private, no-store"})


class ReadingsView(APIView):
    def post(self, request: Request, slot_id: UUID) -> Response:
        """Posting the same reading again gives the same answer and stores nothing."""
        require_same_reader(request)
        slot = slot_for(reader_of(request), slot_id)
        serializer = ReadingSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        reading = submit(
            slot=slot,
            reader=reader_of(request),
            idempotency_key=given["idempotency_key"],
            scores=[GivenScore(**score) for score in given["scores"]],
            flags=[GivenFlag(**flag) for flag in given["flags"]],
            comment=given["comment"],
            active_ms=given["active_ms"],
        )
        answer = {"slot": str(slot.pk), "revision": reading.revision}
        return Response(answer, status=status.HTTP_201_CREATED)
