"""Gates of VLM versions, what they found, and which version is promoted."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from feedback_app.images.versions.folders import path_of
from feedback_app.vlms.learning.models import ReportSnapshot


class VlmGate(models.Model):
    """A child against its parent on a benchmark, and on reports that neither was taught.

    The readers of ``snapshot`` judge, by what they said of held-out patients. ``margin`` is by
    how much a task may be worse at most, as a figure between 0 and 1.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    child = models.ForeignKey("vlms.VlmVersion", on_delete=models.PROTECT, related_name="gates")
    parent = models.ForeignKey(
        "vlms.VlmVersion", on_delete=models.PROTECT, related_name="gates_as_parent"
    )
    instruction_set = models.ForeignKey(
        "vlms.InstructionSet", on_delete=models.PROTECT, related_name="gates"
    )
    snapshot = models.ForeignKey(ReportSnapshot, on_delete=models.PROTECT, related_name="gates")
    margin = models.FloatField()
    folder = models.CharField(max_length=500)
    run = models.OneToOneField("runs.Run", on_delete=models.PROTECT, related_name="vlm_gate")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="a_margin_is_a_share", condition=models.Q(margin__gte=0, margin__lte=1)
            )
        ]

    def __str__(self) -> str:
        return f"Gate of {self.child}"

    @property
    def later(self) -> "models.QuerySet[VlmGate]":
        """Gates of the same two versions that were asked after it."""
        same = VlmGate.objects.filter(child=self.child_id, parent=self.parent_id)
        return same.filter(created_at__gt=self.created_at)

    @property
    def path(self) -> Any:
        return path_of(self.folder)

    @property
    def found(self) -> "VlmVerdict | None":
        """The verdict, once it is there."""
        return getattr(self, "verdict", None)


class VlmDecision(models.TextChoices):
    PROMOTE = "promote", "promote"
    HOLD = "hold", "hold"


class VlmVerdict(models.Model):
    """What a gate found; ``report`` has its rules with figures, and what was left out."""

    gate = models.OneToOneField(
        VlmGate, on_delete=models.PROTECT, related_name="verdict", primary_key=True
    )
    decision = models.CharField(max_length=8, choices=VlmDecision)
    report = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    @property
    def is_promote(self) -> bool:
        return self.decision == VlmDecision.PROMOTE


class VlmPromotionKind(models.TextChoices):
    BY_HAND = "by hand", "Promoted"
    BY_GATE = "by gate", "Promoted after its gate said so"
    OVERRULED = "overruled", "Promoted although no gate said so"
    BACK = "back", "Gone back to"


class VlmPromotionQuerySet(models.QuerySet["VlmPromotion"]):
    def in_turn(self) -> list[Any]:
        """Returns the versions as they took over; the last is promoted, going back takes one
        away.
        """
        stack: list[Any] = []
        for promotion in self.select_related("version").order_by("pk"):
            if promotion.kind == VlmPromotionKind.BACK and len(stack) > 1:
                stack.pop()
            elif not stack or stack[-1] != promotion.version:
                stack.append(promotion.version)
        return stack


class VlmPromotion(models.Model):
    """From then on ``version`` is the one that is offered first; rows are never changed."""

    version = models.ForeignKey(
        "vlms.VlmVersion", on_delete=models.PROTECT, related_name="promotions"
    )
    kind = models.CharField(max_length=16, choices=VlmPromotionKind)
    reason = models.TextField(blank=True)
    verdict = models.ForeignKey(VlmVerdict, null=True, blank=True, on_delete=models.PROTECT)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = VlmPromotionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
