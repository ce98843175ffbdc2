"""Batches, candidates and measures for coordinators' programs."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from django_filters.rest_framework import CharFilter, ChoiceFilter, FilterSet, UUIDFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.images.blobs.models import Measure
from feedback_app.images.candidates.batches import cancel_batch, make_missing, progress_of_all
from feedback_app.images.candidates.fitting_models import Try
from feedback_app.images.candidates.mask_models import RecipeMask
from feedback_app.images.candidates.models import (
    MASKS_WITH_PARENTS,
    Batch,
    BatchRecipe,
    Candidate,
    GenerationMode,
)
from feedback_app.images.candidates.repair_models import Repair
from feedback_app.images.candidates.repairs import RepairRequest, ask_for_repair
from feedback_app.images.candidates.requests import BatchRequest, ask_for_batch
from feedback_app.rest.views import Read, Row, Told, name_of, user_name
from feedback_app.runs.models import Run


class RefusalSerializer(Told):
    reason = serializers.CharField()
    count = serializers.IntegerField()


class MaskPlanSerializer(Told):
    """How many masks are followed, and why others are not."""

    accepted = serializers.IntegerField()
    refused = serializers.SerializerMethodField()

    def get_refused(self, plan: Any) -> list[dict[str, Any]]:
        return [{"reason": reason, "count": count} for reason, count in plan.refusals]


class FailureSerializer(Row):
    run = serializers.UUIDField(source="pk")

    class Meta:
        model = Run
        fields: ClassVar = ["run", "error", "remedy"]


class AskedToFitSerializer(Told):
    """What images have to fit, and after how many tries they did; ``never`` one is missing."""

    attributes = serializers.ListField(source="batch.attributes", child=serializers.CharField())
    most_tries = serializers.IntegerField(source="batch.most_tries")
    most_images = serializers.IntegerField(source="batch.most_images")
    fitted_at = serializers.DictField(
        source="counts.fitted_at", child=serializers.IntegerField(), help_text="By number of tries"
    )
    never = serializers.IntegerField(source="counts.never")
    misfits = serializers.IntegerField(source="counts.misfits")


class BatchSerializer(Row):
    model_version = name_of()
    prompt_set = serializers.SerializerMethodField()
    created_by = user_name()
    total = serializers.IntegerField(source="progress.total")
    made = serializers.IntegerField(source="progress.made")
    is_live = serializers.BooleanField(source="progress.is_live")
    remaining_s = serializers.FloatField(source="progress.remaining_s", allow_null=True)
    failures = FailureSerializer(source="progress.failures", many=True)
    fits = AskedToFitSerializer(allow_null=True)

    class Meta:
        model = Batch
        fields: ClassVar = [
            "id", "name", "model_version", "prompt_set", "created_by", "created_at",
            "total", "made", "is_live", "remaining_s", "failures", "fits",
        ]  # fmt: skip

    def get_prompt_set(self, batch: Batch) -> str | None:
        return str(batch.prompt_set_version) if batch.prompt_set_version else None


class NewBatchSerializer(BatchSerializer):
    """A batch that was asked for, with what became of the masks that were asked for with it."""

    masks = MaskPlanSerializer(source="plan", allow_null=True)

    class Meta(BatchSerializer.Meta):
        fields: ClassVar = [*BatchSerializer.Meta.fields, "masks"]


class FollowedMaskSerializer(Row):
    """``sha256`` is of the PNG of 0 and 255 that the candidate follows."""

    cohort = serializers.CharField(source="parent.cohort_image.cohort.name")
    image = serializers.CharField(source="parent.cohort_image.source_id")
    sha256 = serializers.CharField(source="blob_id")
    file = serializers.SerializerMethodField()

    class Meta:
        model = RecipeMask
        fields: ClassVar = ["kind", "cohort", "image", "transforms", "sha256", "file"]

    def get_file(self, mask: RecipeMask) -> str:
        return reverse("images:recipe-mask", args=[mask.pk])


class ShortMeasureSerializer(Row):
    class Meta:
        model = Measure
        fields: ClassVar = ["scorer", "version", "value"]


class MadeSerializer(Row):
    """What was made of a recipe; ``pixels_sha256`` is of the pixels, ``sha256`` of the file."""

    id = serializers.UUIDField(source="pk")
    file = serializers.SerializerMethodField()
    sha256 = serializers.CharField(source="image.blob_id")
    pixels_sha256 = serializers.CharField(source="image.pixels_sha256")
    is_too_close = serializers.BooleanField()
    measures = ShortMeasureSerializer(source="image.measures", many=True)

    class Meta:
        model = Candidate
        fields: ClassVar = ["id", "file", "sha256", "pixels_sha256", "is_too_close", "measures"]

    def get_file(self, candidate: Candidate) -> str:
        return reverse("images:file", args=[candidate.pk])


class PlaceSerializer(Row):
    recipe = serializers.CharField(source="recipe_id")
    prompt = serializers.CharField(source="recipe.prompt")
    findings = serializers.ListField(source="recipe.findings", child=serializers.CharField())
    mode = serializers.CharField(source="recipe.mode")
    seed = serializers.IntegerField(source="recipe.seed")
    masks = FollowedMaskSerializer(source="recipe.conditioning", many=True)
    candidate = MadeSerializer(allow_null=True)

    class Meta:
        model = BatchRecipe
        fields: ClassVar = [
            "position", "recipe", "prompt", "findings", "mode", "seed", "masks", "candidate",
        ]  # fmt: skip


class TrySerializer(Row):
    """``fits`` is null while it is not judged; ``seen`` has what was asked for and seen."""

    recipe = serializers.CharField(source="recipe_id")
    prompt = serializers.CharField(source="recipe.prompt")
    seed = serializers.IntegerField(source="recipe.seed")
    seen = serializers.JSONField()
    candidate = serializers.UUIDField(source="recipe.candidate.pk", allow_null=True, default=None)

    class Meta:
        model = Try
        fields: ClassVar = [
            "position", "number", "recipe", "prompt", "seed", "fits", "seen", "candidate",
        ]  # fmt: skip


class BatchFilter(FilterSet):
    model_version = CharFilter("model_version__name", label="Name of the model version")

    class Meta:
        model = Batch
        fields: ClassVar = {"name": ["exact"], "created_at": ["gte", "lte"]}


class BatchesView(Read):
    """Requests for candidates, the newest first, and how far each is."""

    queryset = Batch.objects.select_related(
        "model_version", "created_by", "prompt_set_version__prompt_set", "fitting"
    )
    lookup_url_kwarg, lookup_value_converter = "batch_id", "uuid"
    serializer_class = BatchSerializer
    answers = {
        "create": NewBatchSerializer, "candidates": PlaceSerializer, "tries": TrySerializer,
    }  # fmt: skip
    asks = {"create": BatchRequest}
    filterset_class = BatchFilter
    ordering_fields = ("created_at", "name")
    listings = frozenset({"list", "candidates", "tries"})

    def prepare(self, rows: Sequence[Any]) -> None:
        if self.action not in {"candidates", "tries"}:
            tell_progress(rows)

    def create(self, request: Request) -> Response:
        batch, plan = ask_for_batch(self.asked(BatchRequest), created_by=self.actor)
        batch.plan = plan  # type: ignore[attr-defined]
        return self.told(batch, status=status.HTTP_201_CREATED)

    @action(["post"], detail=True)
    def cancel(self, request: Request, batch_id: UUID) -> Response:
        """What is made stays."""
        batch = self.row()
        cancel_batch(batch)
        return self.told(batch)

    @action(["post"], detail=True)
    def complete(self, request: Request, batch_id: UUID) -> Response:
        """Queues what is neither made nor waiting."""
        batch = self.row()
        make_missing(batch, created_by=self.actor)
        return self.told(batch)

    @action(["get"], detail=True)
    def candidates(self, request: Request, batch_id: UUID) -> Response:
        """A batch's places in order, with candidates and measures where they are made."""
        places = self.get_object().batchrecipe_set.with_candidates().order_by("position")
        return self.page_of(places)

    @action(["get"], detail=True)
    def tries(self, request: Request, batch_id: UUID) -> Response:
        """What was tried for each place of a batch whose images have to fit, and what fitted."""
        tries = self.get_object().tries.select_related("recipe__candidate")
        return self.page_of(tries.order_by("position", "number"))


