"""What an admin fills in to register a model version."""

from django import forms

from feedback_app.images.versions.requests import VersionRequest
from feedback_app.requests import form_field_of


class VersionForm(forms.Form):
    """Weights on the server or on the hub, to be registered."""

    name = form_field_of(VersionRequest, "name")
    location = form_field_of(VersionRequest, "location")
    config = form_field_of(VersionRequest, "config", required=False)
    resolution = form_field_of(VersionRequest, "resolution", required=False)

    def request(self) -> VersionRequest:
        return VersionRequest(**self.cleaned_data)
