"""What people fill in on the pages of VLMs; limits are those of the requests."""

from typing import Any

from django import forms

from feedback_app.images.cohorts.models import Cohort
from feedback_app.requests import form_field_of
from feedback_app.vlms.models import InstructionSet, VlmVersion
from feedback_app.vlms.requests import (
    SETTINGS,
    AnswersRequest,
    InstructionRequest,
    QuestionRequest,
    RegisterVlmRequest,
    VlmTrainingRequest,
)
from generation.specs import VlmSpec

FILE_MAX_BYTES = 100_000_000


SETTINGS_HELP = {
    "language_steps": "Words alone, without pictures",
    "encoder_steps": "What pictures show; 0 keeps the eye",
    "bridge_steps": "Captions",
    "instruction_steps": "Questions with answers",
    "batch_size": "Examples of one step",
    "image_size": "Pixels a side, a multiple of 32",
    "grid": "Patches a side that the decoder sees",
    "queries": "0 sees patches; more are learnt queries",
    "width": "Of the decoder, a multiple of its heads",
    "lora_rank": "0 teaches all weights, more an adapter",
    "seed": "The same seed gives the same weights",
}
LABELS = {"lora_rank": "LoRA rank"}


class RegisterForm(forms.Form):
    """A folder on the server, to be registered."""

    name = form_field_of(RegisterVlmRequest, "name")
    location = form_field_of(RegisterVlmRequest, "location")


class InstructionForm(forms.Form):
    """An instruction set to build; folders on the server are offered to admins alone."""

    name = form_field_of(InstructionRequest, "name")
    cohorts = forms.ModelMultipleChoiceField(
        Cohort.objects.all(),
        to_field_name="name",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Their images are asked about, by their own splits",
    )
    readings = form_field_of(InstructionRequest, "readings")
    data = form_field_of(InstructionRequest, "data")
    seed = form_field_of(InstructionRequest, "seed")

    def __init__(self, *args: Any, is_admin: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_admin:
            del self.fields["data"]

    @property
    def values(self) -> dict[str, Any]:
        cohorts = [cohort.name for cohort in self.cleaned_data["cohorts"]]
        return self.cleaned_data | {"cohorts": cohorts}


class TrainingForm(forms.Form):
    """What a VLM is to learn from; a setting that stays at its default is left to the request."""

    name = form_field_of(VlmTrainingRequest, "name")
    instructions = forms.ModelChoiceField(
        InstructionSet.objects.built(),
        to_field_name="name",
        empty_label=None,
        label="Instruction set",
    )
    parent = forms.ModelChoiceField(
        VlmVersion.objects.all(),
        to_field_name="name",
        required=False,
        empty_label="None: from the beginning",
        label="Taught on from",
        help_text="A VLM trained here; it keeps its language and its eye",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SETTINGS:
            field = form_field_of(VlmSpec, name, required=False)
            field.help_text = SETTINGS_HELP.get(name, "")
            field.label = LABELS.get(name, field.label)
            self.fields[name] = field

    @property
    def settings(self) -> list[forms.BoundField]:
        return [self[name] for name in SETTINGS]

    @property
    def values(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        given = {
            name: chosen[name]
            for name in SETTINGS
            if chosen[name] not in (None, self.fields[name].initial)
        }
        return {
            "name": chosen["name"],
            "instructions": chosen["instructions"].name,
            "parent": chosen["parent"].name if chosen["parent"] else "",
            "settings": given,
        }


class BenchmarkForm(forms.Form):
    """The version that is to answer an instruction set's benchmark."""

    version = forms.ModelChoiceField(
        VlmVersion.objects.all(), to_field_name="name", empty_label=None, label="VLM version"
    )

    def values(self, instructions: InstructionSet) -> dict[str, Any]:
        return {"version": self.cleaned_data["version"].name, "instruction_set": instructions.name}


class AnswersForm(forms.Form):
    """A file of answers, and what its model is called."""

    model = form_field_of(AnswersRequest, "model")
    file = forms.FileField(
        label="Answers",
        help_text="JSON lines, in UTF-8",
        widget=forms.FileInput(attrs={"accept": ".jsonl,.json,text/plain"}),
    )

    def clean_file(self) -> str:
        file = self.cleaned_data["file"]
        if file.size > FILE_MAX_BYTES:
            raise forms.ValidationError(f"More than {FILE_MAX_BYTES:,} bytes are not taken.")
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise forms.ValidationError("The file is no text in UTF-8: save it as such.") from error


class QuestionForm(forms.Form):
    """A question of one image; an option a line."""

    version = BenchmarkForm.base_fields["version"]
    image = form_field_of(QuestionRequest, "image")
    question = form_field_of(QuestionRequest, "question")
    options = forms.CharField(
        required=False,
        max_length=1_100,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One a line, two at least; without any it answers in its own words",
    )

    @property
    def values(self) -> dict[str, Any]:
        lines = [line.strip() for line in self.cleaned_data["options"].splitlines()]
        return self.cleaned_data | {
            "version": self.cleaned_data["version"].name,
            "options": [line for line in lines if line],
        }
