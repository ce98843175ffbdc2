"""Notices, and how each person wants to have those of a kind."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

MAIL_TRIES_MAX = 8
"""With the pauses doubled each time, the last try is about two hours after the first."""
FIRST_PAUSE = timedelta(minutes=1)


class NoticeKind(models.TextChoices):
    STUDY_WAITS = "study_waits", "A study waits for you"
    STUDY_DUE = "study_due", "A study is nearly due"
    STUDY_PAUSED = "study_paused", "A study was paused"
    RUN_DONE = "run_done", "What you asked for is done"
    RUN_FAILED = "run_failed", "What you asked for has failed"


OF_READERS = (NoticeKind.STUDY_WAITS, NoticeKind.STUDY_DUE, NoticeKind.STUDY_PAUSED)


class Way(models.TextChoices):
    HERE = "here", "Here"
    MAIL = "mail", "Here and by e-mail"
    NONE = "none", "Not at all"


class Mail(models.TextChoices):
    UNASKED = "", "not by mail"
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class NoticeChoice(models.Model):
    """A person's way for a kind; without one it is ``Way.HERE``."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_choices"
    )
    kind = models.CharField(max_length=16, choices=NoticeKind)
    way = models.CharField(max_length=8, choices=Way)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_way_a_kind_of_notice", fields=["person", "kind"])
        ]


class NoticeQuerySet(models.QuerySet["Notice"]):
    def unread(self) -> Self:
        return self.filter(read_at=None)

    def to_mail(self) -> Self:
        """Returns those whose mail waits and may be tried now."""
        due = models.Q(mail_after=None) | models.Q(mail_after__lte=timezone.now())
        return self.filter(due, mail=Mail.WAITING).order_by("made_at")


class Notice(models.Model):
    """What one person should know; ``key`` says what it is about, so that it is told once."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    kind = models.CharField(max_length=16, choices=NoticeKind)
    text = models.CharField(max_length=400)
    address = models.CharField(max_length=300)
    key = models.CharField(max_length=200)
    made_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    mail = models.CharField(max_length=8, choices=Mail, default=Mail.UNASKED, blank=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mail_after = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.UniqueConstraint(name="one_notice_a_person_and_key", fields=["person", "key"])
        ]
        indexes = [
            models.Index(
                name="unread_notices", fields=["person"], condition=models.Q(read_at=None)
            ),
            models.Index(
                name="notices_to_mail", fields=["made_at"], condition=models.Q(mail="waiting")
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def is_read(self) -> bool:
        return self.read_at is not None

    def note_failure(self) -> None:
        """Waits twice as long as the last time, and at last gives up; the notice stays."""
        self.mail_tries += 1
        if self.mail_tries >= MAIL_TRIES_MAX:
            self.mail = Mail.FAILED
        self.mail_after = timezone.now() + FIRST_PAUSE * 2 ** (self.mail_tries - 1)
        self.save(update_fields=["mail", "mail_tries", "mail_after"])
