"""Flags that a coordinator took from what a reader wrote: never without a person's word."""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedback_app.images.models import Image
from feedback_app.studies.models import FlagKind


class CommentFlagQuerySet(models.QuerySet["CommentFlag"]):
    def standing(self, as_of: datetime | None = None) -> Self:
        """Returns what was not taken back, now or as it was then."""
        if as_of is None:
            return self.filter(taken_back_at=None)
        later = Q(taken_back_at=None) | Q(taken_back_at__gt=as_of)
        return self.filter(later, decided_at__lte=as_of)

    def confirmed(self, as_of: datetime | None = None) -> Self:
        return self.standing(as_of).filter(is_confirmed=True)


class CommentFlag(models.Model):
    """What a person decided of one flag that a comment names: it is meant, or it is not.

    ``words`` are those of the comment that it rests on. ``box`` is where they marked it, [left,
    top, right, bottom] in pixels of the stored image; comments seldom say where. It is beside
    the reading's own flags, and never one of them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reading = models.ForeignKey(
        "readings.Reading", on_delete=models.PROTECT, related_name="comment_flags"
    )
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    kind = models.ForeignKey(FlagKind, on_delete=models.PROTECT, related_name="+")
    is_confirmed = models.BooleanField()
    grade = models.CharField(max_length=8, blank=True)
    box = ArrayField(models.FloatField(), size=4, null=True, blank=True)
    words = models.TextField(max_length=2_000)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(default=timezone.now)
    taken_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    taken_back_at = models.DateTimeField(null=True, blank=True)

    objects = CommentFlagQuerySet.as_manager()

    class Meta:
        ordering = ["decided_at"]
        constraints = [
            models.UniqueConstraint(
                name="one_standing_decision_a_flag_of_a_comment",
                fields=["reading", "image", "kind"],
                condition=Q(taken_back_at=None),
            ),
            models.CheckConstraint(
                name="a_flag_of_a_comment_has_a_grade_where_it_is_meant",
                condition=Q(is_confirmed=True, grade__in=["minor", "major"])
                | Q(is_confirmed=False, grade="", box=None),
            ),
        ]

    @property
    def corners(self) -> list[tuple[float, float]]:
        """The box's corners in order; none where nothing was marked."""
        if self.box is None:
            return []
        left, top, right, bottom = self.box
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
