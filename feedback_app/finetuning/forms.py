"""What a coordinator fills in on the learning pages."""

from inspect import signature
from typing import Any

from django import forms

from feedback_app.finetuning.models import FineTune, Method, Schedule, Snapshot
from feedback_app.finetuning.services.finetunes import SETTINGS, complete_settings
from feedback_app.finetuning.services.schedules import ScheduleDesign, design_of
from feedback_app.images.models import ModelVersion
from feedback_app.studies.models import Study, StudyState
from generation.errors import RemediableError
from generation.specs import FineTuneSpec

PEOPLE, SIMULATED = "people", "simulated"

METHOD_SENTENCES = {
    Method.DPO_MARGIN: (
        "Each pair counts by how far its scores lie apart, and the model keeps practising "
        "what was preferred; safe on small snapshots."
    ),
    Method.DPO_PAPER: (
        "The published loss, with each image weighted by its own score; a loser scored 0 "
        "then teaches nothing, and 5 against 4 pushes harder than 2 against 0."
    ),
}


def field_default(name: str) -> Any:
    """The default of a setting, from the one place that has it."""
    return signature(FineTuneSpec).parameters[name].default


class SnapshotForm(forms.Form):
    name = forms.CharField(max_length=100)
    whose = forms.ChoiceField(
        label="Readings of",
        choices=[(PEOPLE, "People"), (SIMULATED, "Simulated readers")],
        initial=PEOPLE,
        help_text="Never both: what simulated readers taught is marked as such for good.",
    )
    studies = forms.ModelMultipleChoiceField(
        Study.objects.exclude(state=StudyState.DRAFT),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Choose none to take all.",
    )

    @property
    def is_simulated(self) -> bool:
        return bool(self.cleaned_data["whose"] == SIMULATED)


class FineTuneForm(forms.Form):
    snapshot = forms.ModelChoiceField(Snapshot.objects.all(), empty_label=None)
    parent = forms.ModelChoiceField(
        ModelVersion.objects.order_by("-is_promoted", "-pk"), label="Start from", empty_label=None
    )
    method = forms.ChoiceField(
        choices=Method.choices, initial=Method.DPO_MARGIN, widget=forms.RadioSelect
    )
    steps = forms.IntegerField(min_value=1, max_value=100_000)
    batch_size = forms.IntegerField(min_value=1, max_value=1_024, help_text="Pairs a step.")
    learning_rate = forms.FloatField()
    beta = forms.FloatField(help_text="Higher keeps the model closer to its parent.")
    rank = forms.IntegerField(min_value=1, max_value=256, help_text="Size of the adapter.")
    denoising_weight = forms.FloatField(
        min_value=0, help_text="Practice on the winners; margin-weighted only."
    )
    seed = forms.IntegerField(min_value=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SETTINGS:
            field = self.fields[name]
            field.initial = field_default(name)
            if isinstance(field, forms.FloatField):
                field.widget.attrs["step"] = "any"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                complete_settings(self.settings, method=cleaned["method"], parent=cleaned["parent"])
            except RemediableError as error:
                raise forms.ValidationError(f"{error} {error.remedy}") from error
        return cleaned

    @property
    def settings(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in SETTINGS}

    @property
    def methods(self) -> list[tuple[forms.boundfield.BoundWidget, str]]:
        """Each method's radio button with a sentence that explains it."""
        return list(zip(self["method"], METHOD_SENTENCES.values(), strict=True))


class ScheduleForm(forms.ModelForm):
    at = forms.TimeField(
        label="Every day at", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    is_enabled = forms.BooleanField(label="Runs", required=False, initial=True)

    class Meta:
        model = Schedule
        fields = [
            "name",
            "min_new_pairs",
            "method",
            "uses_simulated_readers",
            "promotes_by_itself",
        ]
        labels = {
            "min_new_pairs": "If there are at least this many new pairs",
            "uses_simulated_readers": "Learns from simulated readers instead of people",
            "promotes_by_itself": "Promotes the new version by itself where its gate says promote",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial.update(design_of(self.instance))
        self.fields["min_new_pairs"].widget.attrs["min"] = 1

    @property
    def design(self) -> ScheduleDesign:
        return ScheduleDesign(**self.cleaned_data)


def described(fine_tune: FineTune) -> list[tuple[str, Any]]:
    """A fine-tune's settings in the order of the form."""
    return [(name.replace("_", " "), fine_tune.settings[name]) for name in SETTINGS]
