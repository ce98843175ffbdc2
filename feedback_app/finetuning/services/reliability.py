"""What the readings of a snapshot weigh: as much as their readers can be relied on."""

from collections.abc import Collection
from uuid import UUID

import numpy as np

from feedback_app.finetuning.services.ratings import FoundRating
from feedback_app.readings.models import Reading
from feedback_app.statistics.reliability import reliabilities

DECIMALS = 3
"""The same on every machine, so that the same readings give the same bytes."""


def reliabilities_of(ratings: Collection[FoundRating]) -> dict[UUID, float]:
    """Say by reading how far its reader can be relied on, from all scores of these ratings."""
    readings = {rating.seen.reading_id for rating in ratings}
    reader_of = dict(Reading.objects.filter(pk__in=readings).values_list("pk", "reader_id"))
    column = {reader: place for place, reader in enumerate(sorted(set(reader_of.values())))}
    scored = [rating.seen for rating in ratings if rating.seen.axes]
    row = {image: place for place, image in enumerate({seen.image_id: None for seen in scored})}
    sums, counts = np.zeros((2, len(row), len(column)))
    for seen in scored:
        cell = row[seen.image_id], column[reader_of[seen.reading_id]]
        sums[cell] += seen.score
        counts[cell] += 1
    scores = np.where(counts, sums / counts.clip(min=1), np.nan)
    found = reliabilities(scores).round(DECIMALS)
    return {reading: float(found[column[reader]]) for reading, reader in reader_of.items()}
