"""What an admin fills in about an export."""

from typing import Any

from django import forms

from feedback_app.exports.formats import format_choices
from feedback_app.exports.requests import ExportRequest
from feedback_app.requests import form_field_of


class ExportForm(forms.Form):
    """A form without a format has the usual one."""

    curated_set = forms.UUIDField(widget=forms.HiddenInput)
    format = form_field_of(
        ExportRequest, "format", labels=dict(format_choices()), required=False, help_text=""
    )
    with_readings = form_field_of(ExportRequest, "with_readings", label="With readings")

    def request(self) -> ExportRequest:
        data: dict[str, Any] = self.cleaned_data
        return ExportRequest(**{name: value for name, value in data.items() if value})


class PreferencesForm(forms.Form):
    """The button on a snapshot's page."""

    snapshot = forms.UUIDField(widget=forms.HiddenInput)
