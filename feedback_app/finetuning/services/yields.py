"""How many pairs and ratings readings give, counted once a reading and kept.

What a reading gives follows from the reading alone, and a reading never changes: so its counts
are worked out once, and what a page says of 50,000 readings is a sum in the database.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice
from uuid import UUID

from django.db.models import QuerySet, Sum

from feedback_app.finetuning.models import ReadingYield, Snapshot
from feedback_app.finetuning.services.image_means import teaching_readings
from feedback_app.finetuning.services.pairs import pairs_among
from feedback_app.finetuning.services.ratings import ratings_among
from feedback_app.readings.models import Reading

AT_ONCE = 2_000


def count_new_pairs(*, simulated: bool, since: Snapshot | None) -> int:
    """Counts pairs of readings that the snapshot ``since`` has no pair of."""
    readings = counted_readings(simulated=simulated)
    if since is not None:
        readings = readings.exclude(pk__in=since.pairs.values("reading"))
    return _sum(readings, "pairs")


def count_unknown(what: str, *, simulated: bool, known: Collection[UUID]) -> int:
    """Counts ``pairs`` or ``ratings`` of all readings but those that are known."""
    return _sum(counted_readings(simulated=simulated).exclude(pk__in=known), what)


def counted_readings(*, simulated: bool) -> QuerySet[Reading]:
    """Returns the readings that can teach, after what came since was counted."""
    readings = teaching_readings(simulated=simulated)
    waiting = iter(list(readings.filter(counted=None).values_list("pk", flat=True)))
    while chosen := list(islice(waiting, AT_ONCE)):
        ReadingYield.objects.bulk_create(_yields_of(chosen), ignore_conflicts=True)
    return readings


def _yields_of(keys: Collection[UUID]) -> Iterator[ReadingYield]:
    readings = Reading.objects.filter(pk__in=keys)
    pairs = Counter(pair.winner.reading_id for pair in pairs_among(readings))
    ratings = Counter(rating.seen.reading_id for rating in ratings_among(readings))
    for key in keys:
        yield ReadingYield(reading_id=key, pairs=pairs[key], ratings=ratings[key])


def _sum(readings: QuerySet[Reading], what: str) -> int:
    kept = ReadingYield.objects.filter(reading__in=readings)
    return kept.aggregate(total=Sum(what))["total"] or 0
