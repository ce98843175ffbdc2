"""Model versions: a tree of a base model and the adapters upon it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count
from django.utils import timezone

from generation.specs import ModelSource


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def with_counts(self) -> Self:
        """``candidate_count`` and ``batch_count``."""
        return self.annotate(
            candidate_count=Count("recipes__candidate", distinct=True),
            batch_count=Count("batch", distinct=True),
        )


class ModelVersion(models.Model):
    """A base model, or a parent plus one LoRA adapter.

    ``location`` of a base model is ``bundled``, a diffusers folder or a hub id; of
    an adapter its folder. ``sha256`` is that of the weights that this version adds.
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
    def ancestry(self) -> list["ModelVersion"]:
        """From the base model down to this version."""
        chain = [self]
        while chain[0].parent is not None:
            chain.insert(0, chain[0].parent)
        return chain

    @property
    def source(self) -> ModelSource:
        base, *adapters = (version.location for version in self.ancestry)
        return ModelSource(base=base, adapters=tuple(adapters))
