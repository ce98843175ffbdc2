"""Webhooks and what they were told, for admins' programs."""

from typing import Any, ClassVar
from uuid import UUID

from django_filters.rest_framework import CharFilter, FilterSet
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.accounts.addresses import client_address
from feedback_app.rest.permissions import IsAdmin
from feedback_app.rest.views import Read, Row, name_of, user_name
from feedback_app.webhooks import services
from feedback_app.webhooks.models import Delivery, Webhook
from feedback_app.webhooks.requests import WebhookRequest


class WebhookSerializer(Row):
    """``told``: of how many things; ``arrived``: how many of these were taken."""

    told = serializers.IntegerField()
    arrived = serializers.IntegerField()
    created_by = user_name()

    class Meta:
        model = Webhook
        fields: ClassVar = [
            "id", "name", "url", "events", "is_active", "told", "arrived", "created_by",
            "created_at",
        ]  # fmt: skip


class WholeWebhookSerializer(WebhookSerializer):
    """With the secret by which the other side checks signatures."""

    class Meta(WebhookSerializer.Meta):
        fields: ClassVar = [*WebhookSerializer.Meta.fields, "secret"]


class WebhookFilter(FilterSet):
    class Meta:
        model = Webhook
        fields: ClassVar = {"name": ["exact"], "is_active": ["exact"]}


class WebhooksView(Read):
    """Addresses that are told what happens here."""

    queryset = Webhook.objects.with_counts().select_related("created_by")
    permission_classes = [IsAdmin]
    lookup_url_kwarg, lookup_value_converter = "webhook_id", "int"
    serializer_class = WebhookSerializer
    answers = dict.fromkeys(("create", "retrieve"), WholeWebhookSerializer)
    asks = {"create": WebhookRequest}
    filterset_class = WebhookFilter
    ordering_fields = ("name", "created_at")

    @property
    def by(self) -> dict[str, Any]:
        return {"by": self.actor, "address": client_address(self.request)}

    def create(self, request: Request) -> Response:
        made = services.add_webhook(self.asked(WebhookRequest), **self.by)
        return self.told(self.get_queryset().get(pk=made.pk), status=status.HTTP_201_CREATED)

    def destroy(self, request: Request, webhook_id: int) -> Response:
        """It is gone with its deliveries; what waits to be sent is not sent any more."""
        services.remove_webhook(self.get_object(), **self.by)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(["post"], detail=True)
    def stop(self, request: Request, webhook_id: int) -> Response:
        """It is told nothing more."""
        return self._set_active(is_active=False)

    @action(["post"], detail=True)
    def resume(self, request: Request, webhook_id: int) -> Response:
        """It is told again of what happens from now on."""
        return self._set_active(is_active=True)

    def _set_active(self, *, is_active: bool) -> Response:
        webhook = self.row()
        services.set_active(webhook, is_active=is_active, **self.by)
        return self.told(webhook)


class DeliverySerializer(Row):
    """``status`` is what the other side answered last."""

    webhook = name_of()
    run = serializers.UUIDField(source="run_id", allow_null=True)
    state = serializers.CharField(source="run.state", allow_null=True)

    class Meta:
        model = Delivery
        fields: ClassVar = [
            "id", "webhook", "event", "body", "status", "run", "state", "created_at",
            "delivered_at",
        ]  # fmt: skip


class DeliveryFilter(FilterSet):
    state = CharFilter("run__state", label="State of the run that sends it")

    class Meta:
        model = Delivery
        fields: ClassVar = {"webhook": ["exact"], "event": ["exact"]}


class DeliveriesView(Read):
    """What webhooks were told, the newest first."""

    queryset = Delivery.objects.for_pages().select_related("webhook", "run")
    permission_classes = [IsAdmin]
    lookup_url_kwarg, lookup_value_converter = "delivery_id", "uuid"
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    ordering_fields = ("created_at",)

    @action(["post"], detail=True)
    def resend(self, request: Request, delivery_id: UUID) -> Response:
        """Once more, with the same id: the other side may know it already."""
        delivery = self.row()
        services.resend(delivery)
        return self.told(self.get_queryset().get(pk=delivery.pk))
