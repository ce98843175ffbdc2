"""A draft's guideline and training cases: examples chosen, references given."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback_app.accounts.access import coordinators_only
from feedback_app.images.models import Batch, Cohort, Image
from feedback_app.remedies import complain, tell
from feedback_app.studies import services
from feedback_app.studies.access import study_of
from feedback_app.studies.calibration_forms import ExampleForm, TrainingForm
from feedback_app.studies.guideline import blocks_of, examples_of
from feedback_app.studies.models import CaseImage, Study, training_criteria
from feedback_app.studies.modes import mode_of
from generation.errors import RemediableError

IMAGES_A_PAGE = 48
BATCHES_OFFERED = 100


@require_GET
@coordinators_only
def show(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """Shows the guideline as readers will see it, its examples, and the training cases."""
    study = study_of(study_id)
    images = dict(study.examples.values_list("pk", "image"))
    context = {
        "section": "studies",
        "study": study,
        "mode": mode_of(study.mode),
        "blocks": blocks_of(study.guideline),
        "examples": [(example, images[example.pk]) for example in examples_of(study)],
        "training": study.training_cases.prefetch_related("case_images", "references"),
    }
    return render(request, "studies/calibration.html", context)


@require_http_methods(["GET", "POST"])
@coordinators_only
def make_training(request: HttpRequest, study_id: UUID, case_id: UUID) -> HttpResponse:
    """A case of a draft becomes a training case, with the answers that are right."""
    study = study_of(study_id)
    case = get_object_or_404(study.cases, pk=case_id)
    known = services.known_answers_of(case)
    form = TrainingForm(
        request.POST or None,
        images=[place.image for place in case.case_images.select_related("image")],
        criteria=training_criteria(study),
        known=known,
        texts=[one.text for one in case.texts.all()],
    )

    def save(form: TrainingForm) -> None:
        reason = form.cleaned_data["reason"]
        services.make_training(study, case, form.answers(), reason=reason)

    return _edit(request, study, form, save=save, prompt=case.prompt)


@require_http_methods(["GET", "POST"])
@coordinators_only
def edit_training(request: HttpRequest, study_id: UUID, training_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    training = get_object_or_404(study.training_cases, pk=training_id)
    form = TrainingForm(
        request.POST or None,
        images=[place.image for place in training.case_images.select_related("image")],
        criteria=training_criteria(study),
        known=services.references_of(training),
        texts=[one.text for one in training.texts.all()],
        initial={"reason": training.reason},
    )

    def save(form: TrainingForm) -> None:
        reason = form.cleaned_data["reason"]
        services.change_training(training, form.answers(), reason=reason)

    return _edit(request, study, form, save=save, prompt=training.prompt)


def _edit(
    request: HttpRequest, study: Study, form: TrainingForm, *, save: Any, prompt: str
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            save(form)
        except RemediableError as error:
            complain(form, None, error)
        else:
            return redirect("studies:calibration", study.pk)
    context = {"section": "studies", "study": study, "form": form, "prompt": prompt}
    return render(request, "studies/training.html", context)


@require_POST
@coordinators_only
def end_training(request: HttpRequest, study_id: UUID, training_id: UUID) -> HttpResponse:
    """A training case goes back among those that are read."""
    study = study_of(study_id)
    training = get_object_or_404(study.training_cases, pk=training_id)
    try:
        services.end_training(training)
    except RemediableError as error:
        tell(request, error)
    return redirect("studies:calibration", study_id)


@require_http_methods(["GET", "POST"])
@coordinators_only
def add_example(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """Images of a batch or a cohort to choose from, and what one of them shows."""
    study = study_of(study_id)
    form = ExampleForm(request.POST or None, study=study)
    if request.method == "POST" and form.is_valid():
        try:
            form.save()
        except RemediableError as error:
            complain(form, None, error)
        else:
            messages.success(request, "The example is in the guideline.")
            return redirect("studies:calibration", study_id)
    source = request.GET.get("source", "")
    images = Paginator(_images_of(source, study=study), IMAGES_A_PAGE)
    context = {
        "section": "studies",
        "study": study,
        "form": form,
        "source": source,
        "batches": [
            (f"batch:{batch.pk}", batch.name)
            for batch in Batch.objects.order_by("-created_at")[:BATCHES_OFFERED]
        ],
        "cohorts": [(f"cohort:{cohort.pk}", cohort.name) for cohort in Cohort.objects.all()],
        "page": images.get_page(request.GET.get("page")),
    }
    return render(request, "studies/example.html", context)


@require_POST
@coordinators_only
def remove_example(request: HttpRequest, study_id: UUID, example_id: int) -> HttpResponse:
    try:
        services.remove_example(study_of(study_id), example_id)
    except RemediableError as error:
        tell(request, error)
    return redirect("studies:calibration", study_id)


def _images_of(source: str, *, study: Study) -> QuerySet[Image]:
    """Returns images of ``batch:KEY`` or ``cohort:KEY`` that are in no case of the study."""
    kind, _, key = source.partition(":")
    in_a_case = CaseImage.objects.filter(case__study=study, image=OuterRef("pk"))
    images = Image.objects.exclude(Exists(in_a_case)).order_by("pk")
    try:
        if kind == "batch":
            return images.filter(candidate__recipe__batches=UUID(key))
        if kind == "cohort":
            return images.filter(cohort_image__cohort=int(key))
    except ValueError:
        pass
    return images.none()
