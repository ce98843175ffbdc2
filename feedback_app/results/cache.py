"""Figures and plots, computed once for a state of the readings."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.core.cache import cache
from django.db.models import Count, Max, Q

from feedback_app.charts.plots import Plot
from feedback_app.readings.models import Reading
from feedback_app.readings.retraction_models import Retraction
from feedback_app.results.cases import disagreements
from feedback_app.results.figures import Figures, figures_of
from feedback_app.results.kinds import WORK_OUT
from feedback_app.runs.models import Run
from feedback_app.runs.on_demand import run_for
from feedback_app.studies.models import Study

KEPT_S = 24 * 3_600
SCHEME = 5
"""Goes up when the figures change their shape."""
FIGURES = "figures"
READINGS_AT_ONCE = 2_000
"""A page would be kept waiting by more."""
PRECISION = 100
"""While readings come in, figures may lag behind by one part in so many."""
T = TypeVar("T")


def state_of(study: Study) -> str:
    """Returns a short name for the readings as they are; another one as soon as figures may
    differ.
    """
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
    """Works them out where they are not kept."""
    found = kept(study, FIGURES, state=state, make=lambda: figures_of(study))
    cache.set(_latest(study), state, KEPT_S)
    return found


@dataclass(frozen=True)
class Found:
    """Figures of a state of the readings; None while a run works them out."""

    state: str
    figures: Figures | None = None
    run: Run | None = None


def find_figures(study: Study) -> Found:
    """Returns the figures of the readings as they are now, within the time that a page may take.

    Of many readings a run works them out, and what was found of earlier ones is there until
    then. Where a run's figures were not kept, as with Redis away, they are worked out at once.
    """
    state = state_of(study)
    if figures := cache.get(_key(study, state, FIGURES)):
        return Found(state, figures)
    run = _run_for(study, state) if _is_large(study) else None
    if run is None:
        return Found(state, figures_for(study, state=state))
    earlier = cache.get(_latest(study), "")
    if figures := cache.get(_key(study, earlier, FIGURES)):
        return Found(earlier, figures, run)
    return Found(state, run=run)


def _is_large(study: Study) -> bool:
    return Reading.objects.filter(slot__study=study).count() > READINGS_AT_ONCE


def _run_for(study: Study, state: str) -> Run | None:
    spec = {"study": str(study.pk), "state": state}
    title = f"Work out the results of {study.name}"
    return run_for(WORK_OUT, title=title, spec=spec, of=["study"])


def disagreements_of(study: Study) -> dict[int, int]:
    """Returns how far apart the readers are on each case, by the cases' positions.

    Numbers are kept, and no keys: of 10,000 cases they are read in a tenth of the time.
    """
    state = state_of(study)
    return kept(study, "apart", state=state, make=lambda: _by_position(study))


def _by_position(study: Study) -> dict[int, int]:
    positions = dict(study.cases.values_list("pk", "position"))
    return {positions[case]: apart for case, apart in disagreements(study).items()}


def plot_content(study: Study, plot: Plot, form: str, *, state: str) -> str:
    """Returns the plot as a file of this form."""
    make = plot.svg if form == "svg" else plot.csv
    return kept(study, f"{plot.name}.{form}", state=state, make=make)


def _latest(study: Study) -> str:
    return f"results:{study.pk}:latest"


def _key(study: Study, state: str, name: str) -> str:
    return f"results:{study.pk}:{state}:{name}"


def kept(study: Study, name: str, *, state: str, make: Callable[[], T]) -> T:
    key = _key(study, state, name)
    found: T | None = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_S)
    return found
