"""What coordinators fill in for a batch, and how the gallery is ordered."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from feedback_app.images.candidates.batches import split_prompts
from feedback_app.images.candidates.checks import check_prompts, reads_text
from feedback_app.images.candidates.models import GenerationMode
from feedback_app.images.candidates.repairs import RepairRequest, parse_outline
from feedback_app.images.candidates.requests import BatchRequest, MaskRequest
from feedback_app.images.measures import MEASURES
from feedback_app.images.prompts.models import PromptSetVersion
from feedback_app.images.versions.models import ModelVersion
from feedback_app.remedies import complain
from feedback_app.requests import form_field_of, read
from generation.conditioning.fits import ATTRIBUTES
from generation.errors import RemediableError
from generation.specs import Outline

ATTRIBUTE_LABELS = {one: one.capitalize() for one in ATTRIBUTES} | {"absence": "No other finding"}


class BatchForm(forms.Form):
    """It is a request for candidates; what was typed stays in the fields whatever is wrong."""

    model_version = forms.ModelChoiceField(
        ModelVersion.objects.all(), label="Model version", empty_label=None
    )
    mode = form_field_of(
        BatchRequest,
        "mode",
        labels=dict(GenerationMode.choices),
        required=False,
        widget=forms.RadioSelect,
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
    images_per_prompt = form_field_of(BatchRequest, "images_per_prompt")
    steps = form_field_of(BatchRequest, "steps")
    guidance_scale = form_field_of(BatchRequest, "guidance_scale")
    seed = form_field_of(BatchRequest, "seed", required=False)
    name = form_field_of(BatchRequest, "name")
    fits = form_field_of(BatchRequest, "fits", labels=ATTRIBUTE_LABELS)
    tries = form_field_of(BatchRequest, "tries", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["mode"] = cleaned.get("mode") or BatchRequest.model_fields["mode"].default
        if "prompts" in cleaned and "images_per_prompt" in cleaned:
            cleaned["prompts"] = split_prompts(cleaned["prompts"])
            self._check_prompts(cleaned)
        return cleaned

    def _check_prompts(self, cleaned: dict[str, Any]) -> None:
        if not reads_text(cleaned["mode"]):
            return
        if not cleaned["prompts"]:
            self.add_error("prompts", "This field is required.")
            return
        try:
            check_prompts(cleaned["prompts"], images_per_prompt=cleaned["images_per_prompt"])
        except RemediableError as error:
            complain(self, "prompts", error)

    def request(self, *, masks: MaskRequest | None) -> BatchRequest:
        """Returns what is asked for; prompts and their set stay out where only masks are
        followed.
        """
        data: dict[str, Any] = self.cleaned_data
        takes_text = reads_text(data["mode"])
        chosen = data["prompt_set"] if takes_text else None
        if data["tries"] is None:
            del data["tries"]
        return read(
            BatchRequest,
            {
                **data,
                "model_version": data["model_version"].name,
                "prompts": data["prompts"] if takes_text else [],
                "prompt_set": str(chosen) if chosen else "",
                "masks": masks,
            },
        )


class RepairForm(forms.Form):
    """Which regions of a candidate are drawn again, how often, and from which seed."""

    regions = forms.CharField(
        label="Regions, one a line",
        max_length=100_000,
        help_text="Drag over the image, or write corners in pixels: x,y x,y for a box, "
        "three and more for another shape.",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "mono"}),
    )
    images = form_field_of(RepairRequest, "images", label="Images")
    seed = form_field_of(RepairRequest, "seed", required=False)

    def clean_regions(self) -> list[Outline]:
        lines = [line for line in self.cleaned_data["regions"].splitlines() if line.strip()]
        try:
            return [parse_outline(line) for line in lines]
        except RemediableError as error:
            raise ValidationError(f"{error} {error.remedy}") from error

    def request(self) -> RepairRequest:
        return read(RepairRequest, self.cleaned_data)


def list_orders() -> list[tuple[str, str]]:
    """Newest first, or by a measure; a minus stands for the lowest first."""
    orders = [("", "Newest first")]
    for name, kind in MEASURES.items():
        orders += [
            (name, f"{kind.label}, highest first"),
            (f"-{name}", f"{kind.label}, lowest first"),
        ]
    return orders
