"""What an admin fills in to register a model version."""

from django import forms


class VersionForm(forms.Form):
    """Weights on the server or on the hub, to be registered."""

    name = forms.CharField(max_length=100)
    location = forms.CharField(
        max_length=500,
        label="Folder or hub id",
        help_text="A folder in the diffusers format on the server, or owner/name@revision",
    )
    resolution = forms.IntegerField(
        required=False,
        min_value=32,
        max_value=2048,
        step_size=8,
        help_text="Pixels; read from the model's own settings if left empty",
    )
