"""Candidates that somebody picked by hand, kept in their login until they are used."""

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpRequest

from feedback_app.images.candidates.models import Candidate
from generation.errors import RemediableError

PICKS = "picked_candidates"
PICKS_MAX = 2_000


def keep_picks(request: HttpRequest, images: Iterable[UUID]) -> None:
    """Keeps these in place of what was picked before."""
    keys = list(dict.fromkeys(str(key) for key in images))
    if len(keys) > PICKS_MAX:
        raise RemediableError(
            f"{len(keys):,} candidates are picked.",
            remedy=f"Pick {PICKS_MAX:,} at most; of a whole batch, choose the batch itself.",
        )
    request.session[PICKS] = keys


def picks_of(request: HttpRequest) -> list[UUID]:
    """Returns those that are there still, in the order in which they were picked."""
    keys = [UUID(key) for key in request.session.get(PICKS, [])]
    there = set(Candidate.objects.filter(pk__in=keys).values_list("pk", flat=True))
    return [key for key in keys if key in there]


def forget_picks(request: HttpRequest) -> None:
    request.session.pop(PICKS, None)
