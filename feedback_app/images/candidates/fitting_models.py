"""Batches whose images are tried again until they fit, and their tries."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef


class Fitting(models.Model):
    """It is what a batch asks of each of its images, and how often each is tried.

    A batch with one has a place in it only for what fits; what is tried stands in its tries.
    """

    batch = models.OneToOneField(
        "images.Batch", on_delete=models.CASCADE, primary_key=True, related_name="fitting"
    )
    attributes = ArrayField(models.CharField(max_length=16))
    most_tries = models.PositiveSmallIntegerField()
    images = models.PositiveIntegerField()

    @property
    def most_images(self) -> int:
        """How many are made where none fits."""
        return self.images * self.most_tries

    @property
    def in_words(self) -> str:
        return ", ".join(self.attributes)


class TryQuerySet(models.QuerySet["Try"]):
    def undecided(self) -> Self:
        return self.filter(fits=None)

    def firsts(self) -> Self:
        """Returns one a place that was asked for."""
        return self.filter(number=1)

    def open_firsts(self) -> Self:
        """Returns those of places of which no try has fitted, and one is left."""
        same = Try.objects.filter(batch=OuterRef("batch"), position=OuterRef("position"))
        return self.firsts().filter(Exists(same.undecided()))

    def misfits(self) -> Self:
        return self.filter(fits=False)


class Try(models.Model):
    """It is the nth recipe for one place of a batch; the next one counts where it does not fit.

    All are written out when the batch is asked for; those after the one that fits are taken
    away. ``seen`` has by attribute what was asked for, what the judge saw, and by which judge.
    """

    batch = models.ForeignKey("images.Batch", on_delete=models.CASCADE, related_name="tries")
    recipe = models.ForeignKey("images.Recipe", on_delete=models.PROTECT, related_name="tries")
    position = models.PositiveIntegerField()
    prompt_index = models.PositiveIntegerField()
    number = models.PositiveSmallIntegerField()
    fits = models.BooleanField(null=True)
    seen = models.JSONField(default=dict)
    decided_at = models.DateTimeField(null=True)

    objects = TryQuerySet.as_manager()

    class Meta:
        ordering = ["position", "number"]
        verbose_name_plural = "tries"
        constraints = [
            models.UniqueConstraint(
                name="one_try_a_number", fields=["batch", "position", "number"]
            ),
            models.UniqueConstraint(name="one_try_a_recipe", fields=["batch", "recipe"]),
            models.UniqueConstraint(
                name="one_fit_a_place",
                fields=["batch", "position"],
                condition=models.Q(fits=True),
            ),
            models.CheckConstraint(
                name="decided_tries_have_a_time",
                condition=models.Q(fits=None, decided_at=None)
                | models.Q(fits__isnull=False, decided_at__isnull=False),
            ),
        ]

    @property
    def unlike(self) -> list[str]:
        """The attributes that were not as asked for, with what was seen, in words."""
        return [
            f"{attribute}: asked for {found['asked']}, seen {found['seen']}"
            if found["asked"] != found["seen"]
            else f"{attribute}: {found['asked']} is not plain enough"
            for attribute, found in self.seen.items()
            if found["fits"] is False
        ]
