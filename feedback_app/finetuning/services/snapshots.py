"""Preferences drawn from readings, and frozen."""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from itertools import combinations, groupby
from uuid import UUID

from django.db import transaction
from django.db.models import Avg, QuerySet

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import Pair, Snapshot
from feedback_app.images.services.blobs import store
from feedback_app.readings.models import Reading, Score
from feedback_app.studies.models import Study
from generation.errors import RemediableError
from generation.specs import Preference

MEDIA_TYPE = "application/jsonl"


@dataclass(frozen=True, kw_only=True)
class ImageMean:
    """An image's mean score over the criteria, in one reading."""

    reading_id: UUID
    image_id: UUID
    blob: str
    prompt: str
    score: float


@dataclass(frozen=True)
class FoundPair:
    winner: ImageMean
    loser: ImageMean

    @property
    def preference(self) -> Preference:
        """Without any trace of this database: images go by the SHA-256 of their file."""
        return Preference(
            winner=self.winner.blob,
            loser=self.loser.blob,
            prompt=self.winner.prompt,
            winner_score=self.winner.score,
            loser_score=self.loser.score,
        )


def find_pairs(*, simulated: bool, studies: Collection[Study] | None = None) -> list[FoundPair]:
    """Pairs of one reader and one case whose mean scores differ, from the last revisions.

    A case of four gives at most six; ties give none, and neither do cases of one image.
    All studies are searched unless some are given.
    """
    readings = Reading.objects.current().filter(is_simulated=simulated)
    if studies is not None:
        readings = readings.filter(slot__study__in=studies)
    pairs = []
    for _, images in groupby(_image_means(readings), key=lambda image: image.reading_id):
        for one, other in combinations(images, 2):
            if one.score != other.score:
                winner, loser = (one, other) if one.score > other.score else (other, one)
                pairs.append(FoundPair(winner, loser))
    return pairs


def _image_means(readings: QuerySet[Reading]) -> Iterator[ImageMean]:
    rows = (
        Score.objects.filter(reading__in=readings)
        .values_list("reading_id", "image_id", "image__blob_id", "reading__slot__case__prompt")
        .annotate(mean=Avg("value"))
        .order_by("reading_id", "image_id")
    )
    for reading_id, image_id, blob, prompt, mean in rows:
        yield ImageMean(
            reading_id=reading_id,
            image_id=image_id,
            blob=blob,
            prompt=prompt,
            score=round(float(mean), 6),
        )


def count_new_pairs(*, simulated: bool, since: Snapshot | None) -> int:
    """Pairs of readings that the snapshot ``since`` has no pair of."""
    pairs = find_pairs(simulated=simulated)
    known = set(since.pairs.values_list("reading", flat=True)) if since else set()
    return sum(pair.winner.reading_id not in known for pair in pairs)


@transaction.atomic
def take_snapshot(
    *,
    name: str,
    studies: Collection[Study] | None = None,
    simulated: bool,
    created_by: User | None = None,
) -> Snapshot:
    """Freeze the pairs that there are now: the same readings give the same SHA-256.

    Of people or of simulated readers, never both. Images of other model versions than
    the one to be fine-tuned are welcome: a preference is about pictures.
    """
    pairs = find_pairs(simulated=simulated, studies=studies)
    if not pairs:
        whose = "simulated readers" if simulated else "people"
        raise RemediableError(
            f"There is no pair yet in the readings of {whose}.",
            remedy="Read cases with several images, and score some higher than others.",
        )
    snapshot = Snapshot.objects.create(
        name=name,
        blob=store(write_lines(pairs), media_type=MEDIA_TYPE),
        is_simulated=simulated,
        created_by=created_by,
    )
    Pair.objects.bulk_create(
        Pair(
            snapshot=snapshot,
            reading_id=pair.winner.reading_id,
            winner_id=pair.winner.image_id,
            loser_id=pair.loser.image_id,
            winner_score=pair.winner.score,
            loser_score=pair.loser.score,
        )
        for pair in pairs
    )
    return snapshot


def write_lines(pairs: Collection[FoundPair]) -> bytes:
    """Canonical JSON lines of preferences, sorted."""
    lines = sorted(
        json.dumps(asdict(pair.preference), sort_keys=True, separators=(",", ":")) for pair in pairs
    )
    return "".join(f"{line}\n" for line in lines).encode()
