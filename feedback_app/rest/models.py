"""Answers that are kept, so that what is asked twice is done once."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class KeptAnswer(models.Model):
    """What somebody's request with an ``Idempotency-Key`` was answered.

    The row is written in the transaction of what the request does: of two requests at a
    time with one key, the second waits for the first at ``one_answer_an_owner_and_key``.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=8)
    path = models.TextField()
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_answer_an_owner_and_key", fields=["owner", "key"])
        ]

    def is_of(self, other: "KeptAnswer") -> bool:
        """Returns whether both requests ask for the same."""
        names = ("method", "path", "body_sha256")
        return all(getattr(self, name) == getattr(other, name) for name in names)
