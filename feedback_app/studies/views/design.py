"""The design form, and what its choices would give."""

from collections import defaultdict
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.images.candidates.picks import forget_picks, picks_of
from feedback_app.remedies import complain
from feedback_app.requests import RequestError
from feedback_app.studies import services
from feedback_app.studies.access import study_of
from feedback_app.studies.change_forms import AnyBatchesForm
from feedback_app.studies.choices import as_uuid, known_batches
from feedback_app.studies.forms import StudyForm, study_initial
from feedback_app.studies.models import Study
from feedback_app.studies.modes import DEFAULT_MODE, MODES
from feedback_app.studies.scale_forms import FORMS, BaseScaleFormSet, scale_formset
from feedback_app.studies.services import CasesAdded
from feedback_app.studies.starting import Start, start_of, starts
from generation.errors import RemediableError


@require_http_methods(["GET", "POST"])
@coordinators_only
def create(request: HttpRequest) -> HttpResponse:
    return _design(request, study=None)


@require_http_methods(["GET", "POST"])
@coordinators_only
def edit(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    if not study.is_draft:
        messages.error(request, "The study has been opened, so its design is fixed.")
        return redirect("studies:detail", study.pk)
    if study.is_being_written:
        messages.error(request, f"The study is {study.shown_state}, so its design is fixed.")
        return redirect("studies:detail", study.pk)
    return _design(request, study=study)


def _design(request: HttpRequest, *, study: Study | None) -> HttpResponse:
    data = request.POST or None
    start = start_of(request.GET.get("start", "")) if study is None else Start()
    initial = study_initial(study) if study else start.initial | chosen_in(request)
    form = StudyForm(data, study=study, initial=initial)
    asked_now = study.criteria.all() if study else start.asked
    mode = MODES.get(request.POST.get("mode", ""), MODES[DEFAULT_MODE])
    questions = {
        kind: scale_formset(data if kind == mode.kind else None, asked=asked_now, kind=kind)
        for kind in FORMS
    }
    asked = questions[mode.kind] if mode.words_questions else None
    if request.method == "POST" and form.is_valid() and (asked is None or asked.is_valid()):
        try:
            saved = _save(request, form, asked)
        except RemediableError as error:
            complain(form, None, error)
        else:
            if form.cleaned_data["candidates"]:
                forget_picks(request)
            return redirect("studies:detail", saved.pk)
    modes_of = modes_of_fields()
    context = {
        "section": "studies",
        "study": study,
        "form": form,
        "questions": [(kind, modes_of[kind], formset) for kind, formset in questions.items()],
        "modes": MODES.values(),
        "modes_of": modes_of,
        "starts": starts() if study is None else (),
        "start": request.GET.get("start", ""),
    }
    return render(request, "studies/design.html", context)


def chosen_in(request: HttpRequest) -> dict[str, Any]:
    """Returns what was chosen before the form: batches and mode in the address, picked
    candidates.
    """
    picked = picks_of(request) if "picked" in request.GET else []
    mode = request.GET.get("mode", "")
    return {
        **({"mode": mode} if mode in MODES else {}),
        "batches": known_batches(request.GET.getlist("batches")),
        "candidates": " ".join(str(key) for key in picked),
    }


def modes_of_fields() -> dict[str, str]:
    """For each part of the form that not every mode asks for, the slugs of those that do."""
    modes_of: defaultdict[str, list[str]] = defaultdict(list)
    for mode in MODES.values():
        for part in (*mode.fields, mode.kind.value):
            modes_of[part].append(mode.slug)
        if not mode.may_show_real:
            modes_of["reference_cohort"].append(mode.slug)
        if not mode.objection_to_order:
            modes_of["case_order"].append(mode.slug)
    return {part: " ".join(slugs) for part, slugs in modes_of.items()}


def _save(request: HttpRequest, form: StudyForm, scales: BaseScaleFormSet | None) -> Study:
    actor: User = request.user  # type: ignore[assignment]
    study, added = services.ask_for_study(
        form.request(scales.scales() if scales else None),
        fill=partial(services.begin_filling, actor=actor),
        actor=actor,
        draft=form.study,
    )
    if isinstance(added, CasesAdded):  # the study's page tells of a run
        for warning in added.warnings:
            messages.warning(request, warning)
    return study


@require_GET
@coordinators_only
def offer(request: HttpRequest) -> HttpResponse:
    """Shows the fragment of batches to choose among: those with these words, and the chosen."""
    chosen = {
        "batches": known_batches(request.GET.getlist("batches")),
        "against": known_batches(request.GET.getlist("against")).first(),
    }
    form = AnyBatchesForm(initial=chosen)
    form.offer_batches(words=request.GET.get("batch_words", ""))
    return render(request, "studies/offered_batches.html", {"form": form})


@require_POST
@coordinators_only
def preview(request: HttpRequest) -> HttpResponse:
    """Shows the fragment beside the form: what these choices would give."""
    form = StudyForm(request.POST)
    form.is_valid()
    try:
        wanted = services.look_up(form.request(None, name="unnamed"))
    except RequestError as error:
        return render(request, "studies/preview_refused.html", {"problems": error.problems})
    key = as_uuid(request.POST.get("draft", ""))
    draft = Study.objects.filter(pk=key).first() if key else None
    seen = services.preview_design(
        wanted.design, wanted.batches, against=wanted.against, draft=draft
    )
    return render(request, "studies/preview.html", {"preview": seen})
