"""Readings: what readers submitted, append-only; and what helps readers along."""

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from feedback_app.images.models import Image
from feedback_app.studies.models import SCORE_MAX, Criterion, FlagKind, Slot, Study


class ReadingQuerySet(models.QuerySet["Reading"]):
    def current(self) -> Self:
        """The last revision for each slot."""
        later = Reading.objects.filter(slot=OuterRef("slot"), revision__gt=OuterRef("revision"))
        return self.filter(~Exists(later))

    def by_people(self) -> Self:
        return self.filter(is_simulated=False)

    def by_simulated_readers(self) -> Self:
        return self.filter(is_simulated=True)


class SkipReason(models.TextChoices):
    NONE = "", "read"
    NOT_ASSESSABLE = "not_assessable", "The image cannot be assessed"
    NOT_MY_FIELD = "not_my_field", "Outside what I can judge"
    RECOGNISED = "recognised", "I know this image from elsewhere"
    TECHNICAL = "technical", "It does not display properly"
    OTHER = "other", "Another reason, in the comment"


class Reading(models.Model):
    """One submission for a slot; revising it adds a row with the next revision.

    A database trigger refuses updates and deletions of readings and their parts.
    ``idempotency_key`` is made by the client: the same submission is stored once.
    A skipped case is a reading with its reason and without answers. ``active_ms``
    leaves out hidden tabs and idle minutes; ``display`` says which windows and zooms
    were used.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="readings")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="readings"
    )
    revision = models.PositiveIntegerField()
    idempotency_key = models.UUIDField(unique=True)
    is_simulated = models.BooleanField(default=False)
    skip_reason = models.CharField(
        max_length=16, choices=SkipReason, default=SkipReason.NONE, blank=True
    )
    none_acceptable = models.BooleanField(default=False)
    comment = models.TextField(blank=True, max_length=2_000)
    active_ms = models.PositiveIntegerField(default=0)
    display = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(name="one_reading_a_revision", fields=["slot", "revision"])
        ]
        indexes = [models.Index(name="readings_of_a_reader", fields=["reader", "-created_at"])]

    @property
    def is_skipped(self) -> bool:
        return self.skip_reason != SkipReason.NONE


class Score(models.Model):
    """An ordinal score of one image on one criterion; 0-5, or 0-4 for a confidence."""

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
                name="a_score_is_at_most_five", condition=Q(value__lte=SCORE_MAX)
            ),
        ]


class Verdict(models.TextChoices):
    BETTER = "better", "One image is better"
    EQUAL = "equal", "Equally good"
    BOTH_BAD = "both_bad", "Both bad"


class Strength(models.IntegerChoices):
    SLIGHTLY = 1
    CLEARLY = 2
    MUCH = 3


class Choice(models.Model):
    """Of two images the better one on one criterion, and how strongly; or neither."""

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="choices")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT)
    verdict = models.CharField(max_length=8, choices=Verdict)
    image = models.ForeignKey(Image, null=True, blank=True, on_delete=models.PROTECT)
    strength = models.PositiveSmallIntegerField(null=True, blank=True, choices=Strength)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_choice_a_criterion", fields=["reading", "criterion"]),
            models.CheckConstraint(
                name="a_better_image_has_a_strength",
                condition=Q(
                    verdict=Verdict.BETTER, image__isnull=False, strength__in=Strength.values
                )
                | Q(
                    verdict__in=[Verdict.EQUAL, Verdict.BOTH_BAD],
                    image__isnull=True,
                    strength__isnull=True,
                ),
            ),
        ]


class Grade(models.TextChoices):
    MINOR = "minor"
    MAJOR = "major"


class Flag(models.Model):
    """A named artefact that a reader saw on an image, or in regions of it."""

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


class Shape(models.TextChoices):
    BOX = "box"
    POLYGON = "polygon"


class Region(models.Model):
    """Where on its image a flag is.

    ``points`` are [x, y] in pixels of the stored image, from its top left corner: the
    top left and bottom right corners of a box, or the corners of a polygon in order.
    """

    flag = models.ForeignKey(Flag, on_delete=models.PROTECT, related_name="regions")
    shape = models.CharField(max_length=8, choices=Shape)
    points = ArrayField(ArrayField(models.FloatField(), size=2))


class StudyDisplay(models.Model):
    """The one size in pixels at which all pictures of a study are served (``framing``)."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="display")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()


class Bookmark(models.Model):
    """A slot that its reader wants to find again; no part of any reading."""

    slot = models.OneToOneField(Slot, on_delete=models.CASCADE, related_name="bookmark")
    created_at = models.DateTimeField(default=timezone.now)


class ReaderPreferences(models.Model):
    """How a reader likes her reading room: key and mouse bindings by command."""

    reader = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reading_preferences"
    )
    bindings = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
