"""Preferences and ratings drawn from readings, and frozen."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.finetuning.models import Pair, RatedImage, Remark, Snapshot
from feedback_app.finetuning.services.pairs import FoundPair, find_pairs
from feedback_app.finetuning.services.ratings import FoundRating, find_ratings
from feedback_app.finetuning.services.reliability import reliabilities_of
from feedback_app.finetuning.services.remarks import remarks_of, write_remarks
from feedback_app.finetuning.services.yields import unknown_so_far
from feedback_app.images.blobs.services import store
from feedback_app.readings.models import Reading
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.studies.models import Study
from generation.errors import RemediableError
from generation.specs import Preference, Rating

MEDIA_TYPE = "application/jsonl"
MARKS = {"marks", "winner_marks", "loser_marks"}
RATINGS_AT_ONCE = 10_000
"""More would keep a request waiting for over two seconds."""


def begin_snapshot(
    *,
    name: str,
    studies: Collection[Study] = (),
    simulated: bool,
    prefers_final: bool = False,
    created_by: User | None = None,
) -> Snapshot | Run:
    """Take a snapshot of all studies or of some, or start the run that does where it is large."""
    ratings = unknown_so_far("ratings", simulated=simulated, known=())
    if ratings.run is None and ratings.total <= RATINGS_AT_ONCE:
        return take_snapshot(
            name=name,
            studies=studies or None,
            simulated=simulated,
            prefers_final=prefers_final,
            created_by=created_by,
        )
    return runs.start(
        "take_snapshot",
        title=f"Take the snapshot {name}",
        spec={
            "name": name,
            "studies": [str(study.pk) for study in studies],
            "simulated": simulated,
            "prefers_final": prefers_final,
        },
        created_by=created_by,
    )


@transaction.atomic
def take_snapshot(
    *,
    name: str,
    studies: Collection[Study] | None = None,
    simulated: bool,
    prefers_final: bool = False,
    without: Collection[UUID] = (),
    replaces: Snapshot | None = None,
    created_by: User | None = None,
) -> Snapshot:
    """Freeze the pairs and ratings that there are now: the same readings give the same SHA-256.

    What readers wrote, flagged and skipped goes along in a file of its own (``remarks``).
    Of people or of simulated readers, never both. Images of other model versions than
    the one to be fine-tuned are welcome: a preference is about pictures. ``without`` names
    readings that are left out. With ``prefers_final``, adjudicated cases teach by their final
    readings alone. One that ``replaces`` another draws on the readings that there
    were when the first one was taken.
    """
    as_of = replaces.first.created_at if replaces else None
    left_out = set(without)
    pairs = [
        pair
        for pair in find_pairs(
            simulated=simulated, studies=studies, as_of=as_of, prefers_final=prefers_final
        )
        if pair.winner.reading_id not in left_out
    ]
    ratings = [
        rating
        for rating in find_ratings(
            simulated=simulated, studies=studies, as_of=as_of, prefers_final=prefers_final
        )
        if rating.seen.reading_id not in left_out
    ]
    if not pairs and not ratings:
        whose = "simulated readers" if simulated else "people"
        raise RemediableError(
            f"There is nothing to learn from yet in the readings of {whose}.",
            remedy="Read some cases: score images, or choose between them.",
        )
    remarks = remarks_of(
        simulated=simulated,
        studies=studies,
        as_of=as_of,
        prefers_final=prefers_final,
        without=left_out,
    )
    said = store(write_remarks(remarks.values()), media_type=MEDIA_TYPE) if remarks else None
    snapshot = Snapshot.objects.create(
        name=name,
        remarks=said,
        blob=store(
            write_lines(pairs, ratings, reliability=reliabilities_of(ratings)),
            media_type=MEDIA_TYPE,
        ),
        is_simulated=simulated,
        replaces=replaces,
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
    RatedImage.objects.bulk_create(
        RatedImage(
            snapshot=snapshot,
            reading_id=rating.seen.reading_id,
            image_id=rating.seen.image_id,
            scores=rating.seen.axes,
            is_accepted=rating.is_accepted,
        )
        for rating in ratings
    )
    Remark.objects.bulk_create(Remark(snapshot=snapshot, reading_id=key) for key in remarks)
    record(
        "snapshot.taken",
        actor=created_by,
        target=snapshot.name,
        target_id=snapshot.pk,
        details={"pairs": len(pairs), "rated_images": len(ratings), "remarks": len(remarks)},
    )
    return snapshot


def retake_snapshot(snapshot: Snapshot, *, created_by: User | None = None) -> Snapshot:
    """Returns the first of its line without what is retracted now, and with nothing more."""
    first = snapshot.first
    held = set(first.pairs.values_list("reading", flat=True))
    held |= set(first.rated_images.values_list("reading", flat=True))
    held |= set(first.remark_rows.values_list("reading", flat=True))
    drawn_on = Study.objects.filter(slots__readings__in=held)
    panels = drawn_on.filter(adjudicates__isnull=False)
    studies = list(
        Study.objects.own()
        .filter(Q(pk__in=drawn_on) | Q(adjudications__panel__in=panels))
        .distinct()
    )
    of_them = Q(slot__study__in=studies) | Q(slot__study__adjudicates__study__in=studies)
    others = Reading.objects.filter(of_them).exclude(pk__in=held)
    return take_snapshot(
        name=f"{snapshot.name[:80]}, rebuilt",
        studies=studies,
        simulated=snapshot.is_simulated,
        prefers_final=panels.exists(),
        without=others.values_list("pk", flat=True),
        replaces=snapshot,
        created_by=created_by,
    )


def write_lines(
    pairs: Collection[FoundPair],
    ratings: Collection[FoundRating],
    *,
    reliability: Mapping[UUID, float],
) -> bytes:
    """Write canonical JSON lines, the preferences first, each kind sorted.

    ``reliability`` is by reading; those of nobody's scores count fully.
    """

    def line_of(said: Preference | Rating, reading: UUID) -> str:
        return _line(asdict(replace(said, reliability=reliability.get(reading, 1.0))))

    preferences = sorted(line_of(pair.preference, pair.winner.reading_id) for pair in pairs)
    rated = sorted(line_of(rating.rating, rating.seen.reading_id) for rating in ratings)
    return "".join(f"{line}\n" for line in [*preferences, *rated]).encode()


def _line(fields: dict[str, Any]) -> str:
    """Returns what says nothing is left out, of marks too."""
    said = _said(fields)
    for name in MARKS & said.keys():
        said[name] = [_said(mark) for mark in said[name]]
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def _said(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ({}, "", None, ())}
