"""What readers answer about reports: the one that they would sign, or points for one of two."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from feedback_app.studies.models import CaseText, Criterion

POINTS_MAX = 10
"""A preference is from -10, all for the left report, over 0 to 10, all for the right one."""


class ReportReason(models.TextChoices):
    """Why a draft was changed, as CheXagent's second study asks it."""

    FALSE_FINDING = "false_finding", "False finding"
    MISSED_FINDING = "missed_finding", "Missed finding"
    WRONG_LOCATION = "wrong_location", "Wrong location"
    WRONG_SEVERITY = "wrong_severity", "Wrong severity"
    STYLE = "style", "Style"
    OTHER = "other", "Other"


class WrittenReport(models.Model):
    """The report that a reader would sign, and what became of the draft that they were shown.

    Edits are counted by Levenshtein's distance, in characters and in words; without a draft
    there is nothing to count. Of one that was erased with its cohort the hash is left, and a
    block for each word.
    """

    reading = models.OneToOneField(
        "readings.Reading", on_delete=models.PROTECT, primary_key=True, related_name="report"
    )
    draft = models.ForeignKey(
        CaseText, null=True, blank=True, on_delete=models.PROTECT, related_name="written"
    )
    text = models.TextField()
    erased_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    reasons = ArrayField(
        models.CharField(max_length=16, choices=ReportReason), default=list, blank=True
    )
    is_accepted = models.BooleanField()
    changed_characters = models.PositiveIntegerField(null=True, blank=True)
    changed_words = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="what_is_accepted_is_a_draft_as_it_was",
                condition=Q(is_accepted=False)
                | Q(draft__isnull=False, changed_characters=0, reasons=[]),
            ),
            models.CheckConstraint(
                name="edits_are_of_a_draft",
                condition=Q(
                    draft__isnull=True, changed_characters__isnull=True, changed_words__isnull=True
                )
                | Q(
                    draft__isnull=False,
                    changed_characters__isnull=False,
                    changed_words__isnull=False,
                ),
            ),
        ]

    @property
    def reason_labels(self) -> list[str]:
        return [str(ReportReason(reason).label) for reason in self.reasons]

    @property
    def edit_in_words(self) -> str:
        """Says what became of the draft."""
        if self.changed_words is None:
            return "Written without a draft"
        if self.is_accepted:
            return "Accepted as it is"
        words = f"{self.changed_words} word{'' if self.changed_words == 1 else 's'} changed"
        return f"{words}: {', '.join(self.reason_labels).lower()}"


class ReportPreference(models.Model):
    """How many points better one of two reports is on a criterion.

    ``points`` are as the reader saw it: above 0 the right one is better, below it ``left``.
    """

    reading = models.ForeignKey(
        "readings.Reading", on_delete=models.PROTECT, related_name="preferences"
    )
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT)
    left = models.ForeignKey(CaseText, on_delete=models.PROTECT, related_name="preferences")
    points = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_preference_a_criterion", fields=["reading", "criterion"]
            ),
            models.CheckConstraint(
                name="points_are_within_ten",
                condition=Q(points__gte=-POINTS_MAX, points__lte=POINTS_MAX),
            ),
        ]

    @property
    def for_first(self) -> int:
        """The points by which the case's first report is better, wherever it stood."""
        return -self.points if self.left.position == 0 else self.points

    def in_words(self, *, is_first_a: bool = True) -> str:
        """Says which report is better; A is the case's first, or its second one."""
        towards_a = self.for_first if is_first_a else -self.for_first
        if not towards_a:
            return "equal"
        return f"{'A' if towards_a > 0 else 'B'} better by {abs(towards_a)}"
