"""How many pairs and ratings readings give, counted once a reading and kept.

What a reading gives follows from the reading alone, and a reading never changes: so its counts
are worked out once, and what a page says of 50,000 readings is a sum in the database. Where many
readings come at once, a run counts them, and pages say what is counted so far.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from feedback_app.finetuning.kinds import COUNT
from feedback_app.finetuning.models import ReadingYield, Snapshot
from feedback_app.finetuning.services.image_means import teaching_readings
from feedback_app.finetuning.services.pairs import pairs_among
from feedback_app.finetuning.services.ratings import ratings_among
from feedback_app.readings.models import Reading
from feedback_app.runs.models import Run, State
from feedback_app.runs.on_demand import run_for

AT_ONCE = 2_000
BACKLOG_AT_ONCE = 2_000
"""A page would be kept waiting by more readings that are not counted yet."""
MANY = 200_000
"""A page would be kept waiting by going through more readings, counted as they are."""
FRESH = timedelta(minutes=10)
Known = Collection[UUID] | QuerySet[Any, Any]


@dataclass(frozen=True)
class SoFar:
    """What is counted of readings; ``run`` while it counts the others.

    ``readings`` is how many there are, where a run counted these, too.
    """

    total: int
    run: Run | None = None
    readings: int | None = None


def count_new_pairs(*, simulated: bool, since: Snapshot | None) -> int:
    """Counts pairs of readings that the snapshot ``since`` has no pair of."""
    return count_unknown("pairs", simulated=simulated, known=taken_by(since))


def new_pairs_so_far(*, simulated: bool, since: Snapshot | None) -> SoFar:
    """Returns the same, within the time that a page may take."""
    asked = {"snapshot": str(since.pk)} if since else {}
    return unknown_so_far("pairs", simulated=simulated, known=taken_by(since), asked=asked)


def taken_by(snapshot: Snapshot | None) -> Known:
    return snapshot.pairs.values("reading") if snapshot else ()


def unknown_so_far(
    what: str, *, simulated: bool, known: Known, asked: dict[str, Any] | None = None
) -> SoFar:
    """Counts as ``count_unknown`` does, but leaves a backlog to a run.

    Of very many readings a run counts all, and what the last one found is said meanwhile;
    ``asked`` names for it whose readings are known.
    """
    if _readings_about() > MANY:
        return _last_counted({"what": what, "simulated": simulated, **(asked or {})})
    readings = _unknown(simulated=simulated, known=known)
    found = _sum(readings, what)
    if found["uncounted"] > BACKLOG_AT_ONCE:
        spec = {"simulated": simulated}
        if run := run_for(COUNT, title="Count what readings teach", spec=spec, of=["simulated"]):
            return SoFar(found["total"] or 0, run)
    return SoFar(_complete(found, readings, what))


def _readings_about() -> int:
    """Returns how many readings there are, as the database guesses without counting."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass",
            [Reading._meta.db_table],
        )
        return int(cursor.fetchone()[0])


def _last_counted(spec: dict[str, Any]) -> SoFar:
    """Returns what the last such run found, and the one that counts anew where that was long
    ago.
    """
    ended = Run.objects.filter(kind=COUNT, spec=spec, state=State.SUCCEEDED)
    last = ended.order_by("-finished_at").first()
    found = last.result if last else {}
    total, readings = found.get("total", 0), found.get("readings", 0)
    if last and last.finished_at and last.finished_at > timezone.now() - FRESH:
        return SoFar(total, readings=readings)
    run = run_for(COUNT, title="Count what readings teach", spec=spec, of=list(spec))
    return SoFar(total, run, readings)


def count_unknown(what: str, *, simulated: bool, known: Known) -> int:
    """Counts ``pairs`` or ``ratings`` of all readings but those that are known."""
    readings = _unknown(simulated=simulated, known=known)
    return _complete(_sum(readings, what), readings, what)


def _unknown(*, simulated: bool, known: Known) -> QuerySet[Reading]:
    readings = teaching_readings(simulated=simulated)
    return readings if known == () else readings.exclude(pk__in=known)


def _complete(found: dict[str, int], readings: QuerySet[Reading], what: str) -> int:
    if found["uncounted"]:
        _count(readings.filter(counted=None))
        found = _sum(readings, what)
    return found["total"] or 0


def _sum(readings: QuerySet[Reading], what: str) -> dict[str, int]:
    """Goes through the readings once."""
    uncounted = Count("pk", filter=Q(counted=None))
    return readings.aggregate(total=Sum(f"counted__{what}"), uncounted=uncounted)


def _count(readings: QuerySet[Reading]) -> None:
    waiting = iter(list(readings.values_list("pk", flat=True)))
    while chosen := list(islice(waiting, AT_ONCE)):
        ReadingYield.objects.bulk_create(_yields_of(chosen), ignore_conflicts=True)


def _yields_of(keys: Collection[UUID]) -> Iterator[ReadingYield]:
    readings = Reading.objects.filter(pk__in=keys)
    pairs = Counter(pair.winner.reading_id for pair in pairs_among(readings))
    ratings = Counter(rating.seen.reading_id for rating in ratings_among(readings))
    for key in keys:
        yield ReadingYield(reading_id=key, pairs=pairs[key], ratings=ratings[key])
