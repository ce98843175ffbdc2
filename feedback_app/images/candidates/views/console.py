"""The generation console: asking for a batch."""

from typing import cast

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.images.candidates.batches import measured_seconds_per_step
from feedback_app.images.candidates.forms import BatchForm
from feedback_app.images.candidates.mask_forms import MaskForm
from feedback_app.images.candidates.models import Batch
from feedback_app.images.candidates.requests import ask_for_batch
from feedback_app.images.candidates.views.lists import batches_with_progress
from feedback_app.images.candidates.views.masks import picker_of
from feedback_app.images.prompts.models import PromptSetVersion
from feedback_app.images.versions.models import ModelVersion
from feedback_app.remedies import complain
from generation.conditioning.findings import FINDINGS, NORMAL
from generation.conditioning.prompts import default_prompts, prompt_set
from generation.errors import RemediableError
from generation.specs import PROMPT_MAX_CHARACTERS

RECENT_BATCHES = 8
MIXED_PROMPTS = 8
MIDDLE_AGE_YEARS = 50


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def show_console(request: HttpRequest) -> HttpResponse:
    promoted = ModelVersion.objects.filter(is_promoted=True).first()
    chosen_set = parse_number(request.GET.get("prompt_set"))
    form = BatchForm(
        with_prompts_of_set(request.POST) if request.POST else None,
        initial={"model_version": promoted, **prompts_of_set(chosen_set)},
    )
    wants_masks = request.POST.get("mode", "t2i") != "t2i"
    mask_form = MaskForm(request.POST if wants_masks else None)
    if request.method == "POST" and form.is_valid() and (not wants_masks or mask_form.is_valid()):
        try:
            batch, _ = ask_for_batch(
                form.request(masks=mask_form.request if wants_masks else None),
                created_by=cast("User", request.user),
            )
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("images:batch", batch.pk)
    return render(
        request,
        "images/console.html",
        {
            "section": "generate",
            "form": form,
            "batches": _recent_batches(),
            "prompt_sets": prompt_sets(),
            "speeds": _speeds(),
            "prompt_max": PROMPT_MAX_CHARACTERS,
            "followers": [
                str(key)
                for key in ModelVersion.objects.filter(follows_masks=True).values_list(
                    "pk", flat=True
                )
            ],
            **picker_of(mask_form),
        },
        status=400 if form.errors or mask_form.errors else 200,
    )


def parse_number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None


def prompts_of_set(version_id: int | None) -> dict[str, object]:
    """Returns the two fields that a prompt set fills; nothing where there is no such version."""
    version = PromptSetVersion.objects.filter(pk=version_id).first() if version_id else None
    return {"prompt_set": version.pk, "prompts": "\n".join(version.texts())} if version else {}


def with_prompts_of_set(posted: QueryDict) -> QueryDict:
    """Returns a chosen set's prompts where none were written: the page's script may not have
    run.
    """
    filled = posted.copy()
    if not filled.get("prompts", "").strip():
        chosen = prompts_of_set(parse_number(filled.get("prompt_set")))
        filled["prompts"] = str(chosen.get("prompts", ""))
    return filled


def _recent_batches() -> list[Batch]:
    return list(batches_with_progress().order_by("-created_at")[:RECENT_BATCHES])


def prompt_sets() -> dict[str, list[str]]:
    """Returns prompts to insert by a button: a mixed few, and each finding by view and sex."""
    sets = {f"mixed, {MIXED_PROMPTS}": default_prompts()[:MIXED_PROMPTS]}
    for finding in (NORMAL, *FINDINGS):
        sets[finding] = prompt_set((finding,), ages_years=(MIDDLE_AGE_YEARS,))
    return sets


def _speeds() -> dict[str, float]:
    """Returns the measured seconds an image and step, by model version, apart where masks are."""
    measured = {
        f"{version.pk}{':masks' if follows_masks else ''}": measured_seconds_per_step(
            version, follows_masks=follows_masks
        )
        for version in ModelVersion.objects.all()
        for follows_masks in ({False, version.follows_masks})
    }
    return {key: seconds for key, seconds in measured.items() if seconds is not None}
