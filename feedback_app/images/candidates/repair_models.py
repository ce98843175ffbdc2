"""What a recipe draws again of another candidate."""

from typing import Any

from django.db import models


class Repair(models.Model):
    """A recipe that draws regions of a candidate again, and keeps the rest of it.

    ``regions`` are corners in order, [x, y] in the original's pixels; with the original's
    pixels they are part of the recipe's key.
    """

    recipe = models.OneToOneField(
        "images.Recipe", on_delete=models.CASCADE, primary_key=True, related_name="repair"
    )
    original = models.ForeignKey(
        "images.Candidate", on_delete=models.PROTECT, related_name="repairs"
    )
    regions = models.JSONField()

    @property
    def content(self) -> dict[str, Any]:
        """What a recipe's key has of it."""
        return {"pixels": self.original.image.pixels_sha256, "regions": self.regions}

    @property
    def outlines(self) -> list[str]:
        """The regions as SVG writes them."""
        return [" ".join(f"{x:g},{y:g}" for x, y in region) for region in self.regions]
