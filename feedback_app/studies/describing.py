"""Studies, their designs and previews as the API answers them."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feedback_app.rest.views import Row, Told, name_of, user_name
from feedback_app.runs.models import Run
from feedback_app.studies.choices import batches_of
from feedback_app.studies.enums import CriterionKind
from feedback_app.studies.models import ActiveOrder, Case, Criterion, Slot, Study


class WritingRunSerializer(Row):
    """The last run that was to write cases or slots of the study."""

    class Meta:
        model = Run
        fields: ClassVar = ["id", "state", "done", "total", "error", "remedy", "result"]


class StudySerializer(Row):
    """A line of the list; the study comes with its progress.

    ``adjudicates`` is the study whose cases are settled in this one, a panel.
    """

    adjudicates = serializers.SerializerMethodField()
    state = serializers.CharField(source="shown_state")
    cases = serializers.IntegerField(source="case_count")
    slots = serializers.IntegerField(source="slot_count")
    read = serializers.IntegerField(source="read_count")
    run = WritingRunSerializer(source="slots_run", allow_null=True)

    class Meta:
        model = Study
        fields: ClassVar = [
            "id", "name", "mode", "state", "cases", "slots", "read", "created_at", "opened_at",
            "unblinded_at", "adjudicates", "run",
        ]  # fmt: skip

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_adjudicates(self, study: Study) -> Any:
        return study.adjudicates.study_id if hasattr(study, "adjudicates") else None


class CriterionSerializer(Row):
    class Meta:
        model = Criterion
        fields: ClassVar = ["name", "question", "anchors"]


class WholeStudySerializer(StudySerializer):
    """A study with its design, as it is sent."""

    readers = serializers.SerializerMethodField()
    batches = serializers.SerializerMethodField()
    against = serializers.SerializerMethodField()
    candidates = serializers.ListField(source="picked", child=serializers.UUIDField())
    criteria = serializers.SerializerMethodField()
    flags = serializers.SerializerMethodField()
    reward_model = serializers.SerializerMethodField()
    real_cohort = name_of()
    reference_cohort = name_of()
    takes_cases = serializers.BooleanField()

    class Meta(StudySerializer.Meta):
        fields: ClassVar = [
            *StudySerializer.Meta.fields, "instructions", "allocation", "readers", "batches",
            "against", "candidates", "sample_size", "due_on", "criteria", "flags", "case_order",
            "reward_model", "real_cohort", "reference_cohort", "guideline", "gold_teaches",
            "training_count",
            "training_pass_percent", "training_every", "real_from_training", "has_phases",
            "takes_cases", "readers_per_case", "images_per_case", "anchor_count",
            "repeat_percent", "repeat_min_gap", "block_size", "exploration_percent",
            "real_percent", "break_every_min", "shuffle_seed", "cohort_images", "draft_sources",
            "undrafted_percent", "shows_prior",
        ]  # fmt: skip

    def get_readers(self, study: Study) -> list[str]:
        return [reader.username for reader in study.readers.order_by("username")]

    def get_batches(self, study: Study) -> list[str]:
        return [str(batch.pk) for batch in batches_of(study)["batches"]]

    def get_against(self, study: Study) -> str | None:
        against = batches_of(study).get("against")
        return str(against.pk) if against else None

    @extend_schema_field(CriterionSerializer(many=True))
    def get_criteria(self, study: Study) -> Any:
        own = (CriterionKind.CONFIDENCE, CriterionKind.REPORT)
        asked = study.criteria.exclude(kind__in=own)
        return CriterionSerializer(asked, many=True).data

    def get_flags(self, study: Study) -> list[str]:
        return list(study.flag_kinds.values_list("name", flat=True))

    def get_reward_model(self, study: Study) -> str | None:
        """Returns the one that leads now; of a draft the one that is to."""
        order = ActiveOrder.objects.filter(study=study).select_related("reward_model").first()
        reward_model = order.reward_model if order else study.reward_model
        return reward_model.name if reward_model else None


class NewStudySerializer(WholeStudySerializer):
    """A study as it was saved; warnings are missing where a worker still writes its cases."""

    warnings = serializers.ListField(child=serializers.CharField(), required=False)

    class Meta(WholeStudySerializer.Meta):
        fields: ClassVar = [*WholeStudySerializer.Meta.fields, "warnings"]

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        if self.instance is not None and not hasattr(self.instance, "warnings"):
            fields.pop("warnings")
        return fields


class SharedSerializer(Told):
    least = serializers.IntegerField(source="least_together", allow_null=True)
    most = serializers.IntegerField(source="most_together", allow_null=True)


class PreviewSerializer(Told):
    cases = serializers.IntegerField(source="added.cases")
    images = serializers.IntegerField(source="added.images")
    real = serializers.IntegerField(source="added.real")
    read_by_all = serializers.IntegerField(source="shared")
    readings = serializers.IntegerField()
    per_reader = serializers.ListField(child=serializers.IntegerField())
    shared_by_two = SharedSerializer(source="*")
    repeats = serializers.ListField(child=serializers.IntegerField())
    unmeasured = serializers.IntegerField(allow_null=True)
    seconds_a_case = serializers.FloatField(source="pace.seconds")
    is_pace_seen = serializers.BooleanField(source="pace.is_seen")
    hours = serializers.SerializerMethodField()
    hours_a_reader = serializers.SerializerMethodField()
    warnings = serializers.ListField(source="added.warnings", child=serializers.CharField())
    hints = serializers.ListField(child=serializers.CharField())
    lacks = serializers.ListField(child=serializers.CharField())

    def get_hours(self, preview: Any) -> float:
        return round(preview.hours, 3)

    def get_hours_a_reader(self, preview: Any) -> float:
        return round(preview.hours_a_reader, 3)


class AddedSerializer(Told):
    """What came in; where a worker writes it, the run that does."""

    run = serializers.UUIDField(source="pk", required=False)
    cases = serializers.IntegerField(required=False)
    images = serializers.IntegerField(required=False)
    warnings = serializers.ListField(child=serializers.CharField(), required=False)


class LeftSerializer(Told):
    """Cases of a reader who was taken out: read by others now, or by nobody."""

    handed_on = serializers.IntegerField()
    dropped = serializers.IntegerField()


class JoinedSerializer(Told):
    added = serializers.ListField(child=serializers.CharField())


class CaseSerializer(Row):
    """``images`` are left out while the study is blind: they lead to where they are from."""

    study = serializers.UUIDField(source="study_id")
    images = serializers.SerializerMethodField()

    class Meta:
        model = Case
        fields: ClassVar = ["id", "study", "position", "role", "prompt", "images"]

    def get_images(self, case: Case) -> list[str] | None:
        if not case.study.tells_source:
            return None
        return [str(place.image_id) for place in case.case_images.all()]


class SlotSerializer(Row):
    """A planned reading; ``reader`` is missing where the case waits in a pool."""

    study = serializers.UUIDField(source="study_id")
    case = serializers.UUIDField(source="case_id")
    reader = user_name()
    is_read = serializers.BooleanField()

    class Meta:
        model = Slot
        fields: ClassVar = [
            "id", "study", "case", "reader", "position", "repetition", "phase", "priority",
            "seat", "lease_until", "is_read",
        ]  # fmt: skip
