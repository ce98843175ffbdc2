"""The kinds of questions that a study asks, and the phases in which it asks them."""

from django.db import models


class CriterionKind(models.TextChoices):
    ORDINAL = "ordinal", "A score of each image"
    CONFIDENCE = "confidence", "How surely an image is real or synthetic"
    COMPARISON = "comparison", "Which of two images is better"
    REPORT = "report", "A report in words"
    PREFERENCE = "preference", "Which of two reports is better, by points"

    @property
    def is_of_reports(self) -> bool:
        """Whether it asks about words: such a question has no anchors."""
        return self in {CriterionKind.REPORT, CriterionKind.PREFERENCE}


class Phase(models.TextChoices):
    """What a reader knows while they read, where that changes.

    The last two are those of an adjudication (``studies.models.adjudications``).
    """

    ONLY = "", "one phase"
    UNAWARE = "unaware", "not told that images may be synthetic"
    AWARE = "aware", "asked which images are synthetic"
    BLIND = "blind", "adjudication, before the readings are shown"
    FINAL = "final", "adjudication, beside the readings"


ADJUDICATION = (Phase.BLIND, Phase.FINAL)
