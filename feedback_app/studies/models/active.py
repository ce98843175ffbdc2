"""Active orders of open pools, and the log of what was drawn by them."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedback_app.images.models import Scorer
from feedback_app.runs.models import Run
from feedback_app.studies.models.slots import Slot
from feedback_app.studies.models.studies import Study


class ActiveOrder(models.Model):
    """What the next draw from a pool goes by; whoever changes what is free holds its row.

    ``reward_model`` is the one that the values of free slots are by, ``unmeasured`` the
    ordinary cases that it has not measured. ``taken`` of the study's seats are not free;
    ``draws`` were made so far. ``run`` is the last one that was to value all cases anew.
    """

    study = models.OneToOneField(
        Study, on_delete=models.CASCADE, primary_key=True, related_name="active_order"
    )
    reward_model = models.ForeignKey(Scorer, on_delete=models.PROTECT, related_name="+")
    unmeasured = models.PositiveIntegerField(default=0)
    valued_at = models.DateTimeField(default=timezone.now)
    taken = models.PositiveIntegerField(default=0)
    draws = models.PositiveIntegerField(default=0)
    run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="active_orders"
    )

    @property
    def is_being_valued(self) -> bool:
        return self.run is not None and not self.run.is_finished


class DrawRule(models.TextChoices):
    SHARED = "shared", "One that all read, as often as its share of what is free"
    VALUE = "value", "The highest value"
    LOT = "lot", "By lot among all free ones"


class Draw(models.Model):
    """How a slot came to its reader; append-only, so that readings can be weighted.

    ``propensity`` is how likely its case was to be chosen for this reader at that time,
    ``uniform`` how likely it would have been by lot among all free seats. ``number`` counts
    a study's draws from 1; with the study's seed it gives the random numbers again.
    """

    slot = models.OneToOneField(
        Slot, on_delete=models.PROTECT, primary_key=True, related_name="draw"
    )
    number = models.PositiveIntegerField()
    rule = models.CharField(max_length=8, choices=DrawRule)
    propensity = models.FloatField()
    uniform = models.FloatField()
    value = models.FloatField(null=True, blank=True)
    claimable = models.PositiveIntegerField()
    reward_model = models.ForeignKey(Scorer, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_propensity_is_a_probability",
                condition=Q(propensity__gt=0, propensity__lte=1, uniform__gt=0, uniform__lte=1),
            )
        ]
