"""VLM versions: vision-language models that judge beside readers and draft reports."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class VlmVersion(models.Model):
    """A VLM in a folder, registered or trained here; ``parent`` is the one it was taught on from.

    ``family`` is the ``model_type`` of its configuration, ``sha256`` that of its weights.
    """

    name = models.CharField(max_length=100, unique=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    location = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    family = models.CharField(max_length=40)
    run = models.OneToOneField(
        "runs.Run", null=True, blank=True, on_delete=models.PROTECT, related_name="vlm_version"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = "VLM version"

    def __str__(self) -> str:
        return self.name
