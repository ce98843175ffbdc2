"""Snapshots, fine-tunes, gates, promotions and schedules for coordinators' programs."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django_filters.rest_framework import BooleanFilter, CharFilter, FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.finetuning.gates.models import Gate, GateRule
from feedback_app.finetuning.gates.people import peoples_word
from feedback_app.finetuning.gates.promotion import go_back, promote_version
from feedback_app.finetuning.models import FineTune, RewardModel, Schedule, Snapshot
from feedback_app.finetuning.requests import (
    FineTuneRequest,
    GateRequest,
    GateStudyRequest,
    PromotionRequest,
    RewardModelRequest,
    ScheduleRequest,
    SnapshotRequest,
    ask_for_finetune,
    ask_for_gate,
    ask_for_gate_study,
    ask_for_reward_model,
    ask_for_snapshot,
)
from feedback_app.finetuning.services.schedules import ScheduleDesign, save_schedule
from feedback_app.images.models import Promotion
from feedback_app.images.versions.services import find_version
from feedback_app.requests import at
from feedback_app.rest.files import file_action
from feedback_app.rest.views import Listed, Nothing, Read, Row, Told, name_of, user_name
from feedback_app.runs.models import Run
from generation.errors import RemediableError

MADE = status.HTTP_201_CREATED


class SnapshotSerializer(Row):
    pairs = serializers.IntegerField(source="pair_count")
    ratings = serializers.IntegerField(source="rating_count")
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)
    created_by = user_name()
    sha256 = serializers.CharField()

    class Meta:
        model = Snapshot
        fields: ClassVar = [
            "id", "name", "sha256", "is_simulated", "pairs", "ratings", "replaces", "created_by",
            "created_at",
        ]  # fmt: skip


class NewSnapshotSerializer(SnapshotSerializer):
    """A snapshot that was taken, or only the run that takes it where it is large."""

    run = serializers.UUIDField(required=False)

    class Meta(SnapshotSerializer.Meta):
        fields: ClassVar = [*SnapshotSerializer.Meta.fields, "run"]


class SnapshotFilter(FilterSet):
    class Meta:
        model = Snapshot
        fields: ClassVar = {"name": ["exact"], "is_simulated": ["exact"]}


class SnapshotsView(Read):
    """Frozen sets of preferences and ratings, the newest first."""

    queryset = Snapshot.objects.with_counts().select_related("created_by")
    lookup_url_kwarg, lookup_value_converter = "snapshot_id", "uuid"
    serializer_class = SnapshotSerializer
    answers = {"create": NewSnapshotSerializer}
    asks = {"create": SnapshotRequest}
    statuses = {"create": (MADE, status.HTTP_202_ACCEPTED)}
    filterset_class = SnapshotFilter
    ordering_fields = ("created_at", "name")

    def create(self, request: Request) -> Response:
        made = ask_for_snapshot(self.asked(SnapshotRequest), created_by=self.actor)
        if isinstance(made, Run):
            return Response({"run": made.pk}, status=status.HTTP_202_ACCEPTED)
        return self.told(self.get_queryset().get(pk=made.pk), status=MADE)

    @file_action("application/jsonl")
    def file(self, request: Request, snapshot_id: UUID) -> HttpResponse:
        """Answers with the preferences as JSON lines, byte for byte as they were hashed."""
        content = self.get_object().blob.read()
        return HttpResponse(content, content_type="application/jsonl")

    @file_action("application/jsonl")
    def remarks(self, request: Request, snapshot_id: UUID) -> HttpResponse:
        """Answers with what readers wrote, flagged and skipped, as JSON lines."""
        remarks = self.get_object().remarks
        content = remarks.read() if remarks else b""
        return HttpResponse(content, content_type="application/jsonl")


class FineTuneSerializer(Row):
    snapshot = serializers.UUIDField(source="snapshot_id")
    parent = name_of()  # type: ignore[assignment]
    model_version = name_of()
    real_cohort = name_of()
    schedule = name_of()
    run = serializers.UUIDField(source="run_id")
    state = serializers.CharField(source="run.state")
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)

    class Meta:
        model = FineTune
        fields: ClassVar = [
            "id", "snapshot", "parent", "method", "settings", "real_cohort", "schedule", "run",
            "state", "model_version", "replaces", "created_at",
        ]  # fmt: skip


class WholeFineTuneSerializer(FineTuneSerializer):
    """With the curve of its training: figures by name at the steps that ``step`` lists."""

    class Meta(FineTuneSerializer.Meta):
        fields: ClassVar = [*FineTuneSerializer.Meta.fields, "curve"]


class FineTuneFilter(FilterSet):
    state = CharFilter("run__state", label="State of its run")
    parent = CharFilter("parent__name", label="Name of the parent")

    class Meta:
        model = FineTune
        fields: ClassVar = {"method": ["exact"], "snapshot": ["exact"]}


class FineTunesView(Read):
    """Trainings from snapshots, the newest first; each run is stopped at ``/api/runs/``."""

    queryset = FineTune.objects.select_related(
        "parent", "model_version", "real_cohort", "schedule", "run"
    )
    lookup_url_kwarg, lookup_value_converter = "finetune_id", "uuid"
    serializer_class = FineTuneSerializer
    answers = dict.fromkeys(("create", "retrieve"), WholeFineTuneSerializer)
    asks = {"create": FineTuneRequest}
    filterset_class = FineTuneFilter
    ordering_fields = ("created_at",)

    def create(self, request: Request) -> Response:
        made = ask_for_finetune(self.asked(FineTuneRequest), created_by=self.actor)
        return self.told(made, status=MADE)


class RuleSerializer(Row):
    class Meta:
        model = GateRule
        fields: ClassVar = ["name", "label", "outcome", "sentence", "value", "low", "high", "limit"]


class GateSerializer(Row):
    child = name_of()
    parent = name_of()  # type: ignore[assignment]
    run = serializers.UUIDField(source="run_id")
    state = serializers.CharField(source="run.state")
    decision = serializers.SerializerMethodField()
    created_by = user_name()

    class Meta:
        model = Gate
        fields: ClassVar = [
            "id", "child", "parent", "run", "state", "decision", "created_by", "created_at",
        ]  # fmt: skip

    def get_decision(self, gate: Gate) -> str | None:
        return gate.found.decision if gate.found else None


class PeoplesWordSerializer(Told):
    """A blind comparison of child and parent, and what it says once that can be told."""

    study = serializers.UUIDField(source="study.pk")
    read = serializers.IntegerField()
    wanted = serializers.IntegerField()
    is_simulated = serializers.BooleanField()
    sentence = serializers.CharField()


class WholeGateSerializer(GateSerializer):
    """With what was asked for before, and the rules that the verdict went by."""

    child_batch = serializers.UUIDField(source="child_batch_id")
    parent_batch = serializers.UUIDField(source="parent_batch_id")
    rules = serializers.SerializerMethodField()
    people = serializers.SerializerMethodField()

    class Meta(GateSerializer.Meta):
        fields: ClassVar = [
            *GateSerializer.Meta.fields, "spec", "child_batch", "parent_batch", "rules", "people",
        ]  # fmt: skip

    @extend_schema_field(RuleSerializer(many=True))
    def get_rules(self, gate: Gate) -> Any:
        return RuleSerializer(gate.found.rules.all() if gate.found else [], many=True).data

    @extend_schema_field(PeoplesWordSerializer(allow_null=True))
    def get_people(self, gate: Gate) -> Any:
        word = peoples_word(gate)
        return PeoplesWordSerializer(word).data if word else None


class GateFilter(FilterSet):
    child = CharFilter("child__name", label="Name of the child")
    decision = CharFilter("verdict__decision", label="What it says: promote or hold")


class GatesView(Read):
    """Children compared with their parents on held-out prompts, the newest first."""

    queryset = Gate.objects.for_pages().select_related("created_by")
    lookup_url_kwarg, lookup_value_converter = "gate_id", "uuid"
    serializer_class = GateSerializer
    answers = dict.fromkeys(("create", "retrieve", "study"), WholeGateSerializer)
    asks = {"create": GateRequest, "study": GateStudyRequest}
    statuses = {"study": (MADE,)}
    filterset_class = GateFilter
    ordering_fields = ("created_at",)

    def create(self, request: Request) -> Response:
        made = ask_for_gate(self.asked(GateRequest), created_by=self.actor)
        return self.told(self.get_queryset().get(pk=made.pk), status=MADE)

    @action(["post"], detail=True)
    def study(self, request: Request, gate_id: UUID) -> Response:
        """Opens a study in which people compare the gate's pairs blind; there is one a gate."""
        asked = self.asked(GateStudyRequest)
        gate = self.get_object()
        ask_for_gate_study(asked, gate, actor=self.actor)
        return self.told(gate, status=MADE)

    @file_action("application/json")
    def report(self, request: Request, gate_id: UUID) -> HttpResponse:
        """Answers with all figures of the verdict."""
        found = self.get_object().found
        if found is None:
            raise RemediableError("The gate has not said anything yet.", remedy="Wait for its run.")
        return HttpResponse(found.report.read(), content_type="application/json")


