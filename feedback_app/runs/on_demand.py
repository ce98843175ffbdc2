"""Runs that work out what a page shows, started by whoever opens the page first."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from feedback_app.runs.models import Run
from feedback_app.runs.services import start

IN_VAIN_S = 60
"""What a run that ended within these found should be there."""


def run_for(kind: str, *, title: str, spec: dict[str, Any], of: Sequence[str]) -> Run | None:
    """Returns the run under way whose spec has the same fields ``of``, or a new one.

    None where one of the same whole spec has just ended: then what it found was not kept, as
    with Redis away, and whoever asks has to work it out.
    """
    alike = Run.objects.filter(kind=kind)
    if (
        under_way := alike.filter(**{f"spec__{name}": spec[name] for name in of})
        .unfinished()
        .first()
    ):
        return under_way
    since = timezone.now() - timedelta(seconds=IN_VAIN_S)
    if alike.filter(spec=spec, finished_at__gt=since).exists():
        return None
    return start(kind, title=title, spec=spec)
