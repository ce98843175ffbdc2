"""VLM versions, instruction data, benchmark and questions for programs."""

from typing import ClassVar

from django_filters.rest_framework import CharFilter, FilterSet
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.rest.views import Read, Row, name_of, user_name
from feedback_app.runs.api import RunSerializer
from feedback_app.vlms.asking import (
    ask_for_benchmark,
    ask_for_instructions,
    ask_of_image,
    bring_answers,
)
from feedback_app.vlms.models import (
    BenchmarkResult,
    BenchmarkScore,
    ImageQuestion,
    InstructionSet,
    VlmVersion,
)
from feedback_app.vlms.requests import (
    AnswersRequest,
    BenchmarkRequest,
    InstructionRequest,
    QuestionRequest,
    RegisterVlmRequest,
    VlmTrainingRequest,
    ask_for_training,
)
from feedback_app.vlms.services import register_vlm


class VlmSerializer(Row):
    parent = name_of()  # type: ignore[assignment]
    created_by = user_name()

    class Meta:
        model = VlmVersion
        fields: ClassVar = [
            *("id", "name", "parent", "family", "sha256", "run", "created_by", "created_at")
        ]


class VlmsView(Read):
    """VLM versions; an admin's POST registers a folder."""

    queryset = VlmVersion.objects.select_related("parent", "created_by")
    lookup_url_kwarg, lookup_value_converter = "vlm_id", "int"
    serializer_class = VlmSerializer
    asks = {"create": RegisterVlmRequest, "train": VlmTrainingRequest}
    answers = {"train": RunSerializer}
    statuses = {"train": (status.HTTP_202_ACCEPTED,), "create": (status.HTTP_201_CREATED,)}
    admins_actions = frozenset({"create"})
    filterset_fields: ClassVar = {"name": ["exact"], "family": ["exact"]}
    ordering_fields = ("name", "created_at")

    def create(self, request: Request) -> Response:
        asked = self.asked(RegisterVlmRequest)
        version = register_vlm(asked.name, asked.location, created_by=self.actor)
        return self.told(version, status=status.HTTP_201_CREATED)

    @action(["post"], detail=False)
    def train(self, request: Request) -> Response:
        """Trains a VLM on an instruction set, in stages; the run's result names the version."""
        run = ask_for_training(self.asked(VlmTrainingRequest), created_by=self.actor)
        return self.told(run, status=status.HTTP_202_ACCEPTED)


class InstructionSetSerializer(Row):
    """``card`` and ``benchmark`` are empty until the run has built them."""

    state = serializers.CharField(source="run.state")
    rests_on_retracted = serializers.BooleanField()
    created_by = user_name()

    class Meta:
        model = InstructionSet
        fields: ClassVar = [
            "id", "name", "seed", "cohorts", "has_readings", "rests_on_retracted", "state",
            "card", "benchmark", "run", "created_by", "created_at",
        ]  # fmt: skip


class InstructionSetFilter(FilterSet):
    state = CharFilter("run__state", label="State of its run")

    class Meta:
        model = InstructionSet
        fields: ClassVar = {"name": ["exact"]}


class InstructionSetsView(Read):
    """Instruction data; POST builds a set by a run."""

    queryset = InstructionSet.objects.select_related("run", "created_by")
    lookup_url_kwarg, lookup_value_converter = "instruction_set_id", "uuid"
    serializer_class = InstructionSetSerializer
    asks = {"create": InstructionRequest}
    filterset_class = InstructionSetFilter
    ordering_fields = ("name", "created_at")

    def create(self, request: Request) -> Response:
        row = ask_for_instructions(self.asked(InstructionRequest), created_by=self.actor)
        return self.told(row, status=status.HTTP_201_CREATED)


class BenchmarkScoreSerializer(Row):
    figure = serializers.CharField(source="get_kind_display")

    class Meta:
        model = BenchmarkScore
        fields: ClassVar = [
            "task", "source", "figure", "questions", "value", "low", "high", "blind", "blind_low",
            "blind_high", "gain", "gain_low", "gain_high", "majority", "probe", "probe_low",
            "probe_high", "auroc", "unparsable", "stable",
        ]  # fmt: skip


class BenchmarkResultSerializer(Row):
    """``model`` is a version's name, or what a model that runs elsewhere is called."""

    model = serializers.CharField()
    is_outside = serializers.BooleanField()
    instruction_set = name_of()
    state = serializers.CharField(source="run.state")
    scores = BenchmarkScoreSerializer(many=True)
    created_by = user_name()

    class Meta:
        model = BenchmarkResult
        fields: ClassVar = [
            "id", "model", "is_outside", "instruction_set", "state", "scores", "fairness", "run",
            "created_by", "created_at",
        ]  # fmt: skip


class BenchmarkResultFilter(FilterSet):
    instruction_set = CharFilter("instruction_set__name", label="Name of the instruction set")
    version = CharFilter("version__name", label="Name of the VLM version")
    outside_model = CharFilter("outside_model", label="Name of a model that runs elsewhere")


class BenchmarkResultsView(Read):
    """Results on benchmarks; POST lets a version answer, ``bring/`` takes others' answers."""

    queryset = BenchmarkResult.objects.select_related(
        "version", "instruction_set", "run", "created_by"
    ).prefetch_related("scores")
    lookup_url_kwarg, lookup_value_converter = "result_id", "uuid"
    serializer_class = BenchmarkResultSerializer
    asks = {"create": BenchmarkRequest, "bring": AnswersRequest}
    statuses = {"bring": (status.HTTP_201_CREATED,)}
    filterset_class = BenchmarkResultFilter
    ordering_fields = ("created_at",)

    def create(self, request: Request) -> Response:
        result = ask_for_benchmark(self.asked(BenchmarkRequest), created_by=self.actor)
        return self.told(result, status=status.HTTP_201_CREATED)

    @action(["post"], detail=False)
    def bring(self, request: Request) -> Response:
        """Answers of a model that runs elsewhere, to stand in the same table."""
        result = bring_answers(self.asked(AnswersRequest), created_by=self.actor)
        return self.told(result, status=status.HTTP_201_CREATED)


class ImageQuestionSerializer(Row):
    """``answer`` is empty until the run is done."""

    version = name_of()
    state = serializers.CharField(source="run.state")
    created_by = user_name()

    class Meta:
        model = ImageQuestion
        fields: ClassVar = [
            "id", "version", "image", "question", "options", "answer", "state", "run",
            "created_by", "created_at",
        ]  # fmt: skip


class ImageQuestionFilter(FilterSet):
    version = CharFilter("version__name", label="Name of the VLM version")

    class Meta:
        model = ImageQuestion
        fields: ClassVar = {"image": ["exact"]}


class ImageQuestionsView(Read):
    """Questions of single images; POST asks one by a run."""

    queryset = ImageQuestion.objects.select_related("version", "run", "created_by")
    lookup_url_kwarg, lookup_value_converter = "question_id", "uuid"
    serializer_class = ImageQuestionSerializer
    asks = {"create": QuestionRequest}
    filterset_class = ImageQuestionFilter
    ordering_fields = ("created_at",)

    def create(self, request: Request) -> Response:
        question = ask_of_image(self.asked(QuestionRequest), created_by=self.actor)
        return self.told(question, status=status.HTTP_201_CREATED)
