"""Cohorts: imported real data sets."""

from collections.abc import Iterable
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from feedback_app.images.models.blobs import Blob, Image


class Split(models.TextChoices):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Sex(models.TextChoices):
    FEMALE = "F"
    MALE = "M"
    UNKNOWN = ""


class CohortQuerySet(models.QuerySet["Cohort"]):
    def with_counts(self) -> Self:
        """Adds counts: ``image_``, ``patient_``, ``mask_``, ``pseudo_mask_`` and ``box_count``."""
        return self.annotate(
            image_count=_count(CohortImage.objects.all(), of="cohort"),
            patient_count=_count(Patient.objects.all(), of="cohort"),
            mask_count=_count(Mask.objects.filter(is_from_boxes=False), of="cohort_image__cohort"),
            pseudo_mask_count=_count(Mask.objects.pseudo(), of="cohort_image__cohort"),
            box_count=_count(Box.objects.all(), of="cohort_image__cohort"),
        )


def _count(rows: "models.QuerySet[Any]", *, of: str) -> Coalesce:
    grouped = rows.filter(**{of: OuterRef("pk")}).order_by().values(of)
    return Coalesce(Subquery(grouped.annotate(count=Count("pk")).values("count")), 0)


class Cohort(models.Model):
    """A real data set, imported from ``source`` as it is distributed."""

    name = models.SlugField(max_length=64, unique=True)
    source = models.CharField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now)

    objects = CohortQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Patient(models.Model):
    """The unit of splitting: a patient, or the given group that stands for one."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="patients")
    source_id = models.CharField(max_length=200)
    sex = models.CharField(max_length=1, choices=Sex, default=Sex.UNKNOWN, blank=True)
    split = models.CharField(max_length=16, choices=Split)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_patient_a_cohort_and_source_id", fields=["cohort", "source_id"]
            )
        ]


class CohortImageQuerySet(models.QuerySet["CohortImage"]):
    def with_masks(self, kinds: Iterable[str]) -> Self:
        """Those that have a mask of each of these kinds."""
        images = self
        for kind in kinds:
            images = images.filter(masks__kind=kind)
        return images


class CohortImage(models.Model):
    """A real image of a patient; ``source_labels`` keeps what the source said."""

    image = models.OneToOneField(
        Image, on_delete=models.PROTECT, related_name="cohort_image", primary_key=True
    )
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="images")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="images")
    source_id = models.CharField(max_length=255)
    findings = ArrayField(models.CharField(max_length=64), default=list)
    source_labels = models.JSONField(default=dict)
    view = models.CharField(max_length=16, blank=True)
    age_years = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = CohortImageQuerySet.as_manager()

    class Meta:
        ordering = ["source_id"]
        constraints = [
            models.UniqueConstraint(
                name="one_image_a_cohort_and_source_id", fields=["cohort", "source_id"]
            )
        ]


class MaskQuerySet(models.QuerySet["Mask"]):
    def drawn_by_people(self) -> Self:
        return self.filter(confidence=None)

    def pseudo(self) -> Self:
        return self.exclude(confidence=None)


class Mask(models.Model):
    """A binary mask of the same width and height as its image.

    ``is_from_boxes`` where it shows the boxes around opacities, not what somebody outlined.
    ``confidence`` is the Dice to expect of a pseudo-mask, which a segmenter drew; a mask
    that people drew has none.
    """

    cohort_image = models.ForeignKey(CohortImage, on_delete=models.CASCADE, related_name="masks")
    kind = models.CharField(max_length=32)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)
    is_from_boxes = models.BooleanField(default=False)
    confidence = models.FloatField(null=True, blank=True)

    objects = MaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_mask_an_image_and_kind", fields=["cohort_image", "kind"]
            ),
            models.CheckConstraint(
                name="a_confidence_is_from_0_to_1",
                condition=models.Q(confidence=None)
                | models.Q(confidence__gte=0, confidence__lte=1),
            ),
        ]

    @property
    def is_pseudo(self) -> bool:
        return self.confidence is not None


class Box(models.Model):
    """A rectangle around a finding, in pixels of the stored image."""

    cohort_image = models.ForeignKey(CohortImage, on_delete=models.CASCADE, related_name="boxes")
    finding = models.CharField(max_length=64)
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_box_an_image_finding_and_place",
                fields=["cohort_image", "finding", "x", "y", "width", "height"],
            )
        ]
