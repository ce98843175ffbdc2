"""What readers answer while they are trained: apart from readings, so that it counts nowhere."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from feedback_app.images.models import Image
from feedback_app.studies.models import (
    Criterion,
    Phase,
    Study,
    TrainingCase,
    TrainingText,
    by_lot,
    questions_of,
)
from feedback_app.studies.modes import mode_of


class TrainingSlot(models.Model):
    """It is a training case as one reader meets it in one round; the room shows it like a slot.

    ``image_order[i]`` is the case position of the image shown at place ``i``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="training_slots")
    case = models.ForeignKey(TrainingCase, on_delete=models.CASCADE, related_name="slots")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="training_slots"
    )
    round = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    image_order = ArrayField(models.PositiveSmallIntegerField())

    class Meta:
        ordering = ["round", "position"]
        constraints = [
            models.UniqueConstraint(
                name="a_training_case_once_a_round", fields=["case", "reader", "round"]
            )
        ]

    @property
    def phase(self) -> Phase:
        """Returns the first phase of the study: training tells nothing of the next."""
        return mode_of(self.study.mode).phases(self.study)[0]

    def images_in_order(self) -> list[Image]:
        """Returns the images as this slot shows them, with their files' rows."""
        images = self.case.images_in_place()
        return [images[position] for position in self.image_order]

    def texts_in_order(self) -> list[TrainingText]:
        """Returns the reports as this slot shows them, on other sides each round."""
        return by_lot(
            list(self.case.texts.all()),
            seed=self.study.shuffle_seed,
            case=self.case_id,
            reader=self.reader_id,
            repetition=self.round,
        )

    def criteria(self) -> list[Criterion]:
        kind = mode_of(self.study.mode).asked_in(self.phase)
        asked = questions_of(self.study).criteria
        return [criterion for criterion in asked if kind in (None, criterion.kind)]


class TrainingAnswer(models.Model):
    """What a reader answered, in the terms of the page, and how much of it is right; append-only.

    ``asked`` counts the reference answers of the case, ``right`` those that were met.
    """

    slot = models.OneToOneField(
        TrainingSlot, on_delete=models.PROTECT, primary_key=True, related_name="answer"
    )
    idempotency_key = models.UUIDField(unique=True)
    content = models.JSONField()
    asked = models.PositiveSmallIntegerField()
    right = models.PositiveSmallIntegerField()
    active_ms = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="no_more_is_right_than_was_asked", condition=Q(right__lte=F("asked"))
            )
        ]
