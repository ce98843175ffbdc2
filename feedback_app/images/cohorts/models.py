"""Cohorts: imported real data sets."""

from collections.abc import Iterable
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from feedback_app.images.blobs.models import Blob, Image
from feedback_app.runs.models import Run
from generation.datasets.layouts import LAYOUTS


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
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CohortQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def layout_title(self) -> str:
        """The data set as people know it; cohorts made otherwise have their source's name."""
        layout = LAYOUTS.get(self.source)
        return layout.title if layout else self.source


class Patient(models.Model):
    """A patient is the unit of splitting: a patient, or the given group that stands for one."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="patients")
    source_id = models.CharField(max_length=200)
    sex = models.CharField(max_length=1, choices=Sex, default=Sex.UNKNOWN, blank=True)
    race = models.CharField(max_length=32, blank=True)
    split = models.CharField(max_length=16, choices=Split)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_patient_a_cohort_and_source_id", fields=["cohort", "source_id"]
            )
        ]


class CohortImageQuerySet(models.QuerySet["CohortImage"]):
    def with_masks(self, kinds: Iterable[str]) -> Self:
        """Returns those that have a mask of each of these kinds."""
        images = self
        for kind in kinds:
            images = images.filter(masks__kind=kind)
        return images


class CohortImage(models.Model):
    """It is a real image of a patient; ``source_labels`` keeps what the source said.

    ``is_normal`` where the source says that nothing is wrong. ``unknown_findings`` are those
    that it says nothing of; all of them where it has no labels. ``known_as`` is the picture's
    name in the data set that it was taken from. ``spacing_mm`` is how far pixels are apart, down
    and across, where its file says so.
    """

    image = models.OneToOneField(
        Image, on_delete=models.PROTECT, related_name="cohort_image", primary_key=True
    )
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="images")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="images")
    source_id = models.CharField(max_length=255)
    findings = ArrayField(models.CharField(max_length=64), default=list)
    unknown_findings = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    is_normal = models.BooleanField(default=False)
    source_labels = models.JSONField(default=dict)
    known_as = models.CharField(max_length=255, blank=True, db_index=True)
    view = models.CharField(max_length=16, blank=True)
    age_years = models.PositiveSmallIntegerField(null=True, blank=True)
    spacing_mm = ArrayField(models.FloatField(), size=2, null=True, blank=True)

    objects = CohortImageQuerySet.as_manager()

    class Meta:
        ordering = ["source_id"]
        constraints = [
            models.UniqueConstraint(
                name="one_image_a_cohort_and_source_id", fields=["cohort", "source_id"]
            ),
            models.CheckConstraint(
                name="a_normal_image_has_no_finding",
                condition=models.Q(is_normal=False) | models.Q(findings=[]),
            ),
        ]


class Fingerprint(models.Model):
    """A fingerprint is a perceptual hash of a cohort image; empty for a picture that shows
    nothing.

    Its key rises with every picture that comes in, so that an import finds what is new.
    """

    cohort_image = models.OneToOneField(
        CohortImage, on_delete=models.CASCADE, related_name="fingerprint"
    )
    bits = models.BinaryField(max_length=32)


class SharedPictureQuerySet(models.QuerySet["SharedPicture"]):
    def of_cohort(self, cohort: Cohort) -> Self:
        return self.filter(models.Q(image__cohort=cohort) | models.Q(other__cohort=cohort))


class SharedPicture(models.Model):
    """Two images of different cohorts that are one picture; ``image`` came in later.

    ``is_known`` where the data sets say so themselves. ``distance`` is the number of bits in
    which the fingerprints differ, where they were compared and found alike.
    """

    image = models.ForeignKey(CohortImage, on_delete=models.CASCADE, related_name="shared_with")
    other = models.ForeignKey(CohortImage, on_delete=models.CASCADE, related_name="shared_by")
    is_known = models.BooleanField()
    distance = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = SharedPictureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_link_a_pair_of_images", fields=["image", "other"]),
            models.CheckConstraint(
                name="a_picture_is_shared_for_a_reason",
                condition=models.Q(is_known=True) | models.Q(distance__isnull=False),
            ),
        ]


class MaskQuerySet(models.QuerySet["Mask"]):
    def drawn_by_people(self) -> Self:
        return self.filter(confidence=None)

    def pseudo(self) -> Self:
        return self.exclude(confidence=None)


class Mask(models.Model):
    """It is a binary mask of the same width and height as its image.

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
    """A box is a rectangle around a finding, in pixels of the stored image."""

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


class ImportSkip(models.Model):
    """Something of a file that an import left out, and why."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="import_skips")
    file = models.TextField()
    what = models.CharField(max_length=16)
    reason = models.TextField()

    class Meta:
        ordering = ["pk"]
