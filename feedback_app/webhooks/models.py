"""Who is told of what, and what they were told."""

import secrets
import uuid
from base64 import b64encode
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from feedback_app.runs.models import Run

SECRET_BYTES = 32


class Event(models.TextChoices):
    BATCH_DONE = "batch.done", "A batch's candidates are made"
    STUDY_READ = "study.read", "Every case of a study is read"
    FINE_TUNE_DONE = "fine-tune.done", "A fine-tune gave its version"
    GATE_VERDICT = "gate.verdict", "A gate said promote or hold"
    EXPORT_READY = "export.ready", "An export can be downloaded"
    RUN_FAILED = "run.failed", "A run failed"


def new_secret() -> str:
    return f"whsec_{b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def with_counts(self) -> Self:
        """Adds ``told``, of how many things, and ``arrived``, how many of them were taken."""
        arrived = models.Count(
            "deliveries", filter=models.Q(deliveries__delivered_at__isnull=False)
        )
        return self.annotate(told=models.Count("deliveries"), arrived=arrived)


class Webhook(models.Model):
    """An address that is told of some kinds of events; ``secret`` signs what it is told."""

    name = models.CharField(max_length=100, unique=True)
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=100, default=new_secret, editable=False)
    events = ArrayField(models.CharField(max_length=32, choices=Event))
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def events_in_words(self) -> str:
        words = [Event(event).label for event in self.events]
        return "; ".join(word[:1].lower() + word[1:] for word in words)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def for_pages(self) -> Self:
        return self.select_related("run").order_by("-created_at")


class Delivery(models.Model):
    """One event that a webhook is told of, once; ``key`` says which thing it happened to.

    ``run`` sends it, again after growing pauses where it does not arrive. ``status`` is what
    the other side answered last.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=32, choices=Event)
    key = models.CharField(max_length=100)
    body = models.TextField()
    run = models.OneToOneField(
        Run, null=True, blank=True, on_delete=models.PROTECT, related_name="delivery"
    )
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                name="a_webhook_is_told_of_an_event_once", fields=["webhook", "event", "key"]
            )
        ]
