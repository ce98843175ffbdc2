"""Preferences drawn from readings, and frozen."""

import json
from collections.abc import Collection
from dataclasses import asdict

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import Pair, Snapshot
from feedback_app.finetuning.services.pairs import FoundPair, find_pairs
from feedback_app.images.services.blobs import store
from feedback_app.studies.models import Study
from generation.errors import RemediableError

MEDIA_TYPE = "application/jsonl"


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
