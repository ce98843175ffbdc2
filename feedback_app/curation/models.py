"""Policies, and the immutable curated sets that come of applying them."""

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from feedback_app.images.models import Candidate
from feedback_app.readings.models import Grade
from feedback_app.readings.retraction_models import Retraction, Sources
from feedback_app.studies.models import Study

REASON_MAX = 2_000


class Policy(models.Model):
    """Rules over readings and measures that a candidate must meet to be curated.

    ``min_mean_scores`` maps a criterion's slug to the least mean over readers,
    ``min_measures`` a scorer of measures to the least value of its newest version. With
    ``prefers_final``, adjudicated cases count by their final readings alone.
    """

    name = models.CharField(max_length=100, unique=True)
    studies = models.ManyToManyField(Study, related_name="policies")
    min_readers = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    min_mean_scores = models.JSONField(default=dict)
    min_measures = models.JSONField(default=dict)
    vetoing_flags = ArrayField(models.SlugField(max_length=32), default=list, blank=True)
    vetoing_grade = models.CharField(max_length=8, choices=Grade, default=Grade.MINOR)
    refuses_copies = models.BooleanField(default=True)
    uses_simulated_readers = models.BooleanField(default=False)
    prefers_final = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name


class DecisionQuerySet(models.QuerySet["Decision"]):
    def standing(self) -> Self:
        """Returns the last decision on each candidate, where it leaves the candidate out."""
        later = Decision.objects.filter(
            policy=OuterRef("policy"), candidate=OuterRef("candidate"), pk__gt=OuterRef("pk")
        )
        return self.filter(~Exists(later), is_out=True)


class Decision(models.Model):
    """A decision is somebody's word on one candidate of a policy: left out by hand, or let in by
    it again.

    The last one counts; none is changed or removed.
    """

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="decisions")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="+")
    is_out = models.BooleanField()
    reason = models.TextField(max_length=REASON_MAX)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(name="a_decision_has_its_reason", condition=~Q(reason=""))
        ]


class CuratedSetQuerySet(models.QuerySet["CuratedSet"]):
    def resting_on(self, sources: Sources) -> Self:
        """Returns those for which a reading of one of them was taken into account."""
        taken = CuratedSource.objects.filter(curated_set=OuterRef("pk"))
        return self.filter(Exists(taken.filter(sources.among(reader="reader", study="study"))))

    def resting_on_retracted(self) -> Self:
        return self.resting_on(Retraction.objects.active().sources())


class CuratedSet(models.Model):
    """A curated set is the immutable result of a policy; ``sha256`` is that of rules and items.

    ``replaces`` is the one that it was made instead of, without retracted readings.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="curated_sets")
    rules = models.JSONField()
    sha256 = models.CharField(max_length=64)
    is_simulated = models.BooleanField(default=False)
    considered = models.PositiveIntegerField()
    refused = models.JSONField(default=dict)
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = CuratedSetQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]


class CuratedSource(models.Model):
    """A reader whose readings in a study a curated set takes into account."""

    curated_set = models.ForeignKey(CuratedSet, on_delete=models.CASCADE, related_name="sources")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_curated_set_names_a_source_once", fields=["curated_set", "study", "reader"]
            )
        ]


class CuratedItem(models.Model):
    """A candidate of a curated set, with the mean scores and measures that it got in with."""

    curated_set = models.ForeignKey(CuratedSet, on_delete=models.CASCADE, related_name="items")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT)
    position = models.PositiveIntegerField()
    mean_scores = models.JSONField()
    measures = models.JSONField(default=dict)
    reader_count = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                name="a_candidate_once_a_curated_set", fields=["curated_set", "candidate"]
            )
        ]
