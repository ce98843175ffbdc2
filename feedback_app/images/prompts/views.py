"""Prompt sets: the list, one version, and making new ones."""

from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.prompts.forms import LabelsForm, WrittenForm
from feedback_app.images.prompts.models import PromptSet, PromptSetVersion
from feedback_app.images.prompts.services import (
    add_version,
    create_set,
    describe_origin,
    prompts_of_cohort,
    tallies_of,
)
from feedback_app.remedies import complain
from generation.errors import RemediableError

SECTION = {"section": "generate"}
PROMPTS_A_PAGE = 100
UPLOAD_MAX_BYTES = 1_000_000
WRITTEN, LABELS = "written", "labels"


@require_safe
@coordinators_only
def list_prompt_sets(request: HttpRequest) -> HttpResponse:
    context = SECTION | {"prompt_sets": PromptSet.objects.with_latest()}
    return render(request, "images/prompt_sets.html", context)


def version_of(version_id: int) -> PromptSetVersion:
    versions = PromptSetVersion.objects.select_related("prompt_set", "created_by")
    return get_object_or_404(versions, pk=version_id)


@require_safe
@coordinators_only
def show_version(request: HttpRequest, version_id: int) -> HttpResponse:
    version = version_of(version_id)
    prompts = version.prompts.all()
    page = Paginator(prompts, PROMPTS_A_PAGE).get_page(request.GET.get("page"))
    context = SECTION | {
        "version": version,
        "page": page,
        "tallies": tallies_of(version),
        "versions": version.prompt_set.versions.all(),
        "batches": version.batches.select_related("model_version"),
    }
    return render(request, "images/prompt_set.html", context)


@require_safe
@coordinators_only
def show_text(request: HttpRequest, version_id: int) -> HttpResponse:
    """Answers with the prompts, one a line, as they were hashed."""
    version = version_of(version_id)
    text = "".join(f"{prompt}\n" for prompt in version.texts())
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def create(request: HttpRequest) -> HttpResponse:
    return _make(request, base=None)


@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def revise(request: HttpRequest, version_id: int) -> HttpResponse:
    """Shows a new version, which begins as a copy of this one."""
    return _make(request, base=version_of(version_id))


def _make(request: HttpRequest, *, base: PromptSetVersion | None) -> HttpResponse:
    source = request.POST.get("source", "")
    written = {"prompts": "\n".join(base.texts())} if base else {}
    forms: dict[str, Any] = {
        WRITTEN: WrittenForm(
            posted_text(request) if source == WRITTEN else None,
            initial=written,
            has_name=base is None,
        ),
        LABELS: LabelsForm(request.POST if source == LABELS else None, has_name=base is None),
    }
    form = forms.get(source)
    if form is not None and form.is_valid():
        try:
            version = _save(form, source, base=base, user=cast("User", request.user))
        except RemediableError as error:
            complain(form, None, error)
        else:
            if base is not None and version.number <= base.number:
                messages.info(request, "The prompts are those that the set has: no new version.")
            return redirect("images:prompt-set", version.pk)
    context = SECTION | forms | {"base": base, "has_cohorts": Cohort.objects.exists()}
    status = 400 if form is not None and form.errors else 200
    return render(request, "images/prompt_set_new.html", context, status=status)


def posted_text(request: HttpRequest) -> QueryDict:
    """Returns what was posted; a file's text stands in the field, so that it is not lost by an
    error.
    """
    data = request.POST.copy()
    file = request.FILES.get("file")
    if file is not None:
        content = file.read(UPLOAD_MAX_BYTES + 1)
        if len(content) > UPLOAD_MAX_BYTES:
            messages.error(request, f"The file is larger than {UPLOAD_MAX_BYTES:,} bytes.")
        else:
            try:
                data["prompts"] = content.decode("utf-8-sig")
            except UnicodeDecodeError:
                messages.error(request, "The file is no text in UTF-8: save it as such.")
                data["prompts"] = ""
    return data


def _save(form: Any, source: str, *, base: PromptSetVersion | None, user: User) -> PromptSetVersion:
    made: dict[str, Any]
    if source == WRITTEN:
        left_out = f", {len(form.bad_rows)} bad rows left out" if form.bad_rows else ""
        made = {"prompts": form.cleaned_data["prompts"], "origin": f"written or brought{left_out}"}
    else:
        cohort, wish = form.cleaned_data["cohort"], form.wish
        balanced = prompts_of_cohort(cohort, wish)
        made = {
            "prompts": balanced.prompts,
            "origin": describe_origin(cohort, wish, balanced),
            "shortfalls": balanced.shortfalls,
        }
    if base is None:
        return create_set(form.cleaned_data["name"], **made, created_by=user)
    return add_version(base.prompt_set, **made, created_by=user)
