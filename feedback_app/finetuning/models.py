"""Snapshots of preferences, fine-tunes from them, and their schedule."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from feedback_app.finetuning.gates.models import (
    Gate,
    GateDecision,
    GateJudge,
    GateMasks,
    GateRule,
    GateStudy,
    GateVerdict,
    RuleOutcome,
)
from feedback_app.finetuning.methods import Method, method_choices
from feedback_app.images.models import Blob, Cohort, Image, ModelVersion, Scorer
from feedback_app.readings.models import Reading
from feedback_app.runs.models import Run

__all__ = [
    "FineTune",
    "Gate",
    "GateDecision",
    "GateJudge",
    "GateMasks",
    "GateRule",
    "GateStudy",
    "GateVerdict",
    "Method",
    "Pair",
    "RatedImage",
    "ReadingYield",
    "Remark",
    "RewardModel",
    "RuleOutcome",
    "Schedule",
    "Snapshot",
]


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    def with_counts(self) -> Self:
        """Adds ``pair_count`` and ``rating_count``, each counted on its own."""
        return self.annotate(
            pair_count=_count(Pair.objects.all()), rating_count=_count(RatedImage.objects.all())
        )


def _count(rows: "models.QuerySet[Any]") -> Coalesce:
    of_snapshot = rows.filter(snapshot=OuterRef("pk")).order_by()
    grouped = of_snapshot.values("snapshot").annotate(count=models.Count("pk"))
    return Coalesce(Subquery(grouped.values("count")), 0)


class Snapshot(models.Model):
    """A frozen, hashed set of preferences and ratings; ``blob`` holds them as JSON lines.

    ``remarks`` holds what readers wrote, flagged and skipped beside it, None where nothing was.
    Either people's readings or simulated ones, never both. ``replaces`` is the one that it
    was taken instead of, without retracted readings.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)
    remarks = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_simulated = models.BooleanField(default=False)
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def sha256(self) -> str:
        return self.blob_id

    @property
    def reader_count(self) -> int:
        """Readers of whom there is a pair or a rating."""
        of_pairs = self.pairs.values_list("reading__reader").order_by()
        return of_pairs.union(self.rated_images.values_list("reading__reader").order_by()).count()

    @property
    def first(self) -> "Snapshot":
        """The one that it replaces, or that one replaces; itself where it replaces none."""
        return self.replaces.first if self.replaces else self


class Pair(models.Model):
    """A pair is a preference between two images of one prompt, from one reading."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="pairs")
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="pairs")
    winner = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="won_pairs")
    loser = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="lost_pairs")
    winner_score = models.FloatField()
    loser_score = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_pair_a_reading_and_images",
                fields=["snapshot", "reading", "winner", "loser"],
            ),
            models.CheckConstraint(
                name="the_winner_scores_higher",
                condition=models.Q(winner_score__gt=models.F("loser_score")),
            ),
        ]


class RatedImage(models.Model):
    """An image as one reading saw it: scores by axis, and what was said of it outright."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="rated_images")
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="rated_images")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="ratings")
    scores = models.JSONField(default=dict)
    is_accepted = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_rating_a_reading_and_image", fields=["snapshot", "reading", "image"]
            )
        ]


class Remark(models.Model):
    """A reading of which the snapshot's remarks have a line."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="remark_rows")
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="remarks")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_remark_a_reading_of_a_snapshot", fields=["snapshot", "reading"]
            )
        ]


class RewardModel(models.Model):
    """A reward model is one training of a reward model from a snapshot; gives ``scorer`` once it
    succeeds.

    ``trunk`` is the network whose features it sees: a classifier's folder, that of
    ``trunk_scorer``, or ``package.module:callable``. ``replaces`` is the one in whose place
    it is trained, without retracted readings.
    """

    name = models.CharField(max_length=100)
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="reward_model")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="reward_models")
    trunk = models.CharField(max_length=500)
    trunk_scorer = models.ForeignKey(
        Scorer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reward_models_upon_it",
    )
    settings = models.JSONField(default=dict)
    scorer = models.OneToOneField(
        Scorer, null=True, blank=True, on_delete=models.PROTECT, related_name="reward_model"
    )
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class ReadingYield(models.Model):
    """How many pairs and ratings a reading gives to learn from (``services.yields``)."""

    reading = models.OneToOneField(
        Reading, on_delete=models.CASCADE, primary_key=True, related_name="counted"
    )
    pairs = models.PositiveIntegerField()
    ratings = models.PositiveIntegerField()


class Schedule(models.Model):
    """Fine-tune the promoted model version when enough new pairs have come in.

    ``promotes_by_itself``: a child whose gate says promote is promoted without being asked.
    """

    name = models.CharField(max_length=100, unique=True)
    method = models.CharField(max_length=16, choices=method_choices, default=Method.DPO_MARGIN)
    min_new_pairs = models.PositiveIntegerField(default=50)
    uses_simulated_readers = models.BooleanField(default=False)
    promotes_by_itself = models.BooleanField(default=False)
    settings = models.JSONField(default=dict, blank=True)
    periodic_task = models.OneToOneField(
        PeriodicTask,
        on_delete=models.CASCADE,
        related_name="finetuning_schedule",  # the default hides PeriodicTask.schedule
    )


class FineTune(models.Model):
    """One training run from a snapshot; gives ``model_version`` under ``parent``.

    ``real_cohort`` is the cohort whose training images were practised on; ``reward_model``
    is what DRaFT climbs, where that was not fitted to the snapshot. ``curve`` has figures by
    name at the steps that its ``step`` lists.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="fine_tunes")
    parent = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="fine_tunes")
    method = models.CharField(max_length=16, choices=method_choices)
    settings = models.JSONField(default=dict)
    real_cohort = models.ForeignKey(Cohort, null=True, blank=True, on_delete=models.PROTECT)
    reward_model = models.ForeignKey(
        Scorer, null=True, blank=True, on_delete=models.PROTECT, related_name="climbed_by"
    )
    curve = models.JSONField(default=dict, blank=True)
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="fine_tune")
    model_version = models.OneToOneField(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="fine_tune"
    )
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements"
    )
    schedule = models.ForeignKey(Schedule, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
