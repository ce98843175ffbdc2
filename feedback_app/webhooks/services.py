"""Telling webhooks what happened, and telling them again."""

import json
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Signer

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.requests import at
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.webhooks import addresses
from feedback_app.webhooks.happenings import Happening, happenings
from feedback_app.webhooks.kinds import DELIVERY
from feedback_app.webhooks.models import Delivery, Webhook
from feedback_app.webhooks.requests import WebhookRequest
from generation.errors import RemediableError

LOOKS_BACK = timedelta(days=1)
"""So long may workers have been away for nothing to be forgotten."""
GONE = 410


class NotTaken(ConnectionError):
    """The other side did not take a delivery; it may at the next try."""


@transaction.atomic
def add_webhook(request: WebhookRequest, *, by: User, address: str | None = None) -> Webhook:
    """Its secret is shown to admins, who bring it to the other side."""
    with at("url"):
        try:
            addresses.find(request.url)
        except OSError as error:
            raise RemediableError(
                f"{request.url} is not found: {error}.", remedy="Look at the host's name."
            ) from error
    with at("name"):
        if Webhook.objects.filter(name=request.name).exists():
            raise RemediableError(
                f"There is a webhook “{request.name}” already.", remedy="Choose another name."
            )
    webhook = Webhook.objects.create(
        name=request.name, url=request.url, events=list(request.events), created_by=by
    )
    _record("webhook.added", webhook, by=by, address=address)
    return webhook


def set_active(
    webhook: Webhook, *, is_active: bool, by: User | None, address: str | None = None
) -> None:
    webhook.is_active = is_active
    webhook.save(update_fields=["is_active"])
    action = "webhook.resumed" if is_active else "webhook.stopped"
    _record(action, webhook, by=by, address=address)


@transaction.atomic
def remove_webhook(webhook: Webhook, *, by: User | None, address: str | None = None) -> None:
    """It is gone with its secret and deliveries; what waits to be sent is not sent any more."""
    for delivery in webhook.deliveries.filter(run__in=Run.objects.unfinished()):
        assert delivery.run is not None
        runs.cancel(delivery.run)
    _record("webhook.removed", webhook, by=by, address=address)
    webhook.delete()


def notice() -> int:
    """Queue a delivery of each thing that happened to each webhook that asked; how many."""
    webhooks = list(Webhook.objects.filter(is_active=True))
    if not webhooks:
        return 0
    found = list(happenings(timezone.now() - LOOKS_BACK))
    return sum(
        _tell(webhook, one)
        for webhook in webhooks
        for one in found
        if one.event in webhook.events and one.at >= webhook.created_at
    )


@transaction.atomic
def _tell(webhook: Webhook, happening: Happening) -> bool:
    """Returns whether they were not told of it before."""
    delivery, is_new = Delivery.objects.get_or_create(
        webhook=webhook,
        event=happening.event,
        key=happening.key,
        defaults={"body": _body_of(happening)},
    )
    if is_new:
        _send(delivery)
    return is_new


def _body_of(happening: Happening) -> str:
    told = {
        "type": happening.event.value,
        "timestamp": happening.at.isoformat(),
        "data": happening.data,
    }
    return json.dumps(told, separators=(",", ":"))


def _send(delivery: Delivery) -> None:
    delivery.run = runs.start(
        DELIVERY,
        title=f"Tell {delivery.webhook.name}: {delivery.get_event_display()}",
        spec={"delivery": str(delivery.pk)},
    )
    delivery.save(update_fields=["run"])


@transaction.atomic
def resend(delivery: Delivery) -> Run:
    """Send it once more, with the same id: the other side may know it already."""
    locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if locked.run is not None and not locked.run.is_finished:
        raise RemediableError("It is being sent.", remedy="Wait, or cancel its run first.")
    _send(locked)
    assert locked.run is not None
    return locked.run


def deliver(delivery: Delivery) -> dict[str, Any]:
    """Send it now; raises where it is not taken, so that its run is put back for a while."""
    webhook = delivery.webhook
    if not webhook.is_active:
        raise RemediableError(
            f"The webhook “{webhook.name}” is stopped.", remedy="Resume it, then send this again."
        )
    status = addresses.post(addresses.find(webhook.url), delivery.body, _headers_of(delivery))
    Delivery.objects.filter(pk=delivery.pk).update(status=status)
    if status == GONE:
        set_active(webhook, is_active=False, by=None)
        raise RemediableError(
            f"“{webhook.name}” says that it is gone; it is stopped.", remedy="Ask its people."
        )
    if not 200 <= status < 300:
        raise NotTaken(f"“{webhook.name}” answered {status}.")
    Delivery.objects.filter(pk=delivery.pk).update(delivered_at=timezone.now())
    return {"status": status}


def _headers_of(delivery: Delivery) -> dict[str, str]:
    now = timezone.now()
    signature = Signer(delivery.webhook.secret).sign(str(delivery.pk), now, delivery.body)
    return {
        "webhook-id": str(delivery.pk),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def _record(action: str, webhook: Webhook, *, by: User | None, address: str | None = None) -> None:
    record(
        action,
        actor=by,
        target=webhook.name,
        target_id=webhook.pk,
        details={"url": webhook.url},
        address=address,
    )
