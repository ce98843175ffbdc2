"""Figures and plots, computed once for a state of the readings."""

import hashlib
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache
from django.db.models import Count, Max, Q

from feedback_app.readings.models import Reading, Retraction
from feedback_app.results.figures import Figures, figures_of
from feedback_app.studies.models import Study

KEPT_S = 24 * 3_600
SCHEME = 3
"""Goes up when the figures change their shape."""
PRECISION = 100
"""While readings come in, figures may lag behind by one part in so many."""
T = TypeVar("T")


def state_of(study: Study) -> str:
    """A short name for the readings as they are; another one as soon as figures may differ."""
    with_panels = Study.objects.filter(Q(pk=study.pk) | Q(adjudicates__study=study)).order_by()
    seen = Reading.objects.filter(slot__study__in=with_panels.values("pk")).aggregate(
        count=Count("pk"), last=Max("created_at")
    )
    lag = max(1, seen["count"] // PRECISION) if study.is_open else 1
    last = seen["last"] if lag == 1 else None
    retractions = Retraction.objects.aggregate(made=Max("made_at"), undone=Max("undone_at"))
    state = (
        f"{SCHEME} {seen['count'] // lag} {lag} {last} {study.state} {study.unblinded_at} "
        f"{retractions}"
    )
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def figures_for(study: Study, *, state: str) -> Figures:
    return kept(study, "figures", state=state, make=lambda: figures_of(study))


def kept(study: Study, name: str, *, state: str, make: Callable[[], T]) -> T:
    key = f"results:{study.pk}:{state}:{name}"
    found: T | None = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_S)
    return found
