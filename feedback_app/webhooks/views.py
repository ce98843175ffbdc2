"""Webhook pages, for admins only."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from feedback_app.accounts.access import admins_only
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.models import User
from feedback_app.remedies import complain, tell
from feedback_app.webhooks import services
from feedback_app.webhooks.forms import WebhookForm
from feedback_app.webhooks.models import Delivery, Webhook
from generation.errors import RemediableError

SHOWN = 100
SECTION = {"section": "webhooks"}


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"by": cast("User", request.user), "address": client_address(request)}


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def list_webhooks(request: HttpRequest) -> HttpResponse:
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            webhook = services.add_webhook(form.request(), **_by(request))
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("webhooks:webhook", webhook.pk)
    arrived = Count("deliveries", filter=Q(deliveries__delivered_at__isnull=False))
    webhooks = Webhook.objects.annotate(told=Count("deliveries"), arrived=arrived)
    context = SECTION | {"form": form, "webhooks": webhooks}
    return render(request, "webhooks/list.html", context, status=400 if form.errors else 200)


@require_safe
@admins_only
def show(request: HttpRequest, webhook_id: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=webhook_id)
    deliveries = webhook.deliveries.for_pages()[:SHOWN]
    context = SECTION | {"webhook": webhook, "deliveries": deliveries}
    return render(request, "webhooks/webhook.html", context)


@require_POST
@admins_only
def stop(request: HttpRequest, webhook_id: int) -> HttpResponse:
    return _set_active(request, webhook_id, is_active=False)


@require_POST
@admins_only
def resume(request: HttpRequest, webhook_id: int) -> HttpResponse:
    return _set_active(request, webhook_id, is_active=True)


@require_POST
@admins_only
def resend(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    delivery = get_object_or_404(Delivery, pk=delivery_id)
    try:
        services.resend(delivery)
    except RemediableError as error:
        tell(request, error)
    else:
        messages.success(request, "It is sent once more.")
    return redirect("webhooks:webhook", delivery.webhook_id)


def _set_active(request: HttpRequest, webhook_id: int, *, is_active: bool) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=webhook_id)
    services.set_active(webhook, is_active=is_active, **_by(request))
    said = "is told again of what happens from now on" if is_active else "is told nothing more"
    messages.success(request, f"{webhook.name} {said}.")
    return redirect("webhooks:webhook", webhook.pk)
