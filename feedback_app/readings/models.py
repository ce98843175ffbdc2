"""Readings: what readers submitted, append-only."""

import uuid
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone

from feedback_app.images.models import Image
from feedback_app.studies.models import SCORE_MAX, Criterion, FlagKind, Slot


class ReadingQuerySet(models.QuerySet["Reading"]):
    def current(self) -> Self:
        """The last revision for each slot."""
        later = Reading.objects.filter(slot=OuterRef("slot"), revision__gt=OuterRef("revision"))
        return self.filter(~Exists(later))

    def by_people(self) -> Self:
        return self.filter(is_simulated=False)

    def by_simulated_readers(self) -> Self:
        return self.filter(is_simulated=True)


class Reading(models.Model):
    """One submission for a slot; revising it adds a row with the next revision.

    A database trigger refuses updates and deletions of readings and their parts.
    ``idempotency_key`` is made by the client: the same submission is stored once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="readings")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="readings"
    )
    revision = models.PositiveIntegerField()
    idempotency_key = models.UUIDField(unique=True)
    is_simulated = models.BooleanField(default=False)
    comment = models.TextField(blank=True, max_length=2_000)
    active_ms = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(name="one_reading_a_revision", fields=["slot", "revision"])
        ]


class Score(models.Model):
    """An ordinal score, 0-5, of one image on one criterion."""

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="scores")
    image = models.ForeignKey(Image, on_delete=models.PROTECT)
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT)
    value = models.PositiveSmallIntegerField(validators=[MaxValueValidator(SCORE_MAX)])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_score_an_image_and_criterion", fields=["reading", "image", "criterion"]
            ),
            models.CheckConstraint(
                name="a_score_is_at_most_five", condition=models.Q(value__lte=SCORE_MAX)
            ),
        ]


class Grade(models.TextChoices):
    MINOR = "minor"
    MAJOR = "major"


class Flag(models.Model):
    """A named artefact that a reader saw on an image."""

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="flags")
    image = models.ForeignKey(Image, on_delete=models.PROTECT)
    kind = models.ForeignKey(FlagKind, on_delete=models.PROTECT)
    grade = models.CharField(max_length=8, choices=Grade)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_flag_an_image_and_kind", fields=["reading", "image", "kind"]
            )
        ]
