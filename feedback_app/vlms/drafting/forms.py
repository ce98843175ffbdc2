"""What people fill in so that there are reports to show; limits are those of the requests."""

from typing import Any

from django import forms

from feedback_app.images.models import Batch, Cohort
from feedback_app.requests import form_field_of
from feedback_app.studies.models import CriterionKind, Study, StudyState
from feedback_app.studies.models.reports import SOURCE_LENGTH
from feedback_app.vlms.drafting.requests import SignedDraftsRequest, VlmDraftsRequest
from feedback_app.vlms.models import VlmVersion


class FileForm(forms.Form):
    """A file of reports, and under which name a study chooses them."""

    name = forms.CharField(
        max_length=SOURCE_LENGTH,
        help_text="Who or what wrote them: a model and its version, say. Readers never see it.",
    )
    file = forms.FileField(
        help_text='JSON lines: {"image": SHA-256 of the picture, "text": its report}.'
    )


class VlmDraftsForm(forms.Form):
    """A VLM, what it is asked, and the images that it writes about."""

    name = form_field_of(VlmDraftsRequest, "name")
    version = forms.ModelChoiceField(
        VlmVersion.objects.all(), to_field_name="name", empty_label=None, label="VLM version"
    )
    cohort = forms.ModelChoiceField(
        Cohort.objects.all(), to_field_name="name", required=False, empty_label="None"
    )
    images = form_field_of(VlmDraftsRequest, "images")
    seed = form_field_of(VlmDraftsRequest, "seed")
    with_training = form_field_of(VlmDraftsRequest, "with_training")
    batches = forms.ModelMultipleChoiceField(
        Batch.objects.order_by("-created_at"),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 5}),
        help_text="Whose candidates are written about",
    )
    question = form_field_of(VlmDraftsRequest, "question")
    longest = form_field_of(VlmDraftsRequest, "longest")

    @property
    def values(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        return chosen | {
            "version": chosen["version"].name,
            "cohort": chosen["cohort"].name if chosen["cohort"] else "",
            "batches": [str(batch.pk) for batch in chosen["batches"]],
        }


class SignedDraftsForm(forms.Form):
    """A study whose readers' reports are kept."""

    name = form_field_of(SignedDraftsRequest, "name")
    study = forms.ModelChoiceField(
        Study.objects.own()
        .exclude(state=StudyState.DRAFT)
        .filter(criteria__kind=CriterionKind.REPORT)
        .distinct(),
        to_field_name="name",
        empty_label=None,
    )
    is_simulated = form_field_of(SignedDraftsRequest, "is_simulated")

    @property
    def values(self) -> dict[str, Any]:
        return self.cleaned_data | {"study": self.cleaned_data["study"].name}
