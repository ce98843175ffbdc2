"""Deciding on the flags that comments name, where the comment stands."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from feedback_app.accounts.access import coordinators_only
from feedback_app.accounts.models import User
from feedback_app.readings.comment_models import CommentFlag
from feedback_app.readings.models import Reading
from feedback_app.remedies import in_one_line
from feedback_app.requests import read
from feedback_app.results.access import study_with_results
from feedback_app.results.comment_requests import CommentFlagRequest
from feedback_app.results.comments import decide, take_back
from feedback_app.results.reviewed import said_in
from generation.errors import RemediableError


@require_POST
@coordinators_only
def decide_on(request: HttpRequest, reading_id: UUID) -> HttpResponse:
    """Stores whether a flag is meant by a comment, and shows the comment as it is then."""
    reading = _reading_with_results(reading_id)
    posted = request.POST
    error = None
    try:
        asked = read(
            CommentFlagRequest,
            {
                "reading": reading.pk,
                "flag": posted.get("flag", ""),
                "image": posted.get("image", ""),
                "is_confirmed": posted.get("is_confirmed") == "yes",
                "grade": posted.get("grade", ""),
                "box": posted.get("box", "").replace(",", " ").split() or None,
            },
        )
        decide(asked, actor=cast("User", request.user))
    except RemediableError as caught:
        error = in_one_line(caught)
    return _comment(request, reading, error=error)


@require_POST
@coordinators_only
def take_flag_back(request: HttpRequest, flag_id: UUID) -> HttpResponse:
    row = get_object_or_404(CommentFlag.objects.select_related("kind"), pk=flag_id)
    reading = _reading_with_results(row.reading_id)
    take_back(row, actor=cast("User", request.user))
    return _comment(request, reading, error=None)


def _reading_with_results(key: UUID) -> Reading:
    """Returns the reading, of a study whose results there are pages of."""
    readings = Reading.objects.select_related("slot__case__study", "slot__case__copied_from")
    reading = get_object_or_404(readings, pk=key)
    study_with_results(reading.slot.study_id)
    return reading


def _comment(request: HttpRequest, reading: Reading, *, error: str | None) -> HttpResponse:
    """Answers with the comment alone, or the list of cases where the browser runs no script."""
    said = said_in(reading)
    if request.htmx and said is not None:  # type: ignore[attr-defined]
        return render(request, "results/_comment.html", {"said": said, "error": error})
    if error:
        messages.error(request, error)
    case = reading.slot.case
    case = case.copied_from.original if hasattr(case, "copied_from") else case
    address = reverse("readings:results-cases", args=[case.study_id])
    return redirect(f"{address}?number={case.position + 1}")
