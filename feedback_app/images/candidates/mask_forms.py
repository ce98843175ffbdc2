"""Which masks a batch is conditioned on, as a coordinator chooses them."""

from typing import Any

from django import forms

from feedback_app.images.candidates.requests import MaskRequest
from feedback_app.images.cohorts.models import Cohort, CohortImage
from feedback_app.requests import form_field_of, read
from generation.conditioning.masks import MASK_KINDS, label_of
from generation.conditioning.transforms import FAMILY_LABELS


class MaskForm(forms.Form):
    """It is part of the console's form: its names do not meet those of the batch."""

    cohort = forms.ModelChoiceField(
        Cohort.objects.filter(images__masks__kind__in=MASK_KINDS).distinct(), empty_label=None
    )
    kinds = form_field_of(
        MaskRequest,
        "kinds",
        labels={kind: label_of(kind) for kind in MASK_KINDS},
        help_text="",
        error_messages={"required": "Choose at least one kind of mask."},
    )
    images = forms.ModelMultipleChoiceField(CohortImage.objects.all(), required=False)
    number = form_field_of(MaskRequest, "number")
    families = form_field_of(MaskRequest, "transforms", labels=FAMILY_LABELS)
    variants = form_field_of(MaskRequest, "variants")
    keeps_parents = form_field_of(MaskRequest, "keeps_parents")
    mask_seed = form_field_of(MaskRequest, "seed")
    allows_held_out = form_field_of(MaskRequest, "allows_held_out")

    def clean_images(self) -> list[CohortImage]:
        """Another cohort may have an image of the same name: it was not ticked."""
        cohort = self.cleaned_data.get("cohort")
        images = list(self.cleaned_data["images"])
        if any(image.cohort_id != cohort.pk for image in images if cohort):
            raise forms.ValidationError("An image is of another cohort. Choose among those shown.")
        return images

    @property
    def request(self) -> MaskRequest:
        data: dict[str, Any] = self.cleaned_data
        return read(
            MaskRequest,
            {
                "cohort": data["cohort"].name,
                "kinds": data["kinds"],
                "images": [image.source_id for image in data["images"]],
                "number": data["number"],
                "transforms": data["families"],
                "variants": data["variants"],
                "keeps_parents": data["keeps_parents"],
                "seed": data["mask_seed"],
                "allows_held_out": data["allows_held_out"],
            },
        )
