"""Readings: what readers submitted, append-only; and what helps readers along."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

import feedback_app.readings.comment_models
import feedback_app.readings.report_models
import feedback_app.readings.training_models  # noqa: F401  Their tables are of this app.
from feedback_app.images.models import Image
from feedback_app.readings.retraction_models import Retraction
from feedback_app.studies.models import SCORE_MAX, Criterion, FlagKind, Slot, Study


class ReadingQuerySet(models.QuerySet["Reading"]):
    def in_its_phase(self) -> Self:
        """Leaves out what was said of an unaware case when its reader had been told."""
        return self.filter(after_unmasking=False)

    def current(self) -> Self:
        """Returns the last revision for each slot that was said in the slot's phase."""
        return self.in_its_phase().filter(~Exists(_later_than_these()))

    def as_of(self, moment: datetime) -> Self:
        """Returns the last revision for each slot as it was then."""
        then = self.in_its_phase().filter(created_at__lte=moment)
        return then.filter(~Exists(_later_than_these().filter(created_at__lte=moment)))

    def standing(self) -> Self:
        """Leaves out those of readers, studies and readers of a study that are retracted."""
        active = Retraction.objects.active()
        of_one_study = active.filter(reader=OuterRef("reader"), study=OuterRef("slot__study"))
        return (
            self.exclude(reader__in=active.readers())
            .exclude(slot__study__in=active.studies())
            .filter(~Exists(of_one_study))
        )

    def of_plans(self) -> Self:
        """Leaves out what is read in panels of adjudications."""
        return self.filter(slot__study__adjudicates=None)

    def by_people(self) -> Self:
        return self.filter(is_simulated=False)

    def by_simulated_readers(self) -> Self:
        return self.filter(is_simulated=True)


def _later_than_these() -> "ReadingQuerySet":
    return Reading.objects.in_its_phase().filter(
        slot=OuterRef("slot"), revision__gt=OuterRef("revision")
    )


class SkipReason(models.TextChoices):
    NONE = "", "read"
    NOT_ASSESSABLE = "not_assessable", "The image cannot be assessed"
    NOT_MY_FIELD = "not_my_field", "Outside what I can judge"
    RECOGNISED = "recognised", "I know this image from elsewhere"
    TECHNICAL = "technical", "It does not display properly"
    OTHER = "other", "Another reason, in the comment"


class Reading(models.Model):
    """A reading is one submission for a slot; revising it adds a row with the next revision.

    A database trigger refuses updates and deletions of readings and their parts.
    ``idempotency_key`` is made by the client: the same submission is stored once. A skipped case
    is a reading with its reason and without answers. ``active_ms`` leaves out hidden tabs and
    idle minutes; ``display`` says which windows and zooms were used. ``after_unmasking`` marks what
    was said of an unaware case when its reader knew what the study asks: kept, it does not count.
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
    after_unmasking = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(name="one_reading_a_revision", fields=["slot", "revision"])
        ]
        indexes = [
            models.Index(name="readings_of_a_reader", fields=["reader", "-created_at"]),
            models.Index(
                name="simulated_readings", fields=["slot"], condition=Q(is_simulated=True)
            ),
        ]

    @property
    def is_skipped(self) -> bool:
        return self.skip_reason != SkipReason.NONE


class Score(models.Model):
    """A score is an ordinal score of one image on one criterion; 0-5, or 0-4 for a confidence."""

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
    """A choice names the better one of two images on a criterion, and how strongly; or neither."""

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

    def in_words(self, letters: Mapping[uuid.UUID, str]) -> str:
        """Says which image is better and how strongly; ``letters`` are what images are called."""
        if self.image_id is None or self.strength is None:
            return str(Verdict(self.verdict).label)
        return f"{letters[self.image_id]} {Strength(self.strength).label.lower()} better"


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

    def corners(self, points: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
        """List the corners in order; of a box, two opposite ones are stored."""
        corners = [(x, y) for x, y in points]
        if self == Shape.POLYGON:
            return corners
        (left, top), (right, bottom) = corners
        return [(left, top), (right, top), (right, bottom), (left, bottom)]


class Region(models.Model):
    """Where on its image a flag is.

    ``points`` are [x, y] in pixels of the stored image, from its top left corner: the
    top left and bottom right corners of a box, or the corners of a polygon in order.
    """

    flag = models.ForeignKey(Flag, on_delete=models.PROTECT, related_name="regions")
    shape = models.CharField(max_length=8, choices=Shape)
    points = ArrayField(ArrayField(models.FloatField(), size=2))


class Unmasking(models.Model):
    """The moment from which a reader knows what a study in two phases asks in the end.

    They have been given a case of the aware phase; what they said before stays as it is.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="unmaskings")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="unmaskings"
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_reader_is_unmasked_once_a_study", fields=["study", "reader"]
            )
        ]


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
    """How a reader likes their reading room: key and mouse bindings by command."""

    reader = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reading_preferences"
    )
    bindings = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
