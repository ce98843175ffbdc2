"""Texts of reports: those that a model or somebody wrote elsewhere, and those that a case shows."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedback_app.runs.models import State
from feedback_app.studies.models.cases import Case

SOURCE_LENGTH = 100
Item = TypeVar("Item")


class DraftOrigin(models.TextChoices):
    FILE = "file", "A file"
    VLM = "vlm", "A VLM here"
    READERS = "readers", "Readers of a study"


class DraftSet(models.Model):
    """Reports of images, under the name of who or what wrote them.

    ``asked`` says what they came from: the VLM with its weights and what it was asked, or the
    study whose readers signed them. ``run`` is the one in which a VLM writes them; until it is
    done the drafts have no text. ``sha256`` is that of all lines, once they are there.
    """

    name = models.CharField(max_length=SOURCE_LENGTH, unique=True)
    origin = models.CharField(max_length=8, choices=DraftOrigin, default=DraftOrigin.FILE)
    asked = models.JSONField(default=dict, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    run = models.OneToOneField(
        "runs.Run", null=True, blank=True, on_delete=models.PROTECT, related_name="drafts"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="a_vlm_writes_in_a_run",
                condition=Q(origin="vlm", run__isnull=False) | (~Q(origin="vlm") & Q(run=None)),
            )
        ]

    @property
    def is_written(self) -> bool:
        """Whether all its texts are there; only a VLM’s take their time."""
        return self.run is None or self.run.state == State.SUCCEEDED

    def __str__(self) -> str:
        return self.name


class ReportDraft(models.Model):
    """The report of one image, by the SHA-256 of its picture, which need not be here yet.

    ``text`` is empty while a VLM has it still to write.
    """

    of_set = models.ForeignKey(DraftSet, on_delete=models.CASCADE, related_name="drafts")
    sha256 = models.CharField(max_length=64)
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_draft_an_image", fields=["of_set", "sha256"])
        ]


class CaseText(models.Model):
    """A report that a case shows, as it was when the case was written; readers know no source.

    ``text`` is empty in a draft whose VLM is still writing; no such study opens.
    Of one that was erased with its cohort the hash is left, and a block for each word.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="texts")
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=SOURCE_LENGTH)
    text = models.TextField()
    erased_sha256 = models.CharField(max_length=64, blank=True, editable=False)

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
