"""Cases: what is shown together at one time."""

import uuid

from django.db import models
from django.db.models import F, Q

from feedback_app.images.models import Blob, Image
from feedback_app.studies.models.questions import SCORE_MAX, Criterion
from feedback_app.studies.models.studies import Study


class CaseRole(models.TextChoices):
    ORDINARY = "ordinary"
    ANCHOR = "anchor", "Anchor: read by every reader"
    GOLD = "gold", "Gold: its answer is known"


class Case(models.Model):
    """What is shown together; ``masks`` are what the images were made to follow."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="cases")
    position = models.PositiveIntegerField()
    role = models.CharField(max_length=10, choices=CaseRole, default=CaseRole.ORDINARY)
    prompt = models.TextField(blank=True)
    images = models.ManyToManyField(Image, through="CaseImage")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="one_case_a_position", fields=["study", "position"])
        ]
        indexes = [
            models.Index(
                name="cases_read_by_all",
                fields=["study"],
                condition=~Q(role=CaseRole.ORDINARY),
            )
        ]


class CaseImage(models.Model):
    """It is an image's place in a case, before any shuffling."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="case_images")
    image = models.ForeignKey(Image, on_delete=models.PROTECT)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="an_image_once_a_case", fields=["case", "image"]),
            models.UniqueConstraint(name="one_image_a_case_position", fields=["case", "position"]),
        ]


class CaseMask(models.Model):
    """It is a conditioning mask of the case's images, of one kind; a PNG of 0 and 255."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="masks")
    kind = models.CharField(max_length=32)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_mask_a_case_and_kind", fields=["case", "kind"])
        ]


class CaseReference(models.Model):
    """It is a real image that readers see beside the case, and that they know to be real."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="reference")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")


class GoldAnswer(models.Model):
    """A known answer: a score of ``image`` from ``least`` to ``most``, or ``image`` is better.

    Of reports it is ``text``, whose findings a report should have, or ``sign``: 1 where the
    case's first report is better, -1 where the second is, 0 where both are equal.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="gold_answers")
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE)
    image = models.ForeignKey(Image, on_delete=models.PROTECT)
    least = models.PositiveSmallIntegerField(null=True, blank=True)
    most = models.PositiveSmallIntegerField(null=True, blank=True)
    sign = models.SmallIntegerField(null=True, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_gold_sign_is_of_two_reports",
                condition=Q(sign__isnull=True) | Q(sign__in=(-1, 0, 1)),
            ),
            models.UniqueConstraint(
                name="one_gold_answer_a_question", fields=["case", "criterion", "image"]
            ),
            models.CheckConstraint(
                name="a_gold_range_is_whole",
                condition=Q(least__isnull=True, most__isnull=True)
                | Q(least__lte=F("most"), most__lte=SCORE_MAX),
            ),
        ]