def tell_progress(batches: Sequence[Any]) -> None:
    """Give batches what their serializer tells of their progress."""
    progress = progress_of_all(batches)
    for batch in batches:
        batch.progress = progress[batch.pk]
        fitting = getattr(batch, "fitting", None)
        batch.fits = fitting and {"batch": fitting, "counts": batch.progress.fitting}


class MeasureSerializer(Row):
    image = serializers.UUIDField(source="image_id")

    class Meta:
        model = Measure
        fields: ClassVar = ["id", "image", "scorer", "version", "value", "details"]


class RepairSerializer(Row):
    """The candidate of which regions were drawn again; they are in its pixels."""

    candidate = serializers.UUIDField(source="original_id")
    regions = serializers.JSONField()

    class Meta:
        model = Repair
        fields: ClassVar = ["candidate", "regions"]


class CandidateSerializer(MadeSerializer):
    """A synthetic image with the recipe that it follows from."""

    recipe = serializers.CharField(source="recipe_id")
    model_version = serializers.CharField(source="recipe.model_version.name")
    prompt = serializers.CharField(source="recipe.prompt")
    findings = serializers.ListField(source="recipe.findings", child=serializers.CharField())
    mode = serializers.CharField(source="recipe.mode")
    sampler = serializers.CharField(source="recipe.sampler")
    steps = serializers.IntegerField(source="recipe.steps")
    guidance_scale = serializers.FloatField(source="recipe.guidance_scale")
    seed = serializers.IntegerField(source="recipe.seed")
    masks = FollowedMaskSerializer(source="recipe.conditioning", many=True)
    repair_of = RepairSerializer(source="recipe.repair", allow_null=True, default=None)
    did_not_fit = serializers.SerializerMethodField()

    class Meta(MadeSerializer.Meta):
        fields: ClassVar = [
            *MadeSerializer.Meta.fields, "created_at", "recipe", "model_version", "prompt",
            "findings", "mode", "sampler", "steps", "guidance_scale", "seed", "masks", "repair_of",
            "did_not_fit",
        ]  # fmt: skip

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_did_not_fit(self, candidate: Candidate) -> list[str]:
        """Returns the ids of the batches that had it made and did not take it."""
        return [str(one.batch_id) for one in candidate.recipe.tries.all() if one.fits is False]


