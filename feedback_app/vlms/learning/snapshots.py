"""Snapshots of what readers said of reports: taken, taken again, found."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.images.blobs.services import store
from feedback_app.studies.models import Study, StudyState
from feedback_app.vlms.learning.lessons import Lesson, find_lessons
from feedback_app.vlms.learning.models import ReportLesson, ReportSnapshot
from generation.errors import RemediableError

MEDIA_TYPE = "application/jsonl"


@transaction.atomic
def take_report_snapshot(
    name: str,
    *,
    studies: Collection[Study] = (),
    simulated: bool = False,
    created_by: User | None = None,
) -> ReportSnapshot:
    """Freeze what there is now: the same answers give the same SHA-256.

    Of people or of simulated readers, never both; of all studies where none is named.
    """
    lessons = find_lessons(simulated=simulated, studies=studies or None)
    return _freeze(name, lessons, simulated=simulated, replaces=None, created_by=created_by)


@transaction.atomic
def retake_report_snapshot(
    snapshot: ReportSnapshot, *, created_by: User | None = None
) -> ReportSnapshot:
    """Returns the first of its line without what is retracted now, and with nothing more."""
    first = snapshot.first
    held = set(first.lessons.values_list("reading", flat=True))
    studies = list(Study.objects.filter(slots__readings__in=held).distinct())
    found = find_lessons(simulated=snapshot.is_simulated, studies=studies, as_of=first.created_at)
    lessons = [lesson for lesson in found if lesson.reading_id in held]
    return _freeze(
        f"{snapshot.name[:80]}, rebuilt",
        lessons,
        simulated=snapshot.is_simulated,
        replaces=snapshot,
        created_by=created_by,
    )


def _freeze(
    name: str,
    lessons: Collection[Lesson],
    *,
    simulated: bool,
    replaces: ReportSnapshot | None,
    created_by: User | None,
) -> ReportSnapshot:
    if not lessons:
        whose = "simulated readers" if simulated else "people"
        raise RemediableError(
            f"No reading of reports by {whose} teaches anything yet.",
            remedy="Let readers compare two reports of an image, or edit drafts.",
        )
    snapshot = ReportSnapshot.objects.create(
        name=name,
        blob=store(write_lines(lessons), media_type=MEDIA_TYPE),
        is_simulated=simulated,
        replaces=replaces,
        created_by=created_by,
    )
    ReportLesson.objects.bulk_create(
        ReportLesson(snapshot=snapshot, reading_id=lesson.reading_id, kind=lesson.kind)
        for lesson in lessons
    )
    record(
        "report_snapshot.taken",
        actor=created_by,
        target=snapshot.name,
        target_id=snapshot.pk,
        details={"lessons": len(lessons)},
    )
    return snapshot


def write_lines(lessons: Collection[Lesson]) -> bytes:
    """Canonical JSON lines, sorted, so that the order of rows says nothing."""
    return as_lines(lesson.line for lesson in lessons)


def as_lines(content: Iterable[Mapping[str, Any]]) -> bytes:
    lines = sorted(json.dumps(one, sort_keys=True, ensure_ascii=False) for one in content)
    return "".join(f"{line}\n" for line in lines).encode()


def find_report_snapshot(name_or_id: str) -> ReportSnapshot:
    """By id, or the newest of this name."""
    try:
        found = ReportSnapshot.objects.filter(pk=name_or_id).first()
    except ValidationError:
        found = ReportSnapshot.objects.filter(name=name_or_id).first()
    if found is None:
        raise RemediableError(
            f"There is no snapshot of reports {name_or_id!r}.",
            remedy="The page VLMs, What readers prefer, lists them.",
        )
    return found


def opened_studies(names: Collection[str]) -> list[Study]:
    """Returns the studies of these names; a RemediableError names what is none."""
    studies = list(Study.objects.exclude(state=StudyState.DRAFT).filter(name__in=names))
    if missing := sorted(set(names) - {study.name for study in studies}):
        raise RemediableError(
            f"There is no study {', '.join(missing)} that was opened.",
            remedy="Name studies as their page does; a draft has no readings.",
        )
    return studies
