"""The lists of webhooks, and of what one of them was told; for admins only."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django_filters import ChoiceFilter
from django_tables2 import Column, Table

from feedback_app.accounts.access import admins_only
from feedback_app.lists.actions import Action, each
from feedback_app.lists.filters import ListFilter, WordsFilter
from feedback_app.lists.pages import ListPage
from feedback_app.lists.tables import NUMBER, CellColumn, NumberColumn, TimeColumn
from feedback_app.runs.models import State
from feedback_app.webhooks import services
from feedback_app.webhooks.models import Delivery, Event, Webhook


class WebhookFilter(ListFilter):
    words = WordsFilter("name", "url", label="Name or address")
    event = ChoiceFilter(
        choices=Event.choices, method="told_of", empty_label="Any", label="Is told when"
    )

    def told_of(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(events__contains=[value])


class WebhookTable(Table):
    name = CellColumn("webhooks/cells/name.html", verbose_name="Webhook")
    url = Column(verbose_name="Address", attrs={"td": {"class": "mono"}})
    told = NumberColumn(verbose_name="Told")
    arrived = NumberColumn(verbose_name="Arrived")
    is_active = CellColumn("webhooks/cells/state.html", verbose_name="State")


class WebhookList(ListPage):
    listing = section = "webhooks"
    title = "Webhooks"
    of_one, of_many = "webhook", "webhooks"
    template_name = "webhooks/list.html"
    filterset_class = WebhookFilter
    table_class: ClassVar[type[Table] | None] = WebhookTable

    def rows(self) -> "QuerySet[Any]":
        return Webhook.objects.with_counts().order_by("name")


class DeliveryFilter(ListFilter):
    event = ChoiceFilter(choices=Event.choices, empty_label="Any", label="What")
    state = ChoiceFilter(
        field_name="run__state", choices=State.choices, empty_label="Any", label="State"
    )


class DeliveryTable(Table):
    event = CellColumn("webhooks/cells/event.html", verbose_name="What")
    created_at = TimeColumn(verbose_name="When")
    status = Column(verbose_name="Answer", default="none yet", attrs=NUMBER)
    run = CellColumn("webhooks/cells/run.html", verbose_name="State", order_by="run__state")


class DeliveryList(ListPage):
    """One webhook: what it is, and what it was told, to be sent again."""

    listing = "deliveries"
    section = "webhooks"
    of_one, of_many = "delivery", "deliveries"
    template_name = "webhooks/webhook.html"
    filterset_class = DeliveryFilter
    table_class: ClassVar[type[Table] | None] = DeliveryTable

    @cached_property
    def webhook(self) -> Webhook:
        return get_object_or_404(Webhook, pk=self.kwargs["webhook_id"])

    @property
    def title(self) -> str:  # type: ignore[override]
        return self.webhook.name

    def rows(self) -> "QuerySet[Any]":
        return self.webhook.deliveries.for_pages()

    def actions(self) -> Sequence[Action]:
        send = each(_send_again, done="{} sent once more.")
        return (Action(slug="resend", label="Send again", act=send),)


def _send_again(_: HttpRequest, delivery: Delivery) -> object:
    return services.resend(delivery)


list_webhooks = admins_only(WebhookList.as_view())
show_webhook = admins_only(DeliveryList.as_view())
