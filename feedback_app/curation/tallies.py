"""How many candidates rules let in, for pages: counted once for a state of what it rests on."""

import hashlib
from collections import Counter
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count, Max

from feedback_app.curation.kinds import TALLY
from feedback_app.curation.rules import (
    ADMITTED,
    Rules,
    count_considered,
    decisions_under,
    most_first,
)
from feedback_app.images.models import Measure
from feedback_app.readings.adjudication.finals import final_readings
from feedback_app.readings.models import Reading
from feedback_app.readings.retraction_models import Retraction
from feedback_app.runs.models import Run
from feedback_app.runs.on_demand import run_for

KEPT_S = 24 * 3_600
READINGS_AT_ONCE = 5_000
"""A page would be kept waiting by more."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many candidates a policy admits, and how many it refuses for which reason."""

    admitted: int
    refused: dict[str, int]

    @property
    def considered(self) -> int:
        return self.admitted + sum(self.refused.values())

    @property
    def reasons(self) -> list[tuple[str, int]]:
        return most_first(self.refused)


@dataclass(frozen=True)
class Found:
    """A tally; None while a run counts."""

    tally: Tally | None = None
    run: Run | None = None


def find_tally(rules: Rules) -> Found:
    """Returns the tally of the readings as they are now, within the time that a page may take."""
    state, readings = _state_of(rules)
    found: Tally | None = cache.get(_key(state))
    if found is None and readings > READINGS_AT_ONCE:
        spec = {"rules": rules.as_json(), "state": state}
        run = run_for(TALLY, title="Count what rules let in", spec=spec, of=["rules"])
        if run is not None:
            return Found(run=run)
    return Found(found or _count(rules, state))


def tally(rules: Rules) -> Tally:
    """Count what ``evaluate`` would say, and keep it for pages."""
    return _count(rules, _state_of(rules)[0])


def _count(rules: Rules, state: str) -> Tally:
    counts = Counter(decision.reason for decision in decisions_under(rules))
    admitted = counts.pop(ADMITTED, 0)
    found = Tally(admitted=admitted, refused=dict(counts))
    cache.set(_key(state), found, KEPT_S)
    return found


def _key(state: str) -> str:
    return f"tally:{state}"


def _state_of(rules: Rules) -> tuple[str, int]:
    """Returns a name of what a tally rests on, and how many readings that are."""
    readings = Reading.objects.filter(slot__study_id__in=rules.studies)
    seen = readings.aggregate(count=Count("pk"), last=Max("created_at"))
    state = [
        rules.as_json(),
        seen,
        final_readings().aggregate(Count("pk"), Max("created_at")) if rules.prefers_final else {},
        Retraction.objects.aggregate(Max("made_at"), Max("undone_at")),
        Measure.objects.aggregate(Max("pk")),
        count_considered(rules),
    ]
    return hashlib.sha256(repr(state).encode()).hexdigest(), seen["count"]
