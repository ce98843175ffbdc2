"""What a study asks: criteria with anchored scales, and named artefacts."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from feedback_app.related import related_rows
from feedback_app.studies.enums import CriterionKind
from feedback_app.studies.models.studies import Study, StudyState

SCORE_MAX = 5
NAME_LENGTH = 64
QUESTION_LENGTH = 200
ANCHOR_LENGTH = 100


class Criterion(models.Model):
    """A criterion is one question; ``anchors[score]`` says what a score means.

    Ordinal scales have six anchors (0-5). Confidence has five, from 0, definitely real,
    to 4, definitely synthetic. A comparison has none: it is answered by a choice; nor have
    questions about reports.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="criteria")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=CriterionKind, default=CriterionKind.ORDINAL)
    slug = models.SlugField(max_length=32)
    name = models.CharField(max_length=NAME_LENGTH)
    question = models.CharField(max_length=QUESTION_LENGTH)
    anchors = ArrayField(models.CharField(max_length=ANCHOR_LENGTH), size=SCORE_MAX + 1, blank=True)

    class Meta:
        ordering = ["position"]
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(name="one_criterion_a_slug", fields=["study", "slug"]),
            models.UniqueConstraint(name="one_criterion_a_position", fields=["study", "position"]),
        ]

    @property
    def score_max(self) -> int:
        return len(self.anchors) - 1

    @property
    def is_of_reports(self) -> bool:
        return CriterionKind(self.kind).is_of_reports

    def in_words(self, value: int) -> str:
        """A score is its number; how sure somebody is of the source is said in words."""
        return self.anchors[value] if self.kind == CriterionKind.CONFIDENCE else str(value)

    def meaning_of(self, value: int) -> str:
        """Returns a score's anchor; nothing where the answer is in words already."""
        is_number = self.kind != CriterionKind.CONFIDENCE and value < len(self.anchors)
        return self.anchors[value] if is_number else ""


class FlagKind(models.Model):
    """A named artefact that a reader may put on an image."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="flag_kinds")
    position = models.PositiveSmallIntegerField()
    slug = models.SlugField(max_length=32)
    name = models.CharField(max_length=NAME_LENGTH)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="one_flag_kind_a_slug", fields=["study", "slug"])
        ]


STUDIES_KEPT = 64


@dataclass(frozen=True)
class Questions:
    """All that a study asks, in the order in which it asks."""

    criteria: tuple[Criterion, ...]
    flag_kinds: tuple[FlagKind, ...]
    has_examples: bool
    """Whether the guideline shows what a score or a flag looks like."""


def questions_of(study: Study) -> Questions:
    """Asks the database once a process: they stay as they are once a study has been opened."""
    return _load(study.pk) if study.state == StudyState.DRAFT else _keep(study.pk)


def _load(study_id: UUID) -> Questions:
    return Questions(
        criteria=tuple(Criterion.objects.filter(study=study_id)),
        flag_kinds=tuple(FlagKind.objects.filter(study=study_id)),
        has_examples=related_rows(Study, "examples").filter(study=study_id).exists(),
    )


_keep = lru_cache(maxsize=STUDIES_KEPT)(_load)
