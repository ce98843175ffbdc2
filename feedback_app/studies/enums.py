"""The kinds of questions that a study asks, and the phases in which it asks them."""

from django.db import models


class CriterionKind(models.TextChoices):
    ORDINAL = "ordinal", "A score of each image"
    CONFIDENCE = "confidence", "How surely an image is real or synthetic"
    COMPARISON = "comparison", "Which of two images is better"


class Phase(models.TextChoices):
    """What a reader knows while they read, where a study has two phases."""

    ONLY = "", "one phase"
    UNAWARE = "unaware", "not told that images may be synthetic"
    AWARE = "aware", "asked which images are synthetic"
