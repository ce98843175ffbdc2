"""The masks that recipes are conditioned on."""

from typing import Any

from django.db import models

from feedback_app.images.blobs.models import Blob
from feedback_app.images.cohorts.models import Mask
from generation.conditioning.masks import MASK_KINDS, label_of
from generation.conditioning.transforms import in_words, load


class RecipeMask(models.Model):
    """One kind of mask that a recipe follows: a parent, transformed.

    ``blob`` is what came of it at the candidate's size, an 8-bit PNG of 0 and 255: derived
    from the parent's file and ``transforms``, which are part of the recipe's key.
    """

    recipe = models.ForeignKey("images.Recipe", on_delete=models.CASCADE, related_name="masks")
    kind = models.CharField(max_length=32)
    parent = models.ForeignKey(Mask, on_delete=models.PROTECT, related_name="recipe_masks")
    transforms = models.JSONField(default=list)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_mask_a_recipe_and_kind", fields=["recipe", "kind"])
        ]

    @property
    def channel(self) -> int:
        """Returns its kind's place in the vocabulary."""
        return MASK_KINDS.index(self.kind)

    @property
    def label(self) -> str:
        return label_of(self.kind)

    @property
    def content(self) -> dict[str, Any]:
        """What a recipe's key has of it."""
        return {"kind": self.kind, "parent": self.parent.blob_id, "transforms": self.transforms}

    @property
    def transform_words(self) -> list[str]:
        return [in_words(transform) for transform in load(self.transforms)]
