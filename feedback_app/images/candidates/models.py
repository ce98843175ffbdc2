"""Recipes, the batches that ask for them, and the candidates that come of them."""

import hashlib
import json
import uuid
from collections.abc import Iterable
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Subquery
from django.utils import timezone

from feedback_app.images.blobs.models import Image, Measure
from feedback_app.images.candidates.fitting_models import Try
from feedback_app.images.candidates.mask_models import RecipeMask
from feedback_app.images.candidates.repair_models import Repair
from feedback_app.images.prompts.models import PromptSetVersion
from feedback_app.images.versions.models import ModelVersion
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


class GenerationMode(models.TextChoices):
    TEXT = "t2i", "Text only"
    MASKS = "m2i", "Masks only"
    TEXT_AND_MASKS = "tm2i", "Text and masks"


MASKS_WITH_PARENTS = models.Prefetch(
    "recipe__masks", RecipeMask.objects.select_related("parent__cohort_image__cohort")
)


MISFITS = models.Prefetch(
    "recipe__tries", Try.objects.misfits().select_related("batch"), to_attr="misfits"
)


class RecipeQuerySet(models.QuerySet["Recipe"]):
    def unmade(self) -> Self:
        return self.filter(candidate__isnull=True)


class Recipe(models.Model):
    """Everything a candidate follows from; ``key`` is the SHA-256 of it all.

    ``findings`` are those that the prompt names: derived, so not part of the key. ``masks``
    are rows of their own; a recipe with masks is conditioned on all of them. One with a
    ``repair`` draws regions of another candidate again.
    """

    key = models.CharField(max_length=64, primary_key=True)
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="recipes"
    )
    prompt = models.TextField()
    mode = models.CharField(max_length=8, choices=GenerationMode, default="t2i")
    sampler = models.CharField(max_length=16)
    steps = models.PositiveSmallIntegerField()
    guidance_scale = models.FloatField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField()
    findings = ArrayField(models.CharField(max_length=64), default=list)

    objects = RecipeQuerySet.as_manager()

    @classmethod
    def of(
        cls,
        model_version: ModelVersion,
        sample: SampleSpec,
        *,
        masks: Iterable[RecipeMask] = (),
        repair: Repair | None = None,
    ) -> Self:
        """Returns an unsaved recipe with its key; ``masks`` and ``repair`` need not be saved, or
        be of this recipe.
        """
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
        recipe.key = recipe.compute_key(masks, repair)
        return recipe

    @property
    def conditioning(self) -> list[RecipeMask]:
        """Its masks in the order of the vocabulary."""
        return sorted(self.masks.all(), key=lambda mask: mask.channel)

    @property
    def mask_blobs(self) -> tuple[str, ...]:
        """What tells its masks from those of other recipes."""
        return tuple(mask.blob_id for mask in self.conditioning)

    @property
    def title(self) -> str:
        """The prompt, or what stands for it where there is none."""
        return self.prompt or "No prompt"

    @property
    def sample(self) -> SampleSpec:
        """What a sampler reads of it, but for the files of its masks."""
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

    def compute_key(
        self, masks: Iterable[RecipeMask] | None = None, repair: Repair | None = None
    ) -> str:
        """Returns the SHA-256 of the canonical JSON of the weights' hashes and all settings.

        ``masks`` and ``repair`` are the recipe's own rows unless given.
        """
        content: dict[str, object] = {
            "weights": [version.sha256 for version in self.model_version.ancestry],
            "prompt": self.prompt,
            "mask": None,  # what recipes without masks have always had in their keys
            "mask_transform": {},
            "mode": self.mode,
            "sampler": self.sampler,
            "steps": self.steps,
            "guidance_scale": float(self.guidance_scale),
            "width": self.width,
            "height": self.height,
            "seed": self.seed,
        }
        conditioning = self.masks.all() if masks is None else masks
        if ordered := sorted(conditioning, key=lambda mask: mask.channel):
            content["masks"] = [mask.content for mask in ordered]
        if repair := repair or getattr(self, "repair", None):
            content["repair"] = repair.content
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


class Batch(models.Model):
    """A batch is one request for candidates; its prompts may be those of a prompt set's version."""

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
    def made(self) -> Self:
        """Returns those of which there is a candidate; their recipes are not looked at for that."""
        return self.filter(Exists(Candidate.objects.filter(recipe=OuterRef("recipe"))))

    def with_candidates(self) -> Self:
        """Returns each place with its recipe and masks, and the candidate and measures where
        made.
        """
        return self.select_related("recipe__candidate__image").prefetch_related(
            "recipe__candidate__image__measures", MASKS_WITH_PARENTS
        )


class BatchRecipe(models.Model):
    """It is a recipe's place in a batch.

    Candidates of one prompt and the same masks share ``prompt_index``.
    """

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
    def of_condition(self, recipe: Recipe) -> Self:
        """Returns those of the same version, mode and prompt that follow the same masks."""
        alike = self.filter(
            recipe__model_version=recipe.model_version,
            recipe__prompt=recipe.prompt,
            recipe__mode=recipe.mode,
        )
        for mask in recipe.conditioning:
            same = RecipeMask.objects.filter(kind=mask.kind, blob=mask.blob_id)
            alike = alike.filter(recipe__in=same.values("recipe"))
        return alike

    def for_gallery(self) -> Self:
        """Newest first, with all that a thumbnail says."""
        return (
            self.select_related("image", "recipe__model_version")
            .prefetch_related("image__measures", "recipe__masks", MISFITS)
            .order_by("-created_at", "pk")
        )

    def by_measure(self, scorer: str, *, lowest_first: bool) -> Self:
        """By the newest measure of this scorer, as ``measured``; those without one come last."""
        newest = Measure.objects.filter(image=OuterRef("pk"), scorer=scorer).order_by("-pk")
        value = F("measured")
        order = value.asc(nulls_last=True) if lowest_first else value.desc(nulls_last=True)
        return self.annotate(measured=Subquery(newest.values("value")[:1])).order_by(order, "pk")


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
        indexes = [models.Index(name="candidates_newest_first", fields=["-created_at", "image"])]

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