class RewardModelSerializer(Row):
    """``scorer`` is what the training gave."""

    snapshot = serializers.UUIDField(source="snapshot_id")
    trunk_scorer = name_of()
    scorer = name_of()
    replaces = name_of()
    run = serializers.UUIDField(source="run_id")
    state = serializers.CharField(source="run.state")

    class Meta:
        model = RewardModel
        fields: ClassVar = [
            "id", "name", "snapshot", "trunk_scorer", "settings", "run", "state", "scorer",
            "replaces", "created_at",
        ]  # fmt: skip


class RewardModelFilter(FilterSet):
    state = CharFilter("run__state", label="State of its run")

    class Meta:
        model = RewardModel
        fields: ClassVar = {"name": ["exact"], "snapshot": ["exact"]}


class RewardModelsView(Read):
    """Trainings of what foretells readers' scores, the newest first."""

    queryset = RewardModel.objects.select_related("run", "scorer", "trunk_scorer", "replaces")
    lookup_url_kwarg, lookup_value_converter = "reward_model_id", "int"
    serializer_class = RewardModelSerializer
    asks = {"create": RewardModelRequest}
    filterset_class = RewardModelFilter
    ordering_fields = ("created_at", "name")

    def create(self, request: Request) -> Response:
        made = ask_for_reward_model(self.asked(RewardModelRequest), created_by=self.actor)
        return self.told(made, status=MADE)


