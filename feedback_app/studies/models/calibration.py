"""How readers are calibrated: a study's examples, and training cases with reference answers.

Training cases are in tables of their own, apart from the cases that are read: so no query of
results, snapshots, policies or exports can meet them.
"""

import uuid

from django.db import models
from django.db.models import F, Q

from feedback_app.images.models import Blob, Image
from feedback_app.studies.models.questions import SCORE_MAX, Criterion
from feedback_app.studies.models.reports import SOURCE_LENGTH
from feedback_app.studies.models.studies import Study
from feedback_app.studies.modes import mode_of

NOTE_LENGTH = 300
REASON_LENGTH = 2_000


class GuidelineExample(models.Model):
    """An image that shows what a score or a flag means.

    ``criterion`` and ``flag`` are short names, so that an example outlives a design that is
    edited; ``value`` is the score whose anchor the image shows.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="examples")
    criterion = models.SlugField(max_length=32, blank=True)
    value = models.PositiveSmallIntegerField(null=True, blank=True)
    flag = models.SlugField(max_length=32, blank=True)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)

    class Meta:
        ordering = ["criterion", "value", "flag", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="an_image_shows_a_thing_once",
                fields=["study", "criterion", "value", "flag", "image"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="an_example_shows_a_score_or_a_flag",
                condition=Q(flag="", value__isnull=False) & ~Q(criterion="")
                | (Q(criterion="", value__isnull=True) & ~Q(flag="")),
            ),
        ]


class TrainingCase(models.Model):
    """A case that readers meet before a study begins; ``reason`` is shown after their answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="training_cases")
    position = models.PositiveIntegerField()
    prompt = models.TextField(blank=True)
    reason = models.TextField(max_length=REASON_LENGTH)
    images = models.ManyToManyField(Image, through="TrainingImage", related_name="+")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                name="one_training_case_a_position", fields=["study", "position"]
            )
        ]

    def images_in_place(self) -> list[Image]:
        """Returns the images with their files' rows, before any shuffling."""
        return [place.image for place in self.case_images.select_related("image__blob")]


class TrainingImage(models.Model):
    """It is an image's place in a training case."""

    case = models.ForeignKey(TrainingCase, on_delete=models.CASCADE, related_name="case_images")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                name="one_image_a_training_position", fields=["case", "position"]
            )
        ]


class TrainingMask(models.Model):
    """It is a conditioning mask of a training case's images, of one kind."""

    case = models.ForeignKey(TrainingCase, on_delete=models.CASCADE, related_name="masks")
    kind = models.CharField(max_length=32)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_mask_a_training_case_and_kind", fields=["case", "kind"]
            )
        ]


class TrainingText(models.Model):
    """It is a report that a training case shows, as ``CaseText`` is of a case that is read."""

    case = models.ForeignKey(TrainingCase, on_delete=models.CASCADE, related_name="texts")
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=SOURCE_LENGTH)
    text = models.TextField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                name="one_text_a_training_position", fields=["case", "position"]
            )
        ]


class TrainingReference(models.Model):
    """The answer that is right: a score of ``image`` in a range, or ``image`` is better.

    ``sign`` and ``text`` are of reports, as a gold answer has them. ``criterion`` is a short
    name, so that the answer outlives a design that is edited.
    """

    case = models.ForeignKey(TrainingCase, on_delete=models.CASCADE, related_name="references")
    criterion = models.SlugField(max_length=32)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    least = models.PositiveSmallIntegerField(null=True, blank=True)
    most = models.PositiveSmallIntegerField(null=True, blank=True)
    sign = models.SmallIntegerField(null=True, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_reference_sign_is_of_two_reports",
                condition=Q(sign__isnull=True) | Q(sign__in=(-1, 0, 1)),
            ),
            models.UniqueConstraint(
                name="one_reference_a_question", fields=["case", "criterion", "image"]
            ),
            models.CheckConstraint(
                name="a_reference_range_is_whole",
                condition=Q(least__isnull=True, most__isnull=True)
                | Q(least__lte=F("most"), most__lte=SCORE_MAX),
            ),
        ]


def training_criteria(study: Study) -> list[Criterion]:
    """Returns what training asks: the questions of the first phase, so that nothing is told
    early.
    """
    mode = mode_of(study.mode)
    kind = mode.asked_in(mode.phases(study)[0])
    return [criterion for criterion in study.criteria.all() if kind in (None, criterion.kind)]
