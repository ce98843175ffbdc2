"""What people fill in so that VLM versions learn of readers; limits are those of the requests."""

from typing import Any

from django import forms

from feedback_app.requests import form_field_of
from feedback_app.studies.models import CriterionKind, Study, StudyState
from feedback_app.vlms.learning.models import ReportSnapshot, VlmMethod
from feedback_app.vlms.learning.requests import (
    ReportSnapshotRequest,
    VlmFineTuneRequest,
    VlmGateRequest,
)
from feedback_app.vlms.models import InstructionSet, VlmVersion
from generation.specs import VlmPreferenceSpec

SHOWN_SETTINGS = ("steps", "learning_rate", "beta", "lora_rank")


class ReportSnapshotForm(forms.Form):
    """A snapshot to take, of all studies of reports or of some."""

    name = form_field_of(ReportSnapshotRequest, "name")
    studies = forms.ModelMultipleChoiceField(
        Study.objects.own()
        .exclude(state=StudyState.DRAFT)
        .filter(criteria__kind__in=[CriterionKind.REPORT, CriterionKind.PREFERENCE])
        .distinct(),
        to_field_name="name",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Choose none to take all",
    )
    is_simulated = form_field_of(ReportSnapshotRequest, "is_simulated")

    @property
    def values(self) -> dict[str, Any]:
        return self.cleaned_data | {
            "studies": [study.name for study in self.cleaned_data["studies"]]
        }


class VlmFineTuneForm(forms.Form):
    """A VLM version to be taught, and how; a setting that is left empty has its default."""

    name = form_field_of(VlmFineTuneRequest, "name")
    parent = forms.ModelChoiceField(
        VlmVersion.objects.order_by("-pk"),
        to_field_name="name",
        empty_label=None,
        label="Start from",
    )
    snapshot = forms.ModelChoiceField(ReportSnapshot.objects.all(), empty_label=None)
    method = forms.ChoiceField(choices=VlmMethod.choices, widget=forms.RadioSelect)
    steps = form_field_of(VlmPreferenceSpec, "steps", required=False)
    learning_rate = form_field_of(VlmPreferenceSpec, "learning_rate", required=False)
    beta = form_field_of(
        VlmPreferenceSpec,
        "beta",
        required=False,
        help_text="Higher keeps the child closer to its parent",
    )
    lora_rank = form_field_of(
        VlmPreferenceSpec,
        "lora_rank",
        required=False,
        label="LoRA rank",
        help_text="Size of the adapter",
    )

    gate_on = forms.ModelChoiceField(
        InstructionSet.objects.built().exclude(benchmark={}),
        to_field_name="name",
        required=False,
        empty_label="no gate",
        label=VlmFineTuneRequest.model_fields["gate_on"].title,
        help_text=VlmFineTuneRequest.model_fields["gate_on"].description or "",
    )
    margin = form_field_of(VlmFineTuneRequest, "margin", required=False)

    @property
    def settings(self) -> list[forms.BoundField]:
        return [self[name] for name in SHOWN_SETTINGS]

    @property
    def values(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        return {
            "name": chosen["name"],
            "parent": chosen["parent"].name,
            "snapshot": str(chosen["snapshot"].pk),
            "method": chosen["method"],
            "settings": {name: chosen[name] for name in SHOWN_SETTINGS if chosen[name] is not None},
            "gate_on": chosen["gate_on"].name if chosen["gate_on"] else "",
            **({} if chosen["margin"] is None else {"margin": chosen["margin"]}),
        }


class VlmGateForm(forms.Form):
    """The benchmark on which a version is compared with its parent, and the margin."""

    instruction_set = forms.ModelChoiceField(
        InstructionSet.objects.built().exclude(benchmark={}),
        to_field_name="name",
        empty_label=None,
        label="Benchmark of",
    )
    margin = form_field_of(VlmGateRequest, "margin")

    def values(self, version: VlmVersion) -> dict[str, Any]:
        return {
            "version": version.name,
            "instruction_set": self.cleaned_data["instruction_set"].name,
            "margin": self.cleaned_data["margin"],
        }
