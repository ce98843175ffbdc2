"""Who uses Reading Room, and what they did."""

import uuid
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken, AuthTokenManager

from feedback_app.accounts import audit_words


class Role(models.TextChoices):
    READER = "reader"
    COORDINATOR = "coordinator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Each role may do what those before it may, but for reading others' cases."""
        return list(Role).index(self)


class User(AbstractUser):  # type: ignore[django-manager-missing]  # of knox's untyped tokens
    """A user is a person with one role, or a simulated reader, marked as such for good."""

    role = models.CharField(max_length=16, choices=Role, default=Role.READER)
    is_simulated = models.BooleanField(default=False, editable=False)
    must_change_password = models.BooleanField(
        default=False, help_text="Whether the next login begins with choosing a new password."
    )
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    token_role: Role | None = None
    """The role of the token that they came with, which narrows their own; no column."""

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                name="simulated_users_are_readers",
                condition=models.Q(is_simulated=False) | models.Q(role=Role.READER),
            )
        ]

    def __str__(self) -> str:
        """People are named as people, on whatever page."""
        return self.display_name

    @property
    def is_coordinator(self) -> bool:
        """Coordinators design studies; admins may do all that coordinators do."""
        return self.held_role in {Role.COORDINATOR, Role.ADMIN}

    @property
    def is_admin(self) -> bool:
        """Superusers too: the first account of an installation has no role of its own choosing."""
        return self.held_role == Role.ADMIN

    @property
    def held_role(self) -> Role:
        """The role that they have in fact: a superuser's is an admin's; with a token, its own."""
        own = Role.ADMIN if self.is_superuser else Role(self.role)
        return min(own, self.token_role or own, key=lambda role: role.rank)

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username


class TokenManager(AuthTokenManager):
    def live(self) -> "models.QuerySet[Token]":
        """Neither revoked nor expired."""
        return self.filter(revoked_at=None, expiry__gt=timezone.now())


class Token(AbstractAuthToken):
    """How a program of ``user`` logs in to the API; ``digest`` is the token's hash.

    It may do what its role may, and its owner's: the narrower of both.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=16, choices=Role)
    is_read_only = models.BooleanField(default=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TokenManager()

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.CheckConstraint(name="a_token_expires", condition=models.Q(expiry__isnull=False))
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.expiry > timezone.now()


class Identity(models.Model):
    """Who a person is to the provider of single sign-on: its issuer's subject, for good."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "links to single sign-on"
        constraints = [
            models.UniqueConstraint("issuer", "subject", name="a_subject_is_one_person"),
            models.UniqueConstraint("issuer", "person", name="a_person_is_one_subject"),
        ]


class SecondFactor(models.Model):
    """The secret that a person's authenticator shares with us; only what they confirmed is a row.

    ``last_step`` is the time step of the newest code that was taken: no code is taken twice.
    """

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_factor")
    secret = models.CharField(max_length=64)
    last_step = models.BigIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "second factors"


class RecoveryCode(models.Model):
    """A way in, once, for who lost their authenticator; kept as a hash."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "recovery codes"


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def of_person(self, person: User) -> "AuditEventQuerySet":
        """Returns what somebody did, and what was done to their account."""
        on_their_account = models.Q(action__startswith="user.") | models.Q(
            action__startswith="login"
        )
        return self.filter(
            models.Q(actor=person) | (on_their_account & models.Q(target_id=str(person.pk)))
        )

    def between(self, first: date | None, last: date | None) -> "AuditEventQuerySet":
        """From the first day's beginning to the last day's end, in the site's time zone."""
        events = self
        if first:
            events = events.filter(at__gte=_midnight(first))
        if last:
            events = events.filter(at__lt=_midnight(last + timedelta(days=1)))
        return events


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class AuditEvent(models.Model):
    """Who did what to which thing, when; append-only.

    ``action`` is a dotted name such as ``study.unblinded``; ``target`` names the thing as
    people know it, ``target_id`` is its key.
    """

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=64, db_index=True)
    target = models.CharField(max_length=200, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]

    @property
    def in_words(self) -> str:
        return audit_words.action_in_words(self.action)

    @property
    def details_in_words(self) -> Iterator[tuple[str, str]]:
        return audit_words.details_in_words(self.action, self.details)
