"""What a coordinator does with a study: open, pause, close, add to it, unblind, delete."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from feedback_app.accounts.access import coordinators_only
from feedback_app.remedies import tell
from feedback_app.studies import services
from feedback_app.studies.access import study_of
from feedback_app.studies.change_forms import BatchesForm, DueForm, ReadersForm, RewardModelForm
from feedback_app.studies.models import ActiveOrder
from feedback_app.studies.services import CasesAdded
from generation.errors import RemediableError


@require_POST
@coordinators_only
def open_study(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    try:
        study = services.begin_opening(study, actor=request.user)  # type: ignore[arg-type]
    except RemediableError as error:
        tell(request, error)
    else:
        if not study.is_being_written:  # the page itself tells of a run
            said = f"“{study.name}” is open. It is on its readers' work lists now."
            messages.success(request, said)
    return redirect("studies:detail", study_id)


def changing(change: Callable[..., object], *, said: str) -> Callable[..., HttpResponseBase]:
    """Returns the view of a change that asks for nothing more; ``said`` has a place for
    the name.
    """

    @require_POST
    @coordinators_only
    def view(request: HttpRequest, study_id: UUID) -> HttpResponse:
        study = study_of(study_id)
        try:
            change(study, actor=request.user)
        except RemediableError as error:
            tell(request, error)
        else:
            messages.success(request, said.format(study.name))
        return redirect("studies:detail", study_id)

    return view


pause_study = changing(
    services.pause_study, said="“{}” is paused. Its readers wait until you resume it."
)
resume_study = changing(services.resume_study, said="“{}” goes on.")
close_study = changing(services.close_study, said="“{}” is closed. All readings stay.")
reopen_study = changing(
    services.reopen_study, said="“{}” is open again. Its readers can go on and revise."
)


@require_POST
@coordinators_only
def unblind_study(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    try:
        services.unblind_study(
            study,
            actor=request.user,  # type: ignore[arg-type]
            is_confirmed=request.POST.get("is_confirmed") == "on",
        )
    except RemediableError as error:
        tell(request, error)
    else:
        messages.success(request, f"“{study.name}” is unblinded, which has been logged.")
    return redirect("studies:detail", study_id)


@require_POST
@coordinators_only
def set_due_date(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    form = DueForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a day, or none.")
        return redirect("studies:detail", study_id)
    try:
        services.set_due_date(study, form.cleaned_data["due_on"], actor=request.user)  # type: ignore[arg-type]
    except RemediableError as error:
        tell(request, error)
    else:
        messages.success(request, "Saved. Readers see the day on their work lists.")
    return redirect("studies:detail", study_id)


@require_POST
@coordinators_only
def add_readers(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    form = ReadersForm(request.POST, study=study)
    if not form.is_valid():
        messages.error(request, "Choose who shall read too.")
        return redirect("studies:detail", study_id)
    try:
        joined = services.add_readers(
            study,
            form.cleaned_data["readers"],
            actor=request.user,  # type: ignore[arg-type]
        )
    except RemediableError as error:
        tell(request, error)
    else:
        names = ", ".join(reader.display_name for reader in joined)
        messages.success(request, f"{names} can read now.")
    return redirect("studies:detail", study_id)


@require_POST
@coordinators_only
def remove_reader(request: HttpRequest, study_id: UUID, reader_id: int) -> HttpResponse:
    study = study_of(study_id)
    reader = get_object_or_404(study.readers, pk=reader_id)
    try:
        left = services.remove_reader(study, reader, actor=request.user)  # type: ignore[arg-type]
    except RemediableError as error:
        tell(request, error)
    else:
        said = f"{reader.display_name} reads here no more. All they read stays."
        if left.handed_on:
            said += f" {left.handed_on} of their open cases go to others."
        if left.dropped:
            said += f" {left.dropped} that nobody else can read in their place are dropped."
        messages.success(request, said)
    return redirect("studies:detail", study_id)


@require_POST
@coordinators_only
def add_batches(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    form = BatchesForm(request.POST, study=study)
    if not form.is_valid():
        messages.error(request, "Choose a batch.")
        return redirect("studies:detail", study_id)
    try:
        added = services.begin_adding(
            study,
            form.cleaned_data["batches"],
            against=form.cleaned_data.get("against"),
            actor=request.user,  # type: ignore[arg-type]
        )
    except RemediableError as error:
        tell(request, error)
        return redirect("studies:detail", study_id)
    if isinstance(added, CasesAdded):  # the page itself tells of a run
        messages.success(request, f"{added.cases} cases were added, behind all that is there.")
        for warning in added.warnings:
            messages.warning(request, warning)
    return redirect("studies:detail", study_id)


@require_POST
@coordinators_only
def use_reward_model(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    if not ActiveOrder.objects.filter(study=study).exists():
        raise Http404("The study has no active order.")
    form = RewardModelForm(request.POST, study=study)
    if not form.is_valid():
        messages.error(request, "Choose a reward model.")
        return redirect("studies:detail", study_id)
    reward_model = form.cleaned_data["reward_model"]
    try:
        services.start_valuing(study, reward_model, actor=request.user)  # type: ignore[arg-type]
    except RemediableError as error:
        tell(request, error)
    else:
        said = f"{reward_model} values what is still free. What was given stays as it is."
        messages.success(request, said)
    return redirect("studies:detail", study_id)


@require_POST
@coordinators_only
def delete_draft(request: HttpRequest, study_id: UUID) -> HttpResponse:
    study = study_of(study_id)
    try:
        services.delete_draft(study, actor=request.user)  # type: ignore[arg-type]
    except RemediableError as error:
        tell(request, error)
        return redirect("studies:detail", study_id)
    messages.success(request, f"The draft “{study.name}” is gone.")
    return redirect("studies:list")
