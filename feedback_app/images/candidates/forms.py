"""What coordinators fill in: a batch, and a filter of the gallery."""

from typing import Any

from django import forms

from feedback_app.images.candidates.batches import (
    Settings,
    check_prompts,
    reads_text,
    split_prompts,
)
from feedback_app.images.candidates.models import Batch, GenerationMode
from feedback_app.images.candidates.prompt_lengths import check_length
from feedback_app.images.prompts.models import PromptSetVersion
from feedback_app.images.scorers.models import ScorerKind
from feedback_app.images.versions.models import ModelVersion
from feedback_app.remedies import complain
from generation.errors import RemediableError

MAX_STEPS = 200
MEASURES = (*(kind.measure for kind in ScorerKind), "nearest-training-image")


class BatchForm(forms.Form):
    """A request for candidates; what was typed stays in the fields whatever is wrong."""

    model_version = forms.ModelChoiceField(
        ModelVersion.objects.all(), label="Model version", empty_label=None
    )
    mode = forms.ChoiceField(
        choices=GenerationMode, initial="t2i", required=False, widget=forms.RadioSelect
    )
    prompts = forms.CharField(
        label="Prompts, one a line",
        max_length=1_000_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 7, "spellcheck": "false"}),
    )
    prompt_set = forms.ModelChoiceField(
        PromptSetVersion.objects.select_related("prompt_set"),
        label="From a prompt set",
        required=False,
        empty_label="None",
    )
    images_per_prompt = forms.IntegerField(
        label="Images of each", min_value=1, max_value=256, initial=4
    )
    steps = forms.IntegerField(
        label="Steps", min_value=1, max_value=MAX_STEPS, initial=Settings.steps
    )
    guidance_scale = forms.FloatField(
        label="Guidance",
        min_value=0,
        max_value=30,
        initial=Settings.guidance_scale,
        help_text="Nearness to the prompt",
    )
    seed = forms.IntegerField(
        label="First seed",
        min_value=0,
        max_value=2**31,
        initial=0,
        help_text="Each image takes the next one",
    )
    name = forms.CharField(
        label="Name",
        max_length=100,
        required=False,
        help_text="Optional; numbered if left empty",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["mode"] = cleaned.get("mode") or "t2i"
        if "prompts" in cleaned and "images_per_prompt" in cleaned:
            cleaned["prompts"] = split_prompts(cleaned["prompts"])
            self._check_prompts(cleaned)
        return cleaned

    def _check_prompts(self, cleaned: dict[str, Any]) -> None:
        prompts, version = cleaned["prompts"], cleaned.get("model_version")
        if not reads_text(cleaned["mode"]):
            return
        if not prompts:
            self.add_error("prompts", "This field is required.")
            return
        try:
            check_prompts(prompts, images_per_prompt=cleaned["images_per_prompt"])
            if version is not None:
                check_length(version, prompts)
        except RemediableError as error:
            complain(self, "prompts", error)

    @property
    def settings(self) -> Settings:
        return Settings(
            steps=self.cleaned_data["steps"], guidance_scale=self.cleaned_data["guidance_scale"]
        )


def list_orders() -> list[tuple[str, str]]:
    """Newest first, or by a measure; a minus stands for the lowest first."""
    orders = [("", "Newest first")]
    for scorer in MEASURES:
        name = scorer.replace("-", " ").capitalize()
        orders += [(scorer, f"{name}, highest first"), (f"-{scorer}", f"{name}, lowest first")]
    return orders


class GalleryForm(forms.Form):
    version = forms.ModelChoiceField(
        ModelVersion.objects.all(), required=False, label="Model version", empty_label="Any"
    )
    batch = forms.ModelChoiceField(Batch.objects.all(), required=False, empty_label="Any")
    words = forms.CharField(required=False, max_length=200, label="Words of the prompt")
    order = forms.ChoiceField(required=False, label="Order", choices=list_orders)
