"""One way from an error with a remedy to whoever caused it, on a page or at a command."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django import forms
from django.contrib import messages
from django.core.management import CommandError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from feedback_app.requests import RequestError
from generation.errors import RemediableError

logger = logging.getLogger(__name__)


class RemedyPage:
    """Answers with a page of its own where a view ends in an error that has a remedy.

    A view says what its visitor can mend; what reaches this is something of the
    installation, such as a stored file that is missing or damaged.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, RemediableError):
            return None
        logger.error("%s: %s", request.path, in_one_line(error))
        return render(request, "503.html", {"error": error}, status=503)


def in_one_line(error: RemediableError) -> str:
    """Returns what is wrong, and what to do about it."""
    return f"{error} {error.remedy}"


def complain(form: forms.BaseForm, field: str | None, error: RemediableError) -> None:
    """Says it at a field of the form, or above the form where ``field`` is None.

    What a request says of a field of its own is said there, where the form has it too.
    """
    if isinstance(error, RequestError) and field is None:
        for problem in error.problems:
            named = str(problem.place[0]) if len(problem.place) == 1 else ""
            form.add_error(
                named if named in form.fields else None, f"{problem.said} {error.remedy}"
            )
    else:
        form.add_error(field, in_one_line(error))


def tell(request: HttpRequest, error: RemediableError) -> None:
    """Says it at the top of the page that comes next."""
    messages.error(request, in_one_line(error))


@contextmanager
def as_command_error() -> Iterator[None]:
    """Ends a command with what is wrong, and what to do about it on a line of its own."""
    try:
        yield
    except RemediableError as error:
        raise CommandError(f"{error}\n{error.remedy}") from error
