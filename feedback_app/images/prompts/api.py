"""Prompt sets for coordinators' programs."""

from typing import Any

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback_app.accounts.permissions import IsCoordinator
from feedback_app.images.prompts.models import PromptSet, PromptSetVersion
from feedback_app.images.prompts.services import find_version, save_prompts, tallies_of
from feedback_app.incoming import KnownFieldsSerializer
from generation.conditioning.prompt_files import read_prompts


class PromptSetSerializer(KnownFieldsSerializer):
    """``text`` as a person would bring it: one prompt a line, or CSV."""

    name = serializers.CharField(max_length=64)
    text = serializers.CharField(max_length=1_000_000)
    leaves_out_bad_rows = serializers.BooleanField(default=False)


class PromptSetsView(APIView):
    """The latest versions; POST makes a set, or a new version of the one of that name."""

    permission_classes = [IsCoordinator]

    def get(self, request: Request) -> Response:
        latest = [summarise(prompt_set.latest) for prompt_set in PromptSet.objects.all()]
        return Response({"results": latest})

    def post(self, request: Request) -> Response:
        serializer = PromptSetSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        read = read_prompts(given["text"])
        if read.bad_rows and not given["leaves_out_bad_rows"]:
            bad = [f"line {row.number}: {row.reason}" for row in read.bad_rows]
            raise serializers.ValidationError({"text": bad})
        left_out = f", {len(read.bad_rows)} bad rows left out" if read.bad_rows else ""
        version = save_prompts(
            given["name"],
            read.prompts,
            origin=f"written or brought{left_out}",
            created_by=request.user,  # type: ignore[arg-type]
        )
        return Response(describe(version), status=status.HTTP_201_CREATED)


class PromptSetView(APIView):
    """One version by ``NAME`` or ``NAME@VERSION``."""

    permission_classes = [IsCoordinator]

    def get(self, request: Request, name: str) -> Response:
        return Response(describe(find_version(name)))


def summarise(version: PromptSetVersion) -> dict[str, Any]:
    return {
        "name": version.prompt_set.name,
        "version": version.number,
        "sha256": version.sha256,
        "prompt_count": version.prompts.count(),
    }


def describe(version: PromptSetVersion) -> dict[str, Any]:
    return summarise(version) | {
        "origin": version.origin,
        "shortfalls": version.shortfalls,
        "prompts": version.texts(),
        "counts": {
            tally.name.lower(): {value: count for value, count, _ in tally.rows}
            for tally in tallies_of(version)
        },
        "created_at": version.created_at.isoformat(),
    }
