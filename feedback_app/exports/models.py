"""Exports: curated sets, and the preferences of snapshots, written out with a manifest."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedback_app.curation.models import CuratedSet
from feedback_app.exports import preferences
from feedback_app.exports.formats import NAMES, Layout
from feedback_app.exports.layouts import LAYOUTS, layout_choices
from feedback_app.finetuning.models import Snapshot
from feedback_app.images.models import Blob
from feedback_app.runs.models import Run


class Export(models.Model):
    """A curated set, or a snapshot's pairs, as one archive; ``blob`` is there once the run has
    succeeded.

    ``with_readings`` has a table of what each reader said beside the images. ``replaces`` is
    the one that it was made instead of, without retracted readings.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    curated_set = models.ForeignKey(
        CuratedSet, null=True, blank=True, on_delete=models.PROTECT, related_name="exports"
    )
    snapshot = models.ForeignKey(
        Snapshot, null=True, blank=True, on_delete=models.PROTECT, related_name="exports"
    )
    format = models.CharField(max_length=16, choices=layout_choices, default=NAMES[0])
    with_readings = models.BooleanField(default=False, db_default=False)
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="export")
    blob = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT)
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="an_export_is_of_a_curated_set_or_of_a_snapshot",
                condition=Q(curated_set__isnull=False, snapshot=None)
                | Q(curated_set=None, snapshot__isnull=False, format=preferences.LAYOUT.name),
            )
        ]

    def __str__(self) -> str:
        return self.source_name

    @property
    def source(self) -> CuratedSet | Snapshot:
        """What is written out."""
        found = self.curated_set or self.snapshot
        assert found is not None
        return found

    @property
    def source_name(self) -> str:
        """What people call it: the policy's name, or the snapshot's."""
        return self.curated_set.policy.name if self.curated_set else str(self.snapshot)

    @property
    def layout(self) -> Layout:
        return LAYOUTS[self.format]
