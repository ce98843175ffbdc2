"""Reader studies: what is asked, of whom, about which images, in which order."""

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from feedback_app.images.models import Image

SCORE_MAX = 5


class StudyMode(models.TextChoices):
    RATE = "rate", "Rate one image"
    RATE_FOUR = "rate_four", "Rate four images of one prompt"


class StudyState(models.TextChoices):
    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class StudyQuerySet(models.QuerySet["Study"]):
    def with_progress(self) -> Self:
        """Adds ``case_count``, ``slot_count`` and ``read_count`` (slots with a reading)."""
        cases = Case.objects.filter(study=OuterRef("pk")).order_by().values("study")
        return self.annotate(
            case_count=Coalesce(Subquery(cases.annotate(count=Count("pk")).values("count")), 0),
            slot_count=Count("slots", distinct=True),
            read_count=Count("slots", filter=Q(slots__readings__isnull=False), distinct=True),
        ).order_by("-created_at")  # Meta.ordering does not reach aggregates


class Study(models.Model):
    """A reader study; its slots are written out when it opens."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    mode = models.CharField(max_length=16, choices=StudyMode, default=StudyMode.RATE_FOUR)
    state = models.CharField(max_length=16, choices=StudyState, default=StudyState.DRAFT)
    instructions = models.TextField(blank=True)
    readers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="StudyReader", related_name="studies"
    )
    readers_per_case = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)]
    )
    shuffle_seed = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="designed_studies",
    )
    created_at = models.DateTimeField(default=timezone.now)
    opened_at = models.DateTimeField(null=True, blank=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "studies"

    def __str__(self) -> str:
        return self.name

    @property
    def is_draft(self) -> bool:
        return self.state == StudyState.DRAFT

    @property
    def is_open(self) -> bool:
        return self.state == StudyState.OPEN


class StudyReader(models.Model):
    """A reader's place in a study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE)
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_reader_joins_once", fields=["study", "reader"])
        ]


class Criterion(models.Model):
    """One question with an anchored scale: ``anchors[score]`` says what a score means."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="criteria")
    position = models.PositiveSmallIntegerField()
    slug = models.SlugField(max_length=32)
    name = models.CharField(max_length=64)
    question = models.CharField(max_length=200)
    anchors = ArrayField(models.CharField(max_length=100), size=SCORE_MAX + 1)

    class Meta:
        ordering = ["position"]
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(name="one_criterion_a_slug", fields=["study", "slug"]),
            models.UniqueConstraint(name="one_criterion_a_position", fields=["study", "position"]),
        ]


class FlagKind(models.Model):
    """A named artefact that a reader may put on an image."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="flag_kinds")
    position = models.PositiveSmallIntegerField()
    slug = models.SlugField(max_length=32)
    name = models.CharField(max_length=64)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="one_flag_kind_a_slug", fields=["study", "slug"])
        ]


class Case(models.Model):
    """What is shown together at one time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="cases")
    position = models.PositiveIntegerField()
    prompt = models.TextField(blank=True)
    images = models.ManyToManyField(Image, through="CaseImage")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="one_case_a_position", fields=["study", "position"])
        ]


class CaseImage(models.Model):
    """An image's place in a case, before any shuffling."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="case_images")
    image = models.ForeignKey(Image, on_delete=models.PROTECT)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="an_image_once_a_case", fields=["case", "image"]),
            models.UniqueConstraint(name="one_image_a_case_position", fields=["case", "position"]),
        ]


class SlotQuerySet(models.QuerySet["Slot"]):
    def of_reader(self, reader: models.Model) -> Self:
        """The only way from a reader to anything she may read."""
        return self.filter(reader=reader).exclude(study__state=StudyState.DRAFT)

    def with_is_read(self) -> Self:
        """Adds ``is_read``: at least one reading was submitted for the slot."""
        readings = self.model._meta.get_field("readings").related_model.objects  # type: ignore[union-attr]
        return self.annotate(is_read=Exists(readings.filter(slot=OuterRef("pk"))))

    def unread(self) -> Self:
        return self.with_is_read().filter(is_read=False)


class Slot(models.Model):
    """One planned reading, with a reader, or without one yet in an open pool.

    ``image_order[i]`` is the case position of the image shown at place ``i``. The
    random ``id`` is all that a reader's browser ever sees of case and study.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="slots")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="slots")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="slots",
    )
    position = models.PositiveIntegerField()
    repetition = models.PositiveSmallIntegerField(default=0)
    image_order = ArrayField(models.PositiveSmallIntegerField())
    priority = models.SmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = SlotQuerySet.as_manager()

    class Meta:
        ordering = ["-priority", "position"]
        constraints = [
            models.UniqueConstraint(
                name="one_slot_a_reader_case_and_repetition",
                fields=["study", "case", "reader", "repetition"],
            ),
            models.UniqueConstraint(
                name="one_slot_a_reader_and_position", fields=["study", "reader", "position"]
            ),
        ]

    def images_in_order(self) -> list[Image]:
        """The images as this slot shows them."""
        images = [place.image for place in self.case.case_images.select_related("image__blob")]
        return [images[position] for position in self.image_order]
