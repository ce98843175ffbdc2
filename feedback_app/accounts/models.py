"""Who uses Reading Room, and what they did."""

from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone


class Role(models.TextChoices):
    READER = "reader"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


class User(AbstractUser):
    """A person with one role, or a simulated reader, marked as such for good."""

    role = models.CharField(max_length=16, choices=Role, default=Role.READER)
    is_simulated = models.BooleanField(default=False, editable=False)
    must_change_password = models.BooleanField(
        default=False, help_text="Whether the next login begins with choosing a new password."
    )

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                name="simulated_users_are_readers",
                condition=models.Q(is_simulated=False) | models.Q(role=Role.READER),
            )
        ]

    @property
    def is_coordinator(self) -> bool:
        """Coordinators design studies; admins may do all that coordinators do."""
        return self.is_admin or self.role == Role.COORDINATOR

    @property
    def is_admin(self) -> bool:
        """Superusers too: the first account of an installation has no role of its own choosing."""
        return self.role == Role.ADMIN or self.is_superuser

    @property
    def held_role(self) -> Role:
        """The role that they have in fact: a superuser's is an admin's."""
        return Role.ADMIN if self.is_superuser else Role(self.role)

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def of_person(self, person: User) -> "AuditEventQuerySet":
        """What somebody did, and what was done to their account."""
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