class CandidateFilter(FilterSet):
    batch = UUIDFilter("recipe__batches", label="Id of a batch")
    model_version = CharFilter("recipe__model_version__name", label="Name of the model version")
    finding = CharFilter(method="with_finding", label="A finding that the prompt names")
    mode = ChoiceFilter(field_name="recipe__mode", choices=GenerationMode.choices)

    class Meta:
        model = Candidate
        fields: ClassVar = {"created_at": ["gte", "lte"]}

    def with_finding(self, rows: Any, _: str, finding: str) -> Any:
        return rows.filter(recipe__findings__contains=[finding])


class CandidatesView(Read):
    """Synthetic images, the newest first."""

    queryset = (
        Candidate.objects.select_related("image", "recipe__model_version", "recipe__repair")
        .prefetch_related("image__measures", MASKS_WITH_PARENTS, "recipe__tries")
        .order_by("-created_at", "pk")
    )
    lookup_url_kwarg, lookup_value_converter = "image_id", "uuid"
    serializer_class = CandidateSerializer
    answers = {"repair": BatchSerializer}
    asks = {"repair": RepairRequest}
    statuses = {"repair": (status.HTTP_201_CREATED,)}
    filterset_class = CandidateFilter
    ordering_fields = ("created_at",)

    @action(["post"], detail=True)
    def repair(self, request: Request, image_id: UUID) -> Response:
        """Has regions drawn again by the model that made the candidate; a batch comes of it."""
        asked = self.asked(RepairRequest)
        batch = ask_for_repair(asked, self.get_object(), created_by=self.actor)
        tell_progress([batch])
        return self.told(batch, status=status.HTTP_201_CREATED)


class MeasureFilter(FilterSet):
    image = UUIDFilter("image", label="Id of an image")

    class Meta:
        model = Measure
        fields: ClassVar = {"scorer": ["exact"], "version": ["exact"], "value": ["gte", "lte"]}


class MeasuresView(Read):
    """Automatic figures on images, each by a version of a scorer."""

    queryset = Measure.objects.order_by("pk")
    lookup_url_kwarg, lookup_value_converter = "measure_id", "int"
    serializer_class = MeasureSerializer
    filterset_class = MeasureFilter
    ordering_fields = ("value",)
