"""Scorers: trained networks that measure candidates as they are made."""

from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.measures import label_of
from feedback_app.images.versions.folders import path_of


class ScorerKind(models.TextChoices):
    SEGMENTER = "segmenter", "Segmenter"
    CLASSIFIER = "classifier", "Classifier"
    REWARD_MODEL = "reward-model", "Reward model"
    VISIBLE_FINDING = "visible-finding", "Judge of findings"
    VISIBLE_VIEW = "visible-view", "Judge of views"
    VISIBLE_SEX = "visible-sex", "Judge of sex"
    VISIBLE_AGE = "visible-age", "Judge of age"
    VISIBLE_SIDE = "visible-side", "Judge of sides"
    VISIBLE_ABSENCE = "visible-absence", "Judge of absence"

    @property
    def measure(self) -> str:
        """The name of what it measures, ``Measure.scorer``."""
        return {
            ScorerKind.SEGMENTER: "mask-agreement",
            ScorerKind.CLASSIFIER: "label-agreement",
            ScorerKind.REWARD_MODEL: "predicted-score",
        }.get(self, self.value)


JUDGES = (
    ScorerKind.VISIBLE_FINDING,
    ScorerKind.VISIBLE_VIEW,
    ScorerKind.VISIBLE_SEX,
    ScorerKind.VISIBLE_AGE,
    ScorerKind.VISIBLE_SIDE,
    ScorerKind.VISIBLE_ABSENCE,
)
"""They say whether what a prompt names can be seen, an attribute each, named as its measure."""
HEADLINES = {
    **dict.fromkeys(JUDGES, ("auroc", "area under the ROC curve on held-out round trips")),
    ScorerKind.SEGMENTER: ("test_dice_mean", "Dice on test images"),
    ScorerKind.CLASSIFIER: ("validation_auroc", "mean AUROC on validation images"),
    ScorerKind.REWARD_MODEL: ("pair_accuracy", "accuracy on pairs of held-out prompts"),
}


class ScorerQuerySet(models.QuerySet["Scorer"]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class Scorer(models.Model):
    """A scorer is a trained network in ``location``; proxies are trained on a cohort's real images
    only.

    ``target`` is the kind of mask of a segmenter. One of each kind and target is active:
    new candidates are measured by it. ``figures`` are of images that it was not trained on.
    ``owes_measures`` where it could not be read when there were candidates to measure.
    """

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=16, choices=ScorerKind)
    target = models.CharField(max_length=32, blank=True)
    location = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    cohort = models.ForeignKey(Cohort, null=True, blank=True, on_delete=models.PROTECT)
    taught_by_simulated_readers = models.BooleanField(default=False)
    figures = models.JSONField(default=dict)
    is_active = models.BooleanField(default=True)
    owes_measures = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = ScorerQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                name="one_active_scorer_a_kind_and_target",
                fields=["kind", "target"],
                condition=models.Q(is_active=True),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> Path:
        """Where its files lie now; ``location`` is relative to the storage."""
        return path_of(self.location)

    @property
    def measure(self) -> str:
        return ScorerKind(self.kind).measure

    @property
    def measure_label(self) -> str:
        return label_of(self.measure)

    @property
    def headline(self) -> str:
        """The figure that says most of how good it is, in words."""
        name, words = HEADLINES[ScorerKind(self.kind)]
        if name not in self.figures:
            return "no figure of held-out images"
        bounds = [self.figures.get(f"{name}_{bound}") for bound in ("low", "high")]
        text = f"{words} {self.figures[name]:.2f}"
        if None not in bounds:
            text += f" ({bounds[0]:.2f} to {bounds[1]:.2f})"
        return text

    @property
    def version(self) -> str:
        """``Measure.version``: other weights measure something else."""
        return f"{self.name[:50]}, {self.sha256[:12]}"
