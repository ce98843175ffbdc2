"""A VLM version's page, registering one, and asking one a question."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from feedback_app.accounts.access import admins_only, coordinators_only
from feedback_app.accounts.models import User
from feedback_app.images.blobs.models import Image
from feedback_app.images.candidates.models import Candidate
from feedback_app.images.cohorts.models import CohortImage
from feedback_app.images.versions.cards import card_at
from feedback_app.remedies import complain
from feedback_app.requests import read
from feedback_app.vlms.asking import ask_of_image
from feedback_app.vlms.forms import QuestionForm, RegisterForm
from feedback_app.vlms.learning.dependents import retracted_report_snapshots
from feedback_app.vlms.learning.finetunes import finetunes_behind
from feedback_app.vlms.learning.forms import VlmGateForm
from feedback_app.vlms.learning.gate_models import VlmPromotion
from feedback_app.vlms.learning.promotion import promoted_vlm, reason_needed
from feedback_app.vlms.models import ImageQuestion, InstructionSet, VlmVersion
from feedback_app.vlms.requests import QuestionRequest, RegisterVlmRequest
from feedback_app.vlms.services import folder_of, register_vlm
from generation.errors import RemediableError

SECTION = {"section": "vlms"}
SHOWN_QUESTIONS = 10
OFFERED = 18
"""Images of each kind that a question may be asked of, besides one that is named."""


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def register(request: HttpRequest) -> HttpResponse:
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            asked = read(RegisterVlmRequest, form.cleaned_data)
            actor = cast("User", request.user)
            version = register_vlm(asked.name, asked.location, created_by=actor)
        except RemediableError as error:
            complain(form, None, error)
        else:
            messages.success(request, f"{version.name} is registered.")
            return redirect("vlms:version", version.pk)
    status = 400 if form.errors else 200
    return render(request, "vlms/register.html", SECTION | {"form": form}, status=status)


@require_safe
@coordinators_only
def show_version(request: HttpRequest, version_id: int) -> HttpResponse:
    version = _version(version_id)
    results = version.results.select_related("instruction_set", "run")
    benchmarks = InstructionSet.objects.built().exclude(benchmark={})
    context = SECTION | {
        "version": version,
        "card": card_at(version.location, find=folder_of),
        "stages": _stages(version),
        "results": results.prefetch_related("scores"),
        "unanswered": benchmarks.exclude(results__in=results),
        "taught_by": finetunes_behind(version),
        **_promotion(version),
        "retracted_snapshots": set(retracted_report_snapshots()),
        "questions": version.questions.select_related("image")[:SHOWN_QUESTIONS],
    }
    return render(request, "vlms/version.html", context)


def _promotion(version: VlmVersion) -> dict[str, Any]:
    """Returns whether it is promoted, what its gates say, and what has been promoted so far."""
    gates = version.gates.select_related("instruction_set", "run", "verdict")
    promotions = VlmPromotion.objects.select_related("version", "created_by")
    return {
        "gates": gates,
        "gate_form": VlmGateForm(),
        "is_promoted": promoted_vlm() == version,
        "reason_needed": reason_needed(version),
        "promotions": promotions[:SHOWN_QUESTIONS],
    }


def _version(version_id: int) -> VlmVersion:
    rows = VlmVersion.objects.select_related("parent", "run", "created_by")
    return get_object_or_404(rows, pk=version_id)


def _curves(version: VlmVersion) -> dict[str, dict[str, list[float]]]:
    return version.run.result.get("curves", {}) if version.run else {}


def _stages(version: VlmVersion) -> list[dict[str, Any]]:
    """Returns what each stage's curve shows; what draws it is slow to import."""
    if not _curves(version):
        return []
    from feedback_app.vlms.plots import stage_plot

    curves = sorted(_curves(version).items(), key=lambda one: one[1]["step"][0])
    return [{"name": name, "plot": stage_plot(name, curve)} for name, curve in curves]


@require_safe
@coordinators_only
def show_curve(request: HttpRequest, version_id: int, stage: str) -> HttpResponse:
    curve = _curves(_version(version_id)).get(stage)
    if curve is None:
        raise Http404("There is no curve of such a stage.")
    from feedback_app.vlms.plots import stage_plot

    return HttpResponse(stage_plot(stage, curve).svg(), content_type="image/svg+xml")


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def ask(request: HttpRequest) -> HttpResponse:
    """Shows the box to ask one question of one image."""
    named = {name: request.GET[name] for name in ("version", "image") if name in request.GET}
    asked: dict[str, Any] = {"version": promoted_vlm(), **named}
    form = QuestionForm(request.POST or None, initial=asked)
    if request.method == "POST" and form.is_valid():
        try:
            actor = cast("User", request.user)
            question = ask_of_image(read(QuestionRequest, form.values), created_by=actor)
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("vlms:question", question.pk)
    context = SECTION | {
        "form": form,
        "has_versions": VlmVersion.objects.exists(),
        "named": _known(form["image"].value()),
        "candidates": Candidate.objects.order_by("-image__created_at")[:OFFERED],
        "cohort_images": CohortImage.objects.order_by("-image__created_at")[:OFFERED],
    }
    return render(request, "vlms/ask.html", context, status=400 if form.errors else 200)


def _known(key: Any) -> Image | None:
    """Returns the image that was named beforehand, where there is one."""
    try:
        return Image.objects.filter(pk=key).first() if key else None
    except ValidationError:
        return None


@require_safe
@coordinators_only
def show_question(request: HttpRequest, question_id: UUID) -> HttpResponse:
    rows: QuerySet[ImageQuestion] = ImageQuestion.objects.select_related("version", "image", "run")
    question = get_object_or_404(rows, pk=question_id)
    context = SECTION | {
        "question": question,
        "run": question.run,
        "is_candidate": Candidate.objects.filter(image=question.image).exists(),
        "options": _told(question),
    }
    template = "_question" if request.htmx else "question"  # type: ignore[attr-defined]
    return render(request, f"vlms/{template}.html", context)


def _told(question: ImageQuestion) -> list[dict[str, Any]]:
    """Returns each option with its probability, and with that which other images get."""
    seen = question.answer.get("probabilities", [])
    blind = question.answer.get("blind") or [None] * len(seen)
    return [
        {"option": option, "probability": here, "blind": there}
        for option, here, there in zip(question.options, seen, blind, strict=False)
    ]
