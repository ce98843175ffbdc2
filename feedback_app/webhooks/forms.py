"""What an admin fills in about a webhook."""

from django import forms

from feedback_app.requests import form_field_of, read
from feedback_app.webhooks.models import Event
from feedback_app.webhooks.requests import WebhookRequest


class WebhookForm(forms.Form):
    name = form_field_of(WebhookRequest, "name")
    url = form_field_of(WebhookRequest, "url")
    events = form_field_of(WebhookRequest, "events", labels=dict(Event.choices))

    def request(self) -> WebhookRequest:
        return read(WebhookRequest, self.cleaned_data)
