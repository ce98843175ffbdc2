"""Which masks a batch is conditioned on, as a coordinator chooses them."""

from typing import Any

from django import forms

from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_plan import MAX_VARIANTS, as_kinds
from feedback_app.images.cohorts.models import Cohort, CohortImage
from generation.conditioning.masks import MASK_KINDS, label_of
from generation.conditioning.transforms import FAMILIES, FAMILY_LABELS, as_family


class MaskForm(forms.Form):
    """Part of the console's form: its names do not meet those of the batch."""

    cohort = forms.ModelChoiceField(
        Cohort.objects.filter(images__masks__kind__in=MASK_KINDS).distinct(), empty_label=None
    )
    kinds = forms.MultipleChoiceField(
        choices=[(kind, label_of(kind)) for kind in MASK_KINDS],
        label="Kinds, followed together",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one kind of mask."},
    )
    images = forms.ModelMultipleChoiceField(CohortImage.objects.all(), required=False)
    number = forms.IntegerField(
        label="Images to draw",
        min_value=1,
        max_value=256,
        initial=4,
        help_text="Where none is ticked",
    )
    families = forms.MultipleChoiceField(
        choices=[(family, FAMILY_LABELS[family]) for family in FAMILIES],
        label="Transforms, one of each for every variant",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    variants = forms.IntegerField(
        label="Variants of each", min_value=0, max_value=MAX_VARIANTS, initial=0
    )
    keeps_parents = forms.BooleanField(
        label="And the masks as they are", required=False, initial=True
    )
    mask_seed = forms.IntegerField(
        label="Seed of masks", min_value=0, max_value=2**31, initial=0, help_text="Draws them anew"
    )
    allows_held_out = forms.BooleanField(
        label="Also masks of validation and test images",
        required=False,
        help_text="What learns from their candidates cannot be tested on them",
    )

    @property
    def choice(self) -> MaskChoice:
        data: dict[str, Any] = self.cleaned_data
        return MaskChoice(
            cohort=data["cohort"],
            kinds=as_kinds(data["kinds"]),
            images=tuple(image.pk for image in data["images"]),
            number=data["number"],
            families=tuple(as_family(name) for name in data["families"]),
            variants=data["variants"],
            keeps_parents=data["keeps_parents"],
            seed=data["mask_seed"],
            allows_held_out=data["allows_held_out"],
        )
