"""Parts of the generation console: choosing masks, and seeing them before anything is made."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.blobs.views import answer_with
from feedback_app.images.candidates.batches import split_prompts
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_forms import MaskForm
from feedback_app.images.candidates.mask_models import RecipeMask
from feedback_app.images.candidates.mask_plan import (
    MaskPlan,
    as_kinds,
    kinds_of,
    plan_masks,
    rows_of,
)
from feedback_app.images.candidates.prompt_lengths import limit_of, long_prompts
from feedback_app.images.candidates.requests import choice_of
from feedback_app.images.candidates.thumbnails import picture_masks
from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.versions.models import ModelVersion
from feedback_app.remedies import in_one_line
from generation.conditioning.masks import label_of
from generation.conditioning.transforms import in_words
from generation.errors import RemediableError

SHOWN_IMAGES = 60
SHOWN_PROMPTS = 5


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A tile is a variant on the preview sheet: its picture, or why it is refused.

    ``number`` is the reason's place in the list of reasons.
    """

    picture: str = ""
    words: str = ""
    refusal: str = ""
    number: int = 0


@require_POST
@coordinators_only
def pick_masks(request: HttpRequest) -> HttpResponse:
    """Shows the kinds and images of the chosen cohort; what is ticked stays ticked."""
    return render(request, "images/_mask_picker.html", picker_of(MaskForm(request.POST)))


def picker_of(form: MaskForm) -> dict[str, Any]:
    form.is_valid()
    cohort = _cohort_of(form)
    if cohort is None:
        return {"mask_form": form}
    available = kinds_of(cohort)
    named = form.data.getlist("kinds") if form.is_bound else []  # type: ignore[attr-defined]
    kinds = as_kinds([kind for kind in available if kind in named] or available[:1])
    choice = MaskChoice(
        cohort=cohort,
        kinds=kinds,
        allows_held_out=bool(form.is_bound and form.cleaned_data.get("allows_held_out")),
    )
    images = choice.eligible.select_related("image", "patient").prefetch_related("masks")
    ticked = form.data.getlist("images") if form.is_bound else []  # type: ignore[attr-defined]
    shown = images.order_by("source_id")[:SHOWN_IMAGES]
    return {
        "mask_form": form,
        "kinds": [(kind, label_of(kind), kind in kinds) for kind in available],
        "images": [
            (image, rows_of(image, kinds).values(), str(image.pk) in ticked) for image in shown
        ],
        "eligible": images.count(),
    }


def _cohort_of(form: MaskForm) -> Cohort | None:
    if form.is_bound and form.cleaned_data.get("cohort"):
        cohort: Cohort = form.cleaned_data["cohort"]
        return cohort
    return form.fields["cohort"].queryset.first()  # type: ignore[attr-defined]


@require_POST
@coordinators_only
def preview_masks(request: HttpRequest) -> HttpResponse:
    """Shows the sheet of all variants, refused ones with their reason."""
    version = _version_of(request)
    form = MaskForm(request.POST)
    context: dict[str, Any] = {}
    if not form.is_valid():
        context["problems"] = [error for errors in form.errors.values() for error in errors]
    elif version is not None:
        try:
            context = sheet_of(plan_masks(choice_of(form.request), side=version.resolution))
        except RemediableError as error:
            context["problems"] = [in_one_line(error)]
    return render(request, "images/_mask_preview.html", context)


def sheet_of(plan: MaskPlan) -> dict[str, Any]:
    numbers = {reason: number for number, (reason, _) in enumerate(plan.refusals, start=1)}
    rows = [
        (
            planned.image,
            picture_masks(planned.parent.framed),
            [
                Tile(
                    picture=picture_masks(variant.masks) if variant.masks is not None else "",
                    words="; ".join(map(in_words, variant.transforms)) or "as it is",
                    refusal=variant.refusal,
                    number=numbers.get(variant.refusal, 0),
                )
                for variant in planned.variants
            ],
        )
        for planned in plan.parents
    ]
    return {"plan": plan, "rows": rows}


@require_POST
@coordinators_only
def measure_prompts(request: HttpRequest) -> HttpResponse:
    """Shows what the model would not read of the prompts, as they are being written."""
    version = _version_of(request)
    limit = limit_of(version) if version else None
    found = long_prompts(version, split_prompts(request.POST.get("prompts", ""))) if version else []
    context = {
        "version": version,
        "limit": limit,
        "found": found[:SHOWN_PROMPTS],
        "more": len(found) - SHOWN_PROMPTS,
    }
    return render(request, "images/_prompt_lengths.html", context)


def _version_of(request: HttpRequest) -> ModelVersion | None:
    key = request.POST.get("model_version", "")
    return ModelVersion.objects.filter(pk=key).first() if key.isdecimal() else None


@require_safe
@coordinators_only
def show_mask(request: HttpRequest, mask_id: int) -> HttpResponse:
    """Shows a mask that a recipe is conditioned on, as transformed: it was drawn on a patient's
    image.
    """
    mask = get_object_or_404(RecipeMask.objects.select_related("blob"), pk=mask_id)
    return answer_with(mask.blob, is_of_patient=True)
