"""What can be done to the rows of a list that somebody ticked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase

from feedback_app.remedies import tell
from generation.errors import RemediableError

Act = Callable[[HttpRequest, "QuerySet[Any]"], HttpResponseBase | None]
"""This does it to the picked rows; where it returns no answer, the list is shown again."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """A button above a list; ``confirm`` is asked before it is done."""

    slug: str
    label: str
    act: Act
    confirm: str = ""


def each(change: Callable[[HttpRequest, Any], object], *, done: str) -> Act:
    """Does it row by row and says what was refused; ``done`` has a place for how many."""

    def act(request: HttpRequest, rows: "QuerySet[Any]") -> None:
        count = 0
        for row in rows:
            try:
                change(request, row)
            except RemediableError as error:
                tell(request, error)
            else:
                count += 1
        if count:
            messages.success(request, done.format(count))

    return act
