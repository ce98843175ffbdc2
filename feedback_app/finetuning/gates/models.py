"""Gates: what was asked of a child, the verdict, and the study of people about it."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from feedback_app.images.models import Batch, Blob, GenerationMode, ModelVersion, Scorer
from feedback_app.runs.models import Run
from feedback_app.studies.models import Study
from generation.quality.gate_rules import MODE_WORDS
from generation.quality.gate_spec import GateSpec, gate_spec_of


class GateQuerySet(models.QuerySet["Gate"]):
    def for_pages(self) -> Self:
        """Newest first, with what a line of a list says."""
        return self.select_related("child", "parent", "run", "verdict").order_by("-created_at")

    def decided(self) -> Self:
        return self.filter(verdict__isnull=False)


class Gate(models.Model):
    """A child against its parent on held-out prompts, by a ``spec`` that is stated before."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    child = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="gates")
    parent = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="gates_as_parent"
    )
    child_batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="gates_of_child")
    parent_batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, related_name="gates_of_parent"
    )
    spec = models.JSONField()
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="gate")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = GateQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.child} against {self.parent}"

    @property
    def asked(self) -> GateSpec:
        return gate_spec_of(self.spec)

    @property
    def later(self) -> "models.QuerySet[Gate]":
        """Gates of the same two versions that were asked after it."""
        same = Gate.objects.filter(child=self.child_id, parent=self.parent_id)
        return same.filter(created_at__gt=self.created_at)

    @property
    def batches(self) -> list[tuple[str, Batch]]:
        """Whose images each batch is of, in words, those of masks last."""
        named = [("child", self.child_batch), ("parent", self.parent_batch)]
        for one in self.masked.select_related("child_batch", "parent_batch"):
            named += [
                (f"child, {one.words}", one.child_batch),
                (f"parent, {one.words}", one.parent_batch),
            ]
        return named

    @property
    def found(self) -> "GateVerdict | None":
        """The verdict, once it is there."""
        return getattr(self, "verdict", None)


class GateMasks(models.Model):
    """Images of both versions that follow the same held-out masks, in one mode."""

    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="masked")
    mode = models.CharField(max_length=8, choices=GenerationMode)
    child_batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="+")
    parent_batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_set_of_masks_a_gate_and_mode", fields=["gate", "mode"]
            )
        ]

    @property
    def words(self) -> str:
        return MODE_WORDS[self.mode]

    @property
    def batches(self) -> tuple[Batch, Batch]:
        return self.child_batch, self.parent_batch


class GateDecision(models.TextChoices):
    PROMOTE = "promote", "promote"
    HOLD = "hold", "hold"


class GateVerdict(models.Model):
    """What a gate found; ``report`` is a JSON file with all figures."""

    gate = models.OneToOneField(
        Gate, on_delete=models.PROTECT, related_name="verdict", primary_key=True
    )
    decision = models.CharField(max_length=8, choices=GateDecision)
    report = models.ForeignKey(Blob, on_delete=models.PROTECT)
    created_at = models.DateTimeField(default=timezone.now)

    @property
    def is_promote(self) -> bool:
        return self.decision == GateDecision.PROMOTE

    @property
    def against(self) -> "models.QuerySet[GateRule]":
        """The rules that hold the child back."""
        return self.rules.exclude(outcome=RuleOutcome.PASSED)


class RuleOutcome(models.TextChoices):
    PASSED = "passed", "passed"
    FAILED = "failed", "failed"
    MISSING = "missing", "could not be told"


class GateRule(models.Model):
    """It is one rule of a verdict, with the figure that it looked at and its interval."""

    verdict = models.ForeignKey(GateVerdict, on_delete=models.PROTECT, related_name="rules")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=32)
    label = models.CharField(max_length=64)
    outcome = models.CharField(max_length=8, choices=RuleOutcome)
    sentence = models.TextField()
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    limit = models.FloatField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="one_rule_a_verdict_and_name", fields=["verdict", "name"])
        ]

    @property
    def range(self) -> "tuple[Any, Any] | None":
        return None if self.low is None else (self.low, self.high)


class GateJudge(models.Model):
    """The reward model, or the study by people, that a verdict rests on; tastes have no row."""

    verdict = models.OneToOneField(
        GateVerdict, on_delete=models.PROTECT, related_name="judge", primary_key=True
    )
    scorer = models.ForeignKey(
        Scorer, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    study = models.ForeignKey(
        Study, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_judge_is_a_reward_model_or_a_study",
                condition=models.Q(scorer__isnull=False, study__isnull=True)
                | models.Q(scorer__isnull=True, study__isnull=False),
            )
        ]


class GateStudy(models.Model):
    """The blinded comparison by people that was designed from a gate's images."""

    gate = models.OneToOneField(Gate, on_delete=models.PROTECT, related_name="people")
    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="gate")
