"""Exports: curated sets written out in a format, with a manifest."""

import uuid

from django.db import models
from django.utils import timezone

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.formats import NAMES, format_choices
from feedback_app.images.models import Blob
from feedback_app.runs.models import Run


class Export(models.Model):
    """A curated set as one archive; ``blob`` is there once the run has succeeded.

    ``with_readings`` has a table of what each reader said beside the images. ``replaces`` is
    the one that it was made instead of, without retracted readings.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    curated_set = models.ForeignKey(CuratedSet, on_delete=models.PROTECT, related_name="exports")
    format = models.CharField(max_length=16, choices=format_choices, default=NAMES[0])
    with_readings = models.BooleanField(default=False, db_default=False)
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="export")
    blob = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT)
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
