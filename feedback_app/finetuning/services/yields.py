"""How many pairs and ratings readings give, counted once a reading and kept.

What a reading gives follows from the reading alone, and a reading never changes: so its counts
are worked out once, and what a page says of 50,000 readings is a sum in the database.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from feedback_app.finetuning.models import ReadingYield, Snapshot
from feedback_app.finetuning.services.image_means import teaching_readings
from feedback_app.finetuning.services.pairs import pairs_among
from feedback_app.finetuning.services.ratings import ratings_among
from feedback_app.readings.models import Reading

AT_ONCE = 2_000
Known = Collection[UUID] | QuerySet[Any, Any]


def count_new_pairs(*, simulated: bool, since: Snapshot | None) -> int:
    """Counts pairs of readings that the snapshot ``since`` has no pair of."""
    known = since.pairs.values("reading") if since else ()
    return count_unknown("pairs", simulated=simulated, known=known)


def count_unknown(what: str, *, simulated: bool, known: Known) -> int:
    """Counts ``pairs`` or ``ratings`` of all readings but those that are known."""
    readings = teaching_readings(simulated=simulated)
    if known != ():
        readings = readings.exclude(pk__in=known)
    found = _sum(readings, what)
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
