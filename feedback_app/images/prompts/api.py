"""Prompt sets for coordinators' programs."""

from typing import Any, ClassVar

from django_filters.rest_framework import CharFilter, FilterSet
from pydantic import Field
from rest_framework import serializers, status
from rest_framework.response import Response

from feedback_app.images.prompts.models import PromptSetVersion
from feedback_app.images.prompts.services import find_version, save_prompts, tallies_of
from feedback_app.requests import Problem, Request, RequestError
from feedback_app.rest.views import Read, Row, user_name
from generation.conditioning.prompt_files import read_prompts


class PromptSetRequest(Request):
    """``text`` as a person would bring it: one prompt a line, or CSV."""

    name: str = Field(min_length=1, max_length=64)
    text: str = Field(min_length=1, max_length=1_000_000)
    leaves_out_bad_rows: bool = False


class PromptSetSerializer(Row):
    """A version, which stays as it is; the list has the latest of each set."""

    name = serializers.CharField(source="prompt_set.name")
    version = serializers.IntegerField(source="number")
    prompt_count = serializers.SerializerMethodField()

    class Meta:
        model = PromptSetVersion
        fields: ClassVar = ["name", "version", "sha256", "prompt_count"]

    def get_prompt_count(self, version: PromptSetVersion) -> int:
        return version.prompts.count()


class WholePromptSetSerializer(PromptSetSerializer):
    prompts = serializers.ListField(source="texts", child=serializers.CharField())
    counts = serializers.SerializerMethodField()
    created_by = user_name()

    class Meta(PromptSetSerializer.Meta):
        fields: ClassVar = [
            *PromptSetSerializer.Meta.fields,
            "origin", "shortfalls", "prompts", "counts", "created_by", "created_at",
        ]  # fmt: skip

    def get_counts(self, version: PromptSetVersion) -> dict[str, dict[str, int]]:
        return {
            tally.name.lower(): {value: count for value, count, _ in tally.rows}
            for tally in tallies_of(version)
        }


class PromptSetFilter(FilterSet):
    name = CharFilter("prompt_set__name", label="Name of the set")


class PromptSetsView(Read):
    """Named lists of prompts; POST makes one, or a new version of the one of that name."""

    queryset = PromptSetVersion.objects.latest_of_each().select_related("prompt_set", "created_by")
    lookup_url_kwarg, lookup_value_converter = "name", "str"
    serializer_class = PromptSetSerializer
    answers = dict.fromkeys(("create", "retrieve"), WholePromptSetSerializer)
    asks = {"create": PromptSetRequest}
    filterset_class = PromptSetFilter

    def get_object(self) -> PromptSetVersion:
        """Returns, by ``NAME``, the latest version, or ``NAME@VERSION``."""
        return find_version(self.kwargs["name"])

    def create(self, *_: Any) -> Response:
        asked = self.asked(PromptSetRequest)
        read = read_prompts(asked.text)
        if read.bad_rows and not asked.leaves_out_bad_rows:
            raise RequestError(
                [Problem(("text",), f"line {row.number}: {row.reason}") for row in read.bad_rows],
                remedy="Mend these lines, or have them left out: leaves_out_bad_rows.",
            )
        left_out = f", {len(read.bad_rows)} bad rows left out" if read.bad_rows else ""
        version = save_prompts(
            asked.name,
            read.prompts,
            origin=f"written or brought{left_out}",
            created_by=self.actor,
        )
        return self.told(version, status=status.HTTP_201_CREATED)
