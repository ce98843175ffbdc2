"""What VLM versions learn of readers: frozen choices and edits of reports."""

import json
import uuid
from functools import cached_property
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from feedback_app.images.blobs.models import Blob
from feedback_app.readings.models import Reading


class LessonKind(models.TextChoices):
    """What a reading says of reports."""

    CHOICE = "choice", "One of two reports preferred"
    EDIT = "edit", "A draft that was changed"
    ACCEPTED = "accepted", "A draft accepted as it was"


ERASED = "erased"
"""In the line of a lesson that was erased: the hash of what stood there."""
PAIRED = (LessonKind.CHOICE, LessonKind.EDIT)
"""These prefer one text to another; a draft that was accepted stands alone."""


class ReportSnapshotQuerySet(models.QuerySet["ReportSnapshot"]):
    def with_counts(self) -> Self:
        """Adds ``choices``, ``edits`` and ``accepted``, the lessons of each kind."""
        return self.annotate(
            choices=Count("lessons", filter=Q(lessons__kind=LessonKind.CHOICE)),
            edits=Count("lessons", filter=Q(lessons__kind=LessonKind.EDIT)),
            accepted=Count("lessons", filter=Q(lessons__kind=LessonKind.ACCEPTED)),
        )


class ReportSnapshot(models.Model):
    """A frozen, hashed set of choices and edits of reports; ``blob`` holds them as JSON lines.

    Either people's readings or simulated ones, never both. ``replaces`` is the one that it was
    taken instead of, without retracted readings. Where lessons were erased with their cohort,
    ``erased_sha256`` is the hash that the set was frozen with.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="report_snapshots")
    is_simulated = models.BooleanField(default=False)
    erased_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReportSnapshotQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "snapshot of reports"
        verbose_name_plural = "snapshots of reports"

    def __str__(self) -> str:
        return self.name

    @property
    def sha256(self) -> str:
        return self.blob_id

    @property
    def first(self) -> "ReportSnapshot":
        """The one that it replaces, or that one replaces; itself where it replaces none."""
        return self.replaces.first if self.replaces else self

    @property
    def reader_count(self) -> int:
        return self.lessons.order_by().values("reading__reader").distinct().count()

    @cached_property
    def kept(self) -> list[dict[str, Any]]:
        """A line a lesson: as it was frozen, or the mark of one that was erased."""
        return [json.loads(line) for line in self.blob.read().splitlines()]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lessons as they were frozen, without those that were erased with their cohort."""
        return [line for line in self.kept if ERASED not in line]

    @property
    def erased_count(self) -> int:
        """How many lessons were erased with their cohort."""
        return len(self.kept) - len(self.lines)


class ReportLesson(models.Model):
    """A reading that a snapshot of reports has a line of."""

    snapshot = models.ForeignKey(ReportSnapshot, on_delete=models.CASCADE, related_name="lessons")
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="report_lessons")
    kind = models.CharField(max_length=8, choices=LessonKind)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_lesson_a_snapshot_and_reading", fields=["snapshot", "reading"]
            )
        ]


class VlmMethod(models.TextChoices):
    """How a VLM learns of readers; both hold on to the parent."""

    DPO = "dpo", "DPO: from what was preferred to what"
    KTO = "kto", "KTO: from drafts accepted and changed, each alone"


class VlmFineTune(models.Model):
    """One training of ``parent`` from a snapshot of reports; gives ``version`` once it is done.

    ``name`` is what the child is called. ``replaces`` is the one in whose place it is trained,
    without retracted readings.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    snapshot = models.ForeignKey(
        ReportSnapshot, on_delete=models.PROTECT, related_name="fine_tunes"
    )
    parent = models.ForeignKey(
        "vlms.VlmVersion", on_delete=models.PROTECT, related_name="fine_tunes"
    )
    method = models.CharField(max_length=8, choices=VlmMethod)
    settings = models.JSONField(default=dict)
    run = models.OneToOneField("runs.Run", on_delete=models.PROTECT, related_name="vlm_fine_tune")
    version = models.OneToOneField(
        "vlms.VlmVersion", null=True, blank=True, on_delete=models.PROTECT,
        related_name="fine_tune",
    )  # fmt: skip
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name