class PromotionSerializer(Row):
    version = name_of()
    created_by = user_name()

    class Meta:
        model = Promotion
        fields: ClassVar = ["id", "version", "kind", "reason", "created_by", "created_at"]


class PromotionFilter(FilterSet):
    version = CharFilter("version__name", label="Name of the version")

    class Meta:
        model = Promotion
        fields: ClassVar = {"kind": ["exact"]}


class PromotionsView(Listed):
    """Which version new batches took, and since when, the newest first; POST promotes one."""

    queryset = Promotion.objects.select_related("version", "created_by")
    serializer_class = PromotionSerializer
    asks = {"create": PromotionRequest}
    statuses = {"back": (MADE,)}
    filterset_class = PromotionFilter

    def create(self, request: Request) -> Response:
        asked = self.asked(PromotionRequest)
        with at("version"):
            version = find_version(asked.version)
        made = promote_version(version, actor=self.actor, reason=asked.reason)
        if made is None:
            raise RemediableError(
                f"“{version.name}” is promoted already.", remedy="Nothing is left to do."
            )
        return self.told(made, status=MADE)

    @action(["post"], detail=False)
    def back(self, request: Request) -> Response:
        """Promote the version that the promoted one took over from."""
        self.asked(Nothing)
        return self.told(go_back(actor=self.actor), status=MADE)


class ScheduleSerializer(Row):
    at = serializers.SerializerMethodField()
    is_enabled = serializers.BooleanField(source="periodic_task.enabled")

    class Meta:
        model = Schedule
        fields: ClassVar = [
            "id", "name", "at", "method", "min_new_pairs", "uses_simulated_readers",
            "promotes_by_itself", "is_enabled",
        ]  # fmt: skip

    def get_at(self, schedule: Schedule) -> str:
        crontab = schedule.periodic_task.crontab
        return f"{int(crontab.hour):02}:{int(crontab.minute):02}"


class ScheduleFilter(FilterSet):
    is_enabled = BooleanFilter("periodic_task__enabled", label="Whether it runs")

    class Meta:
        model = Schedule
        fields: ClassVar = {"name": ["exact"]}


class SchedulesView(Read):
    """Fine-tuning every day, if there is enough that is new; PUT changes one as a whole."""

    queryset = Schedule.objects.select_related("periodic_task__crontab").order_by("name")
    lookup_url_kwarg, lookup_value_converter = "schedule_id", "int"
    serializer_class = ScheduleSerializer
    asks = dict.fromkeys(("create", "update"), ScheduleRequest)
    filterset_class = ScheduleFilter
    ordering_fields = ("name",)

    def create(self, request: Request) -> Response:
        return self._save(None, code=MADE)

    def update(self, request: Request, schedule_id: int) -> Response:
        return self._save(self.get_object(), code=status.HTTP_200_OK)

    def _save(self, row: Schedule | None, *, code: int) -> Response:
        asked = self.asked(ScheduleRequest)
        with at("name"):
            same = Schedule.objects.filter(name=asked.name)
            if (same.exclude(pk=row.pk) if row else same).exists():
                raise RemediableError(
                    f"There is a schedule “{asked.name}” already.", remedy="Choose another name."
                )
        saved = save_schedule(ScheduleDesign(**asked.model_dump()), schedule=row)
        return self.told(self.get_queryset().get(pk=saved.pk), status=code)
