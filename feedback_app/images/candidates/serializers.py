"""A request for candidates, as programs send it."""

from typing import Any, get_args

from rest_framework import serializers

from feedback_app.images.candidates.batches import SEED_LIMIT, Settings
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_plan import MAX_VARIANTS, as_kinds
from feedback_app.images.cohorts.models import Cohort, CohortImage
from feedback_app.images.prompts.models import PromptSetVersion
from feedback_app.images.prompts.services import find_version
from feedback_app.images.versions.models import ModelVersion
from generation.conditioning.masks import MASK_KINDS
from generation.conditioning.transforms import FAMILIES, as_family
from generation.errors import RemediableError
from generation.specs import PROMPT_MAX_CHARACTERS, Mode, Sampler

SEED_SPAN = 2_048
"""Room for a batch's images, each of which takes the next seed."""


class MasksSerializer(serializers.Serializer[Any]):
    """Which masks of a cohort are followed: ``images`` by name, or ``number`` drawn by ``seed``."""

    cohort = serializers.SlugRelatedField(slug_field="name", queryset=Cohort.objects.all())
    kinds = serializers.ListField(
        child=serializers.ChoiceField(MASK_KINDS), allow_empty=False, default=["lungs"]
    )
    images = serializers.ListField(child=serializers.CharField(max_length=255), default=list)
    number = serializers.IntegerField(min_value=1, max_value=256, default=4)
    transforms = serializers.ListField(child=serializers.ChoiceField(FAMILIES), default=list)
    variants = serializers.IntegerField(min_value=0, max_value=MAX_VARIANTS, default=0)
    keeps_parents = serializers.BooleanField(default=True)
    seed = serializers.IntegerField(min_value=0, max_value=2**31, default=0)
    allows_held_out = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Names become ids; a name that the cohort does not have is a mistake."""
        rows = CohortImage.objects.filter(cohort=attrs["cohort"], source_id__in=attrs["images"])
        known = dict(rows.values_list("source_id", "pk"))
        unknown = [name for name in attrs["images"] if name not in known]
        if unknown:
            raise serializers.ValidationError(
                {"images": [f"The cohort has no image “{name}”." for name in unknown]}
            )
        return attrs | {"images": tuple(known[name] for name in attrs["images"])}


class BatchSerializer(serializers.Serializer[Any]):
    """``prompts``, or those of ``prompt_set`` (NAME or NAME@VERSION), or some of them."""

    name = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)
    model_version = serializers.SlugRelatedField(
        slug_field="name", queryset=ModelVersion.objects.all(), required=False
    )
    prompts = serializers.ListField(
        child=serializers.CharField(max_length=PROMPT_MAX_CHARACTERS), default=list
    )
    prompt_set = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)
    mode = serializers.ChoiceField(get_args(Mode), default="t2i")
    masks = MasksSerializer(required=False, allow_null=True, default=None)
    images_per_prompt = serializers.IntegerField(min_value=1, max_value=256, default=4)
    seed = serializers.IntegerField(min_value=0, max_value=SEED_LIMIT - SEED_SPAN, default=0)
    sampler = serializers.ChoiceField(get_args(Sampler), default=Settings.sampler)
    steps = serializers.IntegerField(min_value=1, max_value=200, default=Settings.steps)
    guidance_scale = serializers.FloatField(
        min_value=0, max_value=30, default=Settings.guidance_scale
    )
    side = serializers.IntegerField(
        min_value=32, max_value=2_048, required=False, allow_null=True, default=None
    )

    def validate_prompt_set(self, name: str) -> PromptSetVersion | None:
        try:
            return find_version(name) if name else None
        except RemediableError as error:
            raise serializers.ValidationError(f"{error} {error.remedy}") from error

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Without a model version, the promoted one."""
        if "model_version" not in attrs:
            promoted = ModelVersion.objects.filter(is_promoted=True).first()
            if promoted is None:
                raise serializers.ValidationError(
                    {"model_version": ["None is promoted: name one."]}
                )
            attrs["model_version"] = promoted
        attrs["prompt_set"] = attrs["prompt_set"] or None
        return attrs

    @property
    def texts(self) -> list[str]:
        data: dict[str, Any] = self.validated_data
        chosen = data["prompt_set"]
        return data["prompts"] or (chosen.texts() if chosen else [])

    @property
    def settings(self) -> Settings:
        names = ("sampler", "steps", "guidance_scale", "side")
        return Settings(**{name: self.validated_data[name] for name in names})

    @property
    def choice(self) -> MaskChoice | None:
        masks: dict[str, Any] | None = self.validated_data["masks"]
        if masks is None:
            return None
        return MaskChoice(
            cohort=masks["cohort"],
            kinds=as_kinds(masks["kinds"]),
            images=masks["images"],
            number=masks["number"],
            families=tuple(as_family(name) for name in masks["transforms"]),
            variants=masks["variants"],
            keeps_parents=masks["keeps_parents"],
            seed=masks["seed"],
            allows_held_out=masks["allows_held_out"],
        )
