"""Prompt sets: named lists of prompts, of which every version stays as it is."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Subquery
from django.utils import timezone

NAME_PATTERN = r"^[^@\s][^@]*$"


class PromptSetQuerySet(models.QuerySet["PromptSet"]):
    def with_latest(self) -> Self:
        """Adds ``latest_number`` and ``prompt_count``, both of the latest version."""
        latest = PromptSetVersion.objects.filter(prompt_set=OuterRef("pk")).order_by("-number")
        return self.annotate(
            latest_number=Subquery(latest.values("number")[:1]),
            prompt_count=Subquery(
                latest.annotate(count=Count("prompts")).values("count")[:1],
            ),
        )


class PromptSet(models.Model):
    """A name; its prompts are those of its versions."""

    name = models.CharField(
        max_length=64, unique=True, validators=[RegexValidator(NAME_PATTERN, "A name without @.")]
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = PromptSetQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def latest(self) -> "PromptSetVersion":
        return self.versions.latest("number")


class PromptSetVersionQuerySet(models.QuerySet["PromptSetVersion"]):
    def latest_of_each(self) -> Self:
        """Keeps the latest version of each set."""
        later = PromptSetVersion.objects.filter(
            prompt_set=OuterRef("prompt_set"), number__gt=OuterRef("number")
        )
        return self.filter(~Exists(later))


class PromptSetVersion(models.Model):
    """The prompts of a set at one time; append-only, as its prompts are.

    ``origin`` says in words where they are from, ``shortfalls`` what could not be had.
    ``sha256`` is that of the prompts, one a line.
    """

    prompt_set = models.ForeignKey(PromptSet, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    origin = models.CharField(max_length=300)
    shortfalls = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = PromptSetVersionQuerySet.as_manager()

    class Meta:
        ordering = ["prompt_set__name", "-number"]
        constraints = [
            models.UniqueConstraint(
                name="one_prompt_set_version_a_number", fields=["prompt_set", "number"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.prompt_set.name}@{self.number}"

    def texts(self) -> list[str]:
        return list(self.prompts.values_list("text", flat=True))


class SetPromptQuerySet(models.QuerySet["SetPrompt"]):
    def counted_by(self, name: str) -> dict[str, int]:
        """Returns how often each value of an attribute comes, by value."""
        rows = self.order_by().values_list(name).annotate(count=Count("pk"))
        return dict(rows.order_by(F(name)))


class SetPrompt(models.Model):
    """A prompt in a set, with what it names; the facts follow from its text."""

    version = models.ForeignKey(PromptSetVersion, on_delete=models.PROTECT, related_name="prompts")
    position = models.PositiveIntegerField()
    text = models.TextField()
    findings = ArrayField(models.CharField(max_length=64), default=list)
    view = models.CharField(max_length=16, blank=True)
    sex = models.CharField(max_length=1, blank=True)
    age_band = models.CharField(max_length=16, blank=True)

    objects = SetPromptQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="one_set_prompt_a_place", fields=["version", "position"]),
            models.UniqueConstraint(name="a_prompt_once_a_version", fields=["version", "text"]),
        ]
