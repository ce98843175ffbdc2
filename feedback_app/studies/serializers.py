"""A study's design as JSON, both ways."""

from typing import Any

from rest_framework import serializers

from feedback_app.images.models import Batch, Cohort
from feedback_app.incoming import KnownFieldsSerializer
from feedback_app.runs.models import Run
from feedback_app.studies.forms import batches_of, people, reward_models
from feedback_app.studies.models import (
    EXPLORATION_PERCENT,
    IMAGES_PER_CASE,
    SCORE_MAX,
    ActiveOrder,
    Allocation,
    CaseOrder,
    CriterionKind,
    Study,
)
from feedback_app.studies.modes import DEFAULT_MODE, mode_choices, mode_of
from feedback_app.studies.scale_forms import SCALES_MAX
from feedback_app.studies.scales import Scale
from feedback_app.studies.services import Design, Preview, contradictions
from feedback_app.studies.services.design import SEED_LIMIT

NUMBERS = (
    "readers_per_case",
    "images_per_case",
    "anchor_count",
    "repeat_percent",
    "repeat_min_gap",
    "block_size",
    "exploration_percent",
    "real_percent",
    "break_every_min",
    "shuffle_seed",
)
ONE_BATCH_ONLY = "Only a comparison has two batches."


class CriterionSerializer(KnownFieldsSerializer):
    name = serializers.CharField(max_length=64)
    question = serializers.CharField(max_length=200)
    anchors = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, default=list
    )


class BatchesSerializer(KnownFieldsSerializer):
    """``against`` is the second batch of a comparison."""

    batches = serializers.PrimaryKeyRelatedField(
        queryset=Batch.objects.all(), many=True, required=False, default=list
    )
    against = serializers.PrimaryKeyRelatedField(
        queryset=Batch.objects.all(), required=False, allow_null=True, default=None
    )


class AddBatchesSerializer(KnownFieldsSerializer):
    """Further candidates for the study in ``context``."""

    batches = serializers.PrimaryKeyRelatedField(
        queryset=Batch.objects.all(), many=True, allow_empty=False
    )
    against = serializers.PrimaryKeyRelatedField(
        queryset=Batch.objects.all(), required=False, allow_null=True, default=None
    )

    def validate_against(self, against: Batch | None) -> Batch | None:
        if against and not mode_of(self.context["study"].mode).takes_second_batch:
            raise serializers.ValidationError(ONE_BATCH_ONLY)
        return against


class ReadersSerializer(KnownFieldsSerializer):
    readers = serializers.SlugRelatedField(
        slug_field="username", queryset=people(), many=True, required=True, allow_empty=False
    )


class DesignSerializer(BatchesSerializer):
    """What a design file or a request says; what it leaves out has the usual defaults.

    Readers are user names, batches and ``against`` are keys, ``real_cohort`` and
    ``reward_model`` are names.
    """

    name = serializers.CharField(max_length=100)
    mode = serializers.ChoiceField(choices=mode_choices(), default=DEFAULT_MODE)
    instructions = serializers.CharField(max_length=5_000, allow_blank=True, default="")
    readers = serializers.SlugRelatedField(
        slug_field="username",
        queryset=people(),
        many=True,
        default=list,  # type: ignore[arg-type]
    )
    criteria = CriterionSerializer(
        many=True, required=False, allow_null=True, default=None, max_length=SCALES_MAX
    )  # type: ignore[call-arg]
    flags = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, allow_null=True, default=None
    )
    allocation = serializers.ChoiceField(choices=Allocation.choices, default=Allocation.ASSIGNED)
    readers_per_case = serializers.IntegerField(min_value=1, max_value=20, default=1)
    images_per_case = serializers.IntegerField(
        min_value=IMAGES_PER_CASE[0], max_value=IMAGES_PER_CASE[1], default=4
    )
    anchor_count = serializers.IntegerField(min_value=0, max_value=100_000, default=0)
    repeat_percent = serializers.IntegerField(min_value=0, max_value=100, default=0)
    repeat_min_gap = serializers.IntegerField(min_value=1, max_value=10_000, default=10)
    block_size = serializers.IntegerField(min_value=0, max_value=1_000, default=0)
    case_order = serializers.ChoiceField(choices=CaseOrder.choices, default=CaseOrder.RANDOM)
    reward_model = serializers.SlugRelatedField(
        slug_field="name", queryset=reward_models(), allow_null=True, default=None
    )
    exploration_percent = serializers.IntegerField(
        min_value=EXPLORATION_PERCENT[0], max_value=EXPLORATION_PERCENT[1], default=20
    )
    real_cohort = serializers.SlugRelatedField(
        slug_field="name", queryset=Cohort.objects.all(), allow_null=True, default=None
    )
    real_percent = serializers.IntegerField(min_value=1, max_value=99, default=50)
    real_from_training = serializers.BooleanField(default=False)
    has_phases = serializers.BooleanField(default=False)
    break_every_min = serializers.IntegerField(min_value=0, max_value=240, default=30)
    shuffle_seed = serializers.IntegerField(
        min_value=0, max_value=SEED_LIMIT - 1, allow_null=True, default=None
    )

    def validate_name(self, name: str) -> str:
        others = Study.objects.exclude(pk=self.instance.pk) if self.instance else Study.objects
        if others.filter(name=name).exists():
            raise serializers.ValidationError("Another study has this name.")
        return name

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        mode = mode_of(attrs["mode"])
        needs_anchors = mode.kind == CriterionKind.ORDINAL
        for criterion in attrs["criteria"] or ():
            if needs_anchors and len(criterion["anchors"]) != SCORE_MAX + 1:
                raise serializers.ValidationError(
                    {"criteria": [f"“{criterion['name']}” needs {SCORE_MAX + 1} anchors."]}
                )
        if attrs["criteria"] == []:
            raise serializers.ValidationError({"criteria": ["Ask at least one question."]})
        if attrs["against"] and not mode.takes_second_batch:
            raise serializers.ValidationError({"against": [ONE_BATCH_ONLY]})
        if found := contradictions(self.design_of(attrs)):
            raise serializers.ValidationError({field: [words] for field, words in found})
        return attrs

    @property
    def design(self) -> Design:
        return self.design_of(self.validated_data)

    @staticmethod
    def design_of(given: dict[str, Any]) -> Design:
        criteria, flags = given["criteria"], given["flags"]
        return Design(
            name=given["name"],
            mode=given["mode"],
            instructions=given["instructions"],
            readers=tuple(given["readers"]),
            scales=None if criteria is None else tuple(_scale(each) for each in criteria),
            flags=None if flags is None else tuple(flags),
            allocation=Allocation(given["allocation"]),
            case_order=CaseOrder(given["case_order"]),
            reward_model=given["reward_model"],
            real_cohort=given["real_cohort"],
            real_from_training=given["real_from_training"],
            has_phases=given["has_phases"],
            **{name: given[name] for name in NUMBERS},
        )


