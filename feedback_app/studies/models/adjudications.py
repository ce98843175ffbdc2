"""Adjudication: cases of a study that somebody reads anew, for a final reading."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from feedback_app.studies.models.cases import Case
from feedback_app.studies.models.studies import Study


class Adjudication(models.Model):
    """A round: cases of ``study``, sent to one person or to several; append-only.

    They read in ``panel``, a study of its own with copies of the cases and the questions: first
    blind, in phase *blind*, then beside what the readers said, in phase *final*. So nothing of
    it is among the study's own readings.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="adjudications")
    panel = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="adjudicates")
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["sent_at"]

    def __str__(self) -> str:
        return self.panel.name


class AdjudicatedCase(models.Model):
    """A case of the study, and its copy in the panel; append-only."""

    adjudication = models.ForeignKey(Adjudication, on_delete=models.PROTECT, related_name="cases")
    original = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="copies")
    copy = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="copied_from")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_case_is_sent_once_a_round", fields=["adjudication", "original"]
            )
        ]
