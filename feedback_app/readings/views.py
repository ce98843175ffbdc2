"""The reading room."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from feedback_app.accounts.models import User
from feedback_app.readings.access import (
    guideline_for,
    reader_of,
    shown_to,
    slot_for,
    study_for,
)
from feedback_app.readings.admission import case_for
from feedback_app.readings.cases import reference_of
from feedback_app.readings.claims import claim
from feedback_app.readings.errors import DamagedPicture, NotYet
from feedback_app.readings.framing import display_size_of, size_for
from feedback_app.readings.pictures import render_image, render_mask
from feedback_app.readings.preferences import preferences_of
from feedback_app.readings.rendering import differ
from feedback_app.readings.training import next_training_slot
from feedback_app.readings.worklist import assignments_of, fingerprint_of, first_unread
from feedback_app.remedies import tell
from feedback_app.studies.models import Study
from feedback_app.studies.modes import mode_of

HTTP_NO_CONTENT = 204


@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """Shows the page; for htmx its list alone, and only where that is not as it was ``seen``."""
    assignments = assignments_of(reader_of(request))
    seen = fingerprint_of(assignments)
    is_fragment = bool(request.htmx)  # type: ignore[attr-defined]
    if is_fragment and request.GET.get("seen") == seen:
        return HttpResponse(status=HTTP_NO_CONTENT)
    context = {
        "section": "reading",
        "seen": seen,
        "is_fragment": is_fragment,
        "to_do": [assignment for assignment in assignments if assignment.is_to_do],
        "done": [assignment for assignment in assignments if not assignment.is_to_do],
        "all_read": bool(assignments) and not any(own.has_more for own in assignments),
    }
    template = "_assignments" if is_fragment else "worklist"
    return render(request, f"readings/{template}.html", context)


@require_GET
def read(request: HttpRequest, slot_id: UUID) -> HttpResponse:
    reader = reader_of(request)
    try:
        case = case_for(reader, slot_id)
    except NotYet as error:
        tell(request, error)
        return redirect("readings:worklist")
    return show_room(
        request, case, pages=reverse("readings:worklist"), slots="/api/slots/", reader=reader
    )


def show_room(
    request: HttpRequest,
    case: dict[str, Any],
    *,
    pages: str,
    slots: str,
    reader: User,
    is_preview: bool = False,
) -> HttpResponse:
    """Shows the reading page; ``pages`` and ``slots`` are where it finds what belongs to a case."""
    context = {
        "case": case,
        "preferences": preferences_of(reader),
        "pages": pages,
        "slots": slots,
        "is_preview": is_preview,
    }
    return render(request, "readings/read.html", context)


@require_POST
def begin(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """Leads to the reader's first unread case of a study, claimed where the study is a pool."""
    reader = reader_of(request)
    study = study_for(reader, study_id)
    slot = _first_slot(study, reader)
    if slot is None:
        messages.info(request, f"There is nothing left for you to read in “{study.name}”.")
        return redirect("readings:worklist")
    return redirect("readings:read", slot)


def _first_slot(study: Study, reader: User) -> UUID | None:
    if study.training_count and study.is_open:
        training = next_training_slot(study, reader)
        if training is not None:
            return training.pk
    if not (study.is_pool and study.is_open):
        return first_unread(study, reader)
    claimed = claim(study, reader)
    return claimed.pk if claimed else None


@require_GET
def picture(request: HttpRequest, slot_id: UUID, place: int) -> HttpResponse:
    """Shows an image by its place in the reader's own slot; nothing in the answer tells more."""
    slot = shown_to(reader_of(request), slot_id)
    images = slot.images_in_order()
    if place >= len(images):
        raise Http404("There is no such image in this case.")
    size, would_tell = display_size_of(slot.study), partial(differ, slot.study)
    return answer_picture(lambda: render_image(images[place], size, would_tell=would_tell))


@require_GET
def reference(request: HttpRequest, slot_id: UUID) -> HttpResponse:
    """Shows the real image beside the reader's own case, framed like the case's."""
    slot = slot_for(reader_of(request), slot_id)
    found = reference_of(slot.case_id)
    if found is None:
        raise Http404("No image stands beside this case.")
    size, would_tell = display_size_of(slot.study), partial(differ, slot.study)
    return answer_picture(lambda: render_image(found.image, size, would_tell=would_tell))


@require_GET
def mask(request: HttpRequest, slot_id: UUID, kind: str) -> HttpResponse:
    """Shows a mask that the images of a case were made to follow, where it may be known."""
    slot = shown_to(reader_of(request), slot_id)
    found = slot.case.masks.filter(kind=kind).select_related("blob").first()
    if found is None or not mode_of(slot.study.mode).shows_condition:
        raise Http404("There is no such mask in this case.")
    size, would_tell = display_size_of(slot.study), partial(differ, slot.study)
    return answer_picture(lambda: render_mask(found.blob, size, would_tell=would_tell))


@require_GET
def example(request: HttpRequest, study_id: UUID, example_id: int) -> HttpResponse:
    """Shows the picture of a guideline's example, framed like those that are read."""
    study = guideline_for(reader_of(request), study_id)
    shown = study.examples.select_related("image__blob").filter(pk=example_id).first()
    if shown is None:
        raise Http404("There is no such example.")
    size = size_for(study)
    return answer_picture(lambda: render_image(shown.image, size))


def answer_picture(render_png: Callable[[], bytes]) -> HttpResponse:
    try:
        return HttpResponse(render_png(), content_type="image/png")
    except DamagedPicture as error:
        return JsonResponse(
            {
                "error": {
                    "code": "damaged",
                    "message": str(error),
                    "remedy": error.remedy,
                    "fields": {},
                }
            },
            status=503,
        )