def _scale(given: dict[str, Any]) -> Scale:
    return Scale(name=given["name"], question=given["question"], anchors=tuple(given["anchors"]))


def describe_study(study: Study) -> dict[str, Any]:
    """A study with its design, as the API answers."""
    found = batches_of(study)
    against = found.get("against")
    return {
        **summarise_study(study),
        "instructions": study.instructions,
        "allocation": study.allocation,
        "readers": [reader.username for reader in study.readers.order_by("username")],
        "batches": [str(batch.pk) for batch in found["batches"]],
        "against": str(against.pk) if against else None,
        "criteria": [
            {"name": each.name, "question": each.question, "anchors": each.anchors}
            for each in study.criteria.exclude(kind=CriterionKind.CONFIDENCE)
        ],
        "flags": list(study.flag_kinds.values_list("name", flat=True)),
        "case_order": study.case_order,
        "reward_model": _reward_model_in_use(study),
        "real_cohort": study.real_cohort.name if study.real_cohort else None,
        "real_from_training": study.real_from_training,
        "has_phases": study.has_phases,
        "takes_cases": study.takes_cases,
        **{name: getattr(study, name) for name in NUMBERS},
    }


def _reward_model_in_use(study: Study) -> str | None:
    """The one that leads now; of a draft the one that is to."""
    order = ActiveOrder.objects.filter(study=study).select_related("reward_model").first()
    reward_model = order.reward_model if order else study.reward_model
    return reward_model.name if reward_model else None


def summarise_study(study: Study) -> dict[str, Any]:
    """A line of the list; the study comes with its progress."""
    return {
        "id": str(study.pk),
        "name": study.name,
        "mode": study.mode,
        "state": study.shown_state,
        "cases": study.case_count,  # type: ignore[attr-defined]
        "slots": study.slot_count,  # type: ignore[attr-defined]
        "read": study.read_count,  # type: ignore[attr-defined]
        "created_at": study.created_at,
        "opened_at": study.opened_at,
        "unblinded_at": study.unblinded_at,
        "run": _describe_run(study.slots_run) if study.slots_run else None,
    }


def _describe_run(run: Run) -> dict[str, Any]:
    """The last run that was to write cases or slots of the study."""
    return {
        "id": str(run.pk),
        "state": run.state,
        "done": run.done,
        "total": run.total,
        "error": run.error,
        "remedy": run.remedy,
        "result": run.result,
    }


def describe_preview(preview: Preview) -> dict[str, Any]:
    return {
        "cases": preview.added.cases,
        "images": preview.added.images,
        "real": preview.added.real,
        "read_by_all": preview.shared,
        "readings": preview.readings,
        "per_reader": preview.per_reader,
        "shared_by_two": {"least": preview.least_together, "most": preview.most_together},
        "repeats": list(preview.repeats),
        "unmeasured": preview.unmeasured,
        "seconds_a_case": preview.pace.seconds,
        "is_pace_seen": preview.pace.is_seen,
        "hours": round(preview.hours, 3),
        "hours_a_reader": round(preview.hours_a_reader, 3),
        "warnings": preview.added.warnings,
        "hints": preview.hints,
        "lacks": list(preview.lacks),
    }
