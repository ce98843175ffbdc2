"""Figures computed once for the results that there are."""

import hashlib

from django.core.cache import cache

from feedback_app.experiments.models import Experiment
from feedback_app.experiments.report.figures import Figures, figures_of

KEPT_S = 7 * 24 * 3_600
SCHEME = 3
"""Goes up when the figures change their shape, or their statistics."""


def state_of(experiment: Experiment) -> str:
    """Another one as soon as a cell has come to its result."""
    done = experiment.cells.done().order_by("pk").values_list("pk", "result")
    said = f"{SCHEME} {experiment.cells.count()} {list(done)}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def figures_for(experiment: Experiment, *, state: str) -> Figures:
    key = f"experiment:{experiment.pk}:{state}"
    found: Figures | None = cache.get(key)
    if found is None:
        found = figures_of(experiment)
        cache.set(key, found, KEPT_S)
    return found
