"""What readers said beside their answers, as it goes with a snapshot: a file of its own.

A line a reading that has a comment, a flag or the reason of a skip. Losses learn from pairs and
ratings, and nothing of this reaches them; it goes along for whoever asks why a pair is as it is.
"""

import json
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from feedback_app.finetuning.models import Snapshot
from feedback_app.finetuning.services.image_means import teaching_readings
from feedback_app.readings.comment_models import CommentFlag
from feedback_app.readings.models import Flag, Reading
from feedback_app.studies.models import CaseImage, Study

READER, COMMENT = "reader", "comment"


def remarks_of(
    *,
    simulated: bool,
    studies: Collection[Study] | None = None,
    as_of: datetime | None = None,
    prefers_final: bool = False,
    without: Collection[UUID] = (),
) -> dict[UUID, str]:
    """Returns by reading its line; of readings that teach, and of cases that were skipped."""
    readings = teaching_readings(
        simulated=simulated,
        studies=studies,
        as_of=as_of,
        prefers_final=prefers_final,
        with_skipped=True,
    )
    confirmed = CommentFlag.objects.confirmed(as_of)
    said = readings.filter(
        ~Q(comment="") | ~Q(skip_reason="") | Exists(Flag.objects.filter(reading=OuterRef("pk")))
    ).exclude(pk__in=without)
    related = said.select_related("slot__case").prefetch_related(
        "flags__kind",
        Prefetch("comment_flags", confirmed.select_related("kind")),
    )
    images = _images_of(said)
    return {reading.pk: _line(reading, images.get(reading.slot.case_id, [])) for reading in related}


def write_remarks(lines: Collection[str]) -> bytes:
    """Write JSON lines, sorted."""
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


def _images_of(readings: QuerySet[Reading]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Returns by case the images in its order, each with the SHA-256 of its file."""
    places = CaseImage.objects.filter(case__in=readings.values("slot__case"))
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    for case, image, blob in places.order_by("case", "position").values_list(
        "case", "image", "image__blob"
    ):
        found.setdefault(case, []).append((image, blob))
    return found


def _line(reading: Reading, case: list[tuple[UUID, str]]) -> str:
    """Images are in the order in which their reader saw them, as A, B, C."""
    blobs = dict(case)

    def told_by(whose: str, flag: Flag | CommentFlag) -> dict[str, str]:
        image = blobs[flag.image_id]
        return {"image": image, "flag": flag.kind.slug, "grade": flag.grade, "from": whose}

    flags = [
        *(told_by(READER, flag) for flag in reading.flags.all()),
        *(told_by(COMMENT, flag) for flag in reading.comment_flags.all()),
    ]
    said = {
        "images": [case[position][1] for position in reading.slot.image_order],
        "prompt": reading.slot.case.prompt,
        "comment": reading.comment,
        "skip_reason": reading.skip_reason,
        "flags": sorted(flags, key=lambda flag: json.dumps(flag, sort_keys=True)),
    }
    return json.dumps(
        {name: value for name, value in said.items() if value},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )


def count_remarks(snapshot: Snapshot) -> dict[str, int]:
    """Counts what goes with a snapshot: comments, skips, flags, and how many are of comments."""
    lines = snapshot.remarks.read().splitlines() if snapshot.remarks else []
    told = [json.loads(line) for line in lines]
    flags = [flag for line in told for flag in line.get("flags", ())]
    return {
        "comments": sum("comment" in line for line in told),
        "skips": sum("skip_reason" in line for line in told),
        "flags": len(flags),
        "of_comments": sum(flag["from"] == COMMENT for flag in flags),
    }
