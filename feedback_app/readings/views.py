"""The reading room."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from feedback_app.readings.access import reader_of, slot_for
from feedback_app.readings.cases import describe_case
from feedback_app.readings.pictures import render_png
from feedback_app.readings.worklist import assignments_of


@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    assignments = assignments_of(reader_of(request))
    context = {
        "section": "reading",
        "to_do": [assignment for assignment in assignments if assignment.is_to_do],
        "done": [assignment for assignment in assignments if not assignment.is_to_do],
        "all_read": bool(assignments) and not any(assignment.next for assignment in assignments),
    }
    return render(request, "readings/worklist.html", context)


@require_GET
def read(request: HttpRequest, slot_id: UUID) -> HttpResponse:
    slot = slot_for(reader_of(request), slot_id)
    response = render(request, "readings/read.html", {"case": describe_case(slot)})
    response["Cache-Control"] = "private, no-store"
    return response


@require_GET
def picture(request: HttpRequest, slot_id: UUID, place: int) -> HttpResponse:
    """An image by its place in the reader's own slot; nothing in the answer tells more."""
    images = slot_for(reader_of(request), slot_id).images_in_order()
    if place >= len(images):
        raise Http404("There is no such image in this case.")
    response = HttpResponse(render_png(images[place]), content_type="image/png")
    response["Cache-Control"] = "private, max-age=3600"
    return response
