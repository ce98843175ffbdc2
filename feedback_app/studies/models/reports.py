"""Texts of reports: those that a model or somebody wrote elsewhere, and those that a case shows."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from feedback_app.studies.models.cases import Case

SOURCE_LENGTH = 100
Item = TypeVar("Item")


class DraftSet(models.Model):
    """Reports of images that were written elsewhere, under the name of who or what wrote them."""

    name = models.CharField(max_length=SOURCE_LENGTH, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ReportDraft(models.Model):
    """The report of one image, by the SHA-256 of its picture, which need not be here yet."""

    of_set = models.ForeignKey(DraftSet, on_delete=models.CASCADE, related_name="drafts")
    sha256 = models.CharField(max_length=64)
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_draft_an_image", fields=["of_set", "sha256"])
        ]


class CaseText(models.Model):
    """A report that a case shows, as it was when the case was written; readers know no source."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="texts")
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=SOURCE_LENGTH)
    text = models.TextField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="one_text_a_case_position", fields=["case", "position"])
        ]


def by_lot(
    texts: Sequence[Item], *, seed: int, case: UUID, reader: int | None, repetition: int
) -> list[Item]:
    """Returns what is on the left and on the right for this reader; a repeat has it the other way.

    The lot follows from the study's seed, so that a case looks the same whenever it is opened.
    """
    lot = Random(f"{seed}:{case}:{reader}:sides").randrange(2) + repetition
    return list(texts[::-1] if lot % 2 else texts)
