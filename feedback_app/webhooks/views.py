"""What an admin does to webhooks; their lists have a module of their own."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from feedback_app.accounts.access import admins_only
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.models import User
from feedback_app.remedies import complain
from feedback_app.webhooks import services
from feedback_app.webhooks.forms import WebhookForm
from feedback_app.webhooks.models import Webhook
from generation.errors import RemediableError


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"by": cast("User", request.user), "address": client_address(request)}


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def add(request: HttpRequest) -> HttpResponse:
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            webhook = services.add_webhook(form.request(), **_by(request))
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("webhooks:webhook", webhook.pk)
    context = {"section": "webhooks", "form": form}
    return render(request, "webhooks/add.html", context, status=400 if form.errors else 200)


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
def remove(request: HttpRequest, webhook_id: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=webhook_id)
    services.remove_webhook(webhook, **_by(request))
    messages.success(request, f"{webhook.name} is removed.")
    return redirect("webhooks:list")


def _set_active(request: HttpRequest, webhook_id: int, *, is_active: bool) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=webhook_id)
    services.set_active(webhook, is_active=is_active, **_by(request))
    said = "is told again of what happens from now on" if is_active else "is told nothing more"
    messages.success(request, f"{webhook.name} {said}.")
    return redirect("webhooks:webhook", webhook.pk)
