"""What is filled in to register a model version, and to have one evaluated."""

from typing import Any

from django import forms

from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.versions.evaluations import EvaluationRequest
from feedback_app.images.versions.requests import VersionRequest
from feedback_app.requests import form_field_of, read


class VersionForm(forms.Form):
    """Weights on the server or on the hub, to be registered."""

    name = form_field_of(VersionRequest, "name")
    location = form_field_of(VersionRequest, "location")
    config = form_field_of(VersionRequest, "config", required=False)
    resolution = form_field_of(VersionRequest, "resolution", required=False)

    def request(self) -> VersionRequest:
        return VersionRequest(**self.cleaned_data)


class EvaluationForm(forms.Form):
    """What the evaluation kit measures; only an admin is asked for folders of the server."""

    images = form_field_of(EvaluationRequest, "images")
    guidance_scale = form_field_of(EvaluationRequest, "guidance_scale")
    steps = form_field_of(EvaluationRequest, "steps")
    sampler = form_field_of(EvaluationRequest, "sampler")
    judge = form_field_of(EvaluationRequest, "judge")
    trunk = form_field_of(EvaluationRequest, "trunk")
    cohort = forms.ModelChoiceField(
        Cohort.objects.order_by("name"),
        required=False,
        empty_label="None",
        help_text="Whose held-out images the second trunk compares with",
    )

    def __init__(self, *args: Any, names_folders: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not names_folders:
            for name in ("judge", "trunk", "cohort"):
                del self.fields[name]

    def request(self) -> EvaluationRequest:
        data = dict(self.cleaned_data)
        if "cohort" in data:
            data["cohort"] = data["cohort"].name if data["cohort"] else ""
        return read(EvaluationRequest, data)
