"""Recipes, the batches that ask for them, and the candidates that come of them."""

import hashlib
import json
import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from feedback_app.images.models.blobs import Image
from feedback_app.images.models.cohorts import Mask
from feedback_app.images.models.prompts import PromptSetVersion
from feedback_app.images.models.versions import ModelVersion
from feedback_app.runs.models import Run
from generation.conditioning.findings import findings_in
from generation.specs import SampleSpec

PROVENANCE_WORDS = {
    "device": "Device",
    "dtype": "Precision",
    "seconds": "Seconds an image",
    "images_a_pass": "Images a pass",
    "torch": "torch",
    "diffusers": "diffusers",
    "transformers": "transformers",
}


class RecipeQuerySet(models.QuerySet["Recipe"]):
    def unmade(self) -> Self:
        return self.filter(candidate__isnull=True)


class Recipe(models.Model):
    """Everything a candidate follows from; ``key`` is the SHA-256 of it all.

    ``findings`` are those that the prompt names: derived, so not part of the key.
    """

    key = models.CharField(max_length=64, primary_key=True)
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="recipes"
    )
    prompt = models.TextField()
    mask = models.ForeignKey(Mask, null=True, blank=True, on_delete=models.PROTECT)
    mask_transform = models.JSONField(default=dict)
    mode = models.CharField(max_length=8, default="t2i")
    sampler = models.CharField(max_length=16)
    steps = models.PositiveSmallIntegerField()
    guidance_scale = models.FloatField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField()
    findings = ArrayField(models.CharField(max_length=64), default=list)

    objects = RecipeQuerySet.as_manager()

    @classmethod
    def of(cls, model_version: ModelVersion, sample: SampleSpec) -> Self:
        """An unsaved recipe with its key."""
        recipe = cls(
            model_version=model_version,
            prompt=sample.prompt,
            mode=sample.mode,
            sampler=sample.sampler,
            steps=sample.steps,
            guidance_scale=sample.guidance_scale,
            width=sample.width,
            height=sample.height,
            seed=sample.seed,
            findings=findings_in(sample.prompt),
        )
        recipe.key = recipe.compute_key()
        return recipe

    @property
    def sample(self) -> SampleSpec:
        return SampleSpec(
            prompt=self.prompt,
            mode=self.mode,  # type: ignore[arg-type]
            sampler=self.sampler,  # type: ignore[arg-type]
            steps=self.steps,
            guidance_scale=self.guidance_scale,
            width=self.width,
            height=self.height,
            seed=self.seed,
        )

    def compute_key(self) -> str:
        """SHA-256 of the canonical JSON of the weights' hashes and all settings."""
        content = {
            "weights": [version.sha256 for version in self.model_version.ancestry],
            "prompt": self.prompt,
            "mask": self.mask.blob_id if self.mask else None,
            "mask_transform": self.mask_transform,
            "mode": self.mode,
            "sampler": self.sampler,
            "steps": self.steps,
            "guidance_scale": float(self.guidance_scale),
            "width": self.width,
            "height": self.height,
            "seed": self.seed,
        }
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


class Batch(models.Model):
    """One request for candidates; its prompts may be those of a prompt set's version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT)
    prompt_set_version = models.ForeignKey(
        PromptSetVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="batches",
    )
    recipes = models.ManyToManyField(Recipe, through="BatchRecipe", related_name="batches")
    runs = models.ManyToManyField(Run, related_name="batches")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return self.name


class BatchRecipeQuerySet(models.QuerySet["BatchRecipe"]):
    def with_candidates(self) -> Self:
        """Each place with its recipe, and the candidate, image and measures where made."""
        return self.select_related("recipe__candidate__image").prefetch_related(
            "recipe__candidate__image__measures"
        )


class BatchRecipe(models.Model):
    """A recipe's place in a batch: candidates of one prompt share ``prompt_index``."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE)
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT)
    position = models.PositiveIntegerField()
    prompt_index = models.PositiveIntegerField()

    objects = BatchRecipeQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="one_place_a_recipe", fields=["batch", "recipe"]),
            models.UniqueConstraint(name="one_recipe_a_place", fields=["batch", "position"]),
        ]

    @property
    def candidate(self) -> "Candidate | None":
        """What was made of the recipe, if it was made."""
        return getattr(self.recipe, "candidate", None)


class CandidateQuerySet(models.QuerySet["Candidate"]):
    def for_gallery(self) -> Self:
        """Newest first, with all that a thumbnail says."""
        return (
            self.select_related("image", "recipe__model_version")
            .prefetch_related("image__measures")
            .order_by("-created_at", "pk")
        )


class Candidate(models.Model):
    """A synthetic image of a recipe, with how it was made."""

    image = models.OneToOneField(
        Image, on_delete=models.PROTECT, related_name="candidate", primary_key=True
    )
    recipe = models.OneToOneField(Recipe, on_delete=models.PROTECT, related_name="candidate")
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="candidates")
    provenance = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]

    @property
    def provenance_lines(self) -> list[tuple[str, object]]:
        """What is known of how it was made, in a fixed order and in words."""
        words = PROVENANCE_WORDS | {
            key: key for key in sorted(self.provenance) if key not in PROVENANCE_WORDS
        }
        known = {key: word for key, word in words.items() if key in self.provenance}
        return [(word, self.provenance[key]) for key, word in known.items()]

    @property
    def is_too_close(self) -> bool:
        """Whether a measure found it too close to a training image."""
        return any(measure.is_too_close for measure in self.image.measures.all())
