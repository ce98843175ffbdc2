"""Model versions: a tree of a base model and the adapters upon it, and which were promoted."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef
from django.utils import timezone

from feedback_app.images.versions.folders import loadable
from feedback_app.related import number_of, related_rows
from generation.specs import ModelSource

METHODS_IN_WORDS = {
    "pretrain": "base training",
    "continued": "further training",
    "controlnet": "training to follow masks",
    "converted": "conversion of a checkpoint",
    "dpo_margin": "margin-weighted DPO",
    "dpo_paper": "rank-weighted DPO",
    "reward_weighted": "reward-weighted likelihood",
    "kto": "KTO",
    "draft": "DRaFT",
}


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def with_counts(self) -> Self:
        """Adds ``candidate_count`` and ``batch_count``."""
        made = related_rows(self.model, "recipes").filter(candidate__isnull=False)
        batches = related_rows(self.model, "batch")
        return self.annotate(
            candidate_count=number_of(made.filter(model_version=OuterRef("pk"))),
            batch_count=number_of(batches.filter(model_version=OuterRef("pk"))),
        )


class ModelVersion(models.Model):
    """A model version is a base model, or a parent plus one LoRA adapter.

    ``location`` of a base model is ``bundled``, a diffusers folder or a hub id; of an adapter
    its folder; folders within the storage are written relative to it. ``sha256`` is that of
    the weights that this version adds and, of a base model, of its settings.
    ``follows_masks`` where the base model comes with a ControlNet.
    """

    name = models.CharField(max_length=100, unique=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    location = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    method = models.CharField(max_length=32, blank=True)
    taught_by_simulated_readers = models.BooleanField(default=False)
    is_promoted = models.BooleanField(default=False)
    resolution = models.PositiveIntegerField(default=128)
    follows_masks = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                name="one_promoted_model_version",
                fields=["is_promoted"],
                condition=models.Q(is_promoted=True),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def method_in_words(self) -> str:
        """How it was taught; of fine-tunes the method, which the fine-tune itself names in full."""
        return METHODS_IN_WORDS.get(self.method, self.method.replace("_", " "))

    @property
    def ancestry(self) -> list["ModelVersion"]:
        """Lists versions from the base model down to this version."""
        chain = [self]
        while chain[0].parent is not None:
            chain.insert(0, chain[0].parent)
        return chain

    @property
    def source(self) -> ModelSource:
        base, *adapters = (loadable(version.location) for version in self.ancestry)
        return ModelSource(base=base, adapters=tuple(adapters))


class PromotionKind(models.TextChoices):
    FIRST = "first", "Was there first"
    BY_HAND = "by hand", "Promoted"
    BY_GATE = "by gate", "Promoted after its gate said so"
    OVERRULED = "overruled", "Promoted although no gate said so"
    BACK = "back", "Gone back to"


class PromotionQuerySet(models.QuerySet["Promotion"]):
    def in_turn(self) -> list["ModelVersion"]:
        """Returns the versions as they took over; the last is promoted, going back takes one
        away.
        """
        stack: list[ModelVersion] = []
        for promotion in self.select_related("version").order_by("pk"):
            if promotion.kind == PromotionKind.BACK and len(stack) > 1:
                stack.pop()
            elif not stack or stack[-1] != promotion.version:
                stack.append(promotion.version)
        return stack


class Promotion(models.Model):
    """From then on new batches took ``version``; rows are never changed."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    kind = models.CharField(max_length=16, choices=PromotionKind)
    reason = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = PromotionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
