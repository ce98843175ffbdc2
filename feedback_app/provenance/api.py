"""Retractions for coordinators' programs."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.models import User
from feedback_app.accounts.permissions import IsCoordinator
from feedback_app.incoming import KnownFieldsSerializer
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
from feedback_app.readings.models import Retraction
from feedback_app.readings.services.retractions import REASON_MAX, retract, undo_retraction
from feedback_app.studies.models import Study


class TargetSerializer(KnownFieldsSerializer):
    """A reader by user name, a study by its id, or both: the reader in that study alone."""

    reader = serializers.SlugRelatedField("username", queryset=User.objects.all(), required=False)
    study = serializers.PrimaryKeyRelatedField(queryset=Study.objects.all(), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not {"reader", "study"} & attrs.keys():
            raise serializers.ValidationError("Name a reader, a study, or both.")
        return attrs


class RetractSerializer(TargetSerializer):
    reason = serializers.CharField(max_length=REASON_MAX)


class ReasonSerializer(KnownFieldsSerializer):
    reason = serializers.CharField(max_length=REASON_MAX)


class CoordinatorView(APIView):
    permission_classes = [IsCoordinator]

    @property
    def actor(self) -> User:
        return self.request.user  # type: ignore[return-value]

    def checked(self, kind: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        serializer = kind(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class RetractionsView(CoordinatorView):
    def get(self, request: Request) -> Response:
        rows = Retraction.objects.select_related("reader", "study")
        return Response({"results": [describe(row) for row in rows]})

    def post(self, request: Request) -> Response:
        made = retract(
            **self.checked(RetractSerializer),
            made_by=self.actor,
            address=client_address(request),
        )
        return Response(describe_whole(made), status=status.HTTP_201_CREATED)


class PreviewView(CoordinatorView):
    """What would be marked; nothing is retracted."""

    def post(self, request: Request) -> Response:
        given = self.checked(TargetSerializer)
        return Response(describe_impact(impact_of(Retraction(**given).sources)))


class RetractionView(CoordinatorView):
    def get(self, request: Request, retraction_id: UUID) -> Response:
        return Response(describe_whole(get_object_or_404(Retraction, pk=retraction_id)))


class UndoView(CoordinatorView):
    def post(self, request: Request, retraction_id: UUID) -> Response:
        row = get_object_or_404(Retraction, pk=retraction_id)
        undone = undo_retraction(
            row,
            **self.checked(ReasonSerializer),
            undone_by=self.actor,
            address=client_address(request),
        )
        return Response(describe(undone))


class RebuildView(CoordinatorView):
    """Everything that rests on it, now and as runs finish; asking twice starts nothing twice."""

    def post(self, request: Request, retraction_id: UUID) -> Response:
        row = get_object_or_404(Retraction, pk=retraction_id)
        outcome = ask_for_rebuild(row, asked_by=self.actor)
        return Response(
            {
                "made": [{"kind": kind_of(one), "id": str(one.pk)} for one in outcome.made],
                "waiting": outcome.waiting,
                "refused": outcome.refused,
            }
        )


def describe(row: Retraction) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "reader": row.reader.username if row.reader else None,
        "study": str(row.study_id) if row.study_id else None,
        "reason": row.reason,
        "made_at": row.made_at.isoformat(),
        "is_active": row.is_active,
        "undone_at": row.undone_at.isoformat() if row.undone_at else None,
        "undone_reason": row.undone_reason,
    }


def describe_whole(row: Retraction) -> dict[str, Any]:
    return describe(row) | {"rests_on_it": describe_impact(impact_of_retraction(row))}


def describe_impact(impact: Impact) -> dict[str, Any]:
    tainted = impact_of_all()

    def replacement(row: Any) -> str | None:
        latest = latest_of(row)
        return str(latest.pk) if latest != row and latest not in tainted else None

    return {
        "readings": impact.readings,
        "model_versions": [version.name for version in impact.versions],
        "items": [
            {
                "kind": kind_of(row),
                "id": str(row.pk),
                "name": name_of(row),
                "replacement": replacement(row),
            }
            for row in impact.rebuildable
        ],
    }
