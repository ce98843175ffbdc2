"""What readings of reports teach: which of two a reader prefers, what became of a draft.

Of two reports the one with more points over all criteria is preferred; of a draft that was
changed what became of it is. A fifth of all patients is held out: what readers said of their
images is never taught, and judges what was.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from feedback_app.finetuning.services.image_means import teaching_readings
from feedback_app.readings.models import Reading
from feedback_app.readings.report_models import ReportPreference, WrittenReport
from feedback_app.studies.models import CaseImage, CaseRole, CaseText, Study
from feedback_app.vlms.learning.models import LessonKind

HELD_OUT_ONE_IN = 5
PATIENT_DIGITS = 16
"""A snapshot has so many of a hash, and names nobody."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A reading's lesson as a snapshot has it.

    ``text`` is what was preferred, ``over`` what it was preferred to; empty where a draft was
    accepted.
    """

    reading_id: UUID
    kind: LessonKind
    image: str
    patient: str
    text: str
    over: str = ""
    points: int | None = None
    reasons: tuple[str, ...] = ()

    @property
    def line(self) -> dict[str, Any]:
        """Without the reading's key: the same answers give the same line anywhere."""
        return {
            "kind": self.kind.value,
            "image": self.image,
            "patient": self.patient,
            "is_held_out": int(self.patient, 16) % HELD_OUT_ONE_IN == 0,
            "text": self.text,
            "over": self.over,
            "points": self.points,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """The image of a case, and the hash of its patient."""

    blob: str
    patient: str


def find_lessons(
    *,
    simulated: bool,
    studies: Collection[Study] | None = None,
    as_of: datetime | None = None,
) -> list[Lesson]:
    """Returns all that may teach now, or might then; of gold cases and gates' studies nothing."""
    readings = teaching_readings(simulated=simulated, studies=studies, as_of=as_of)
    readings = readings.exclude(slot__case__role=CaseRole.GOLD)
    asked = readings.filter(Q(report__isnull=False) | Q(preferences__isnull=False)).distinct()
    pictures = _pictures(asked)
    return [*_of_drafts(asked, pictures), *_of_choices(asked, pictures)]


def patient_key(cohort: str, patient: str) -> str:
    """Returns the hash that stands for a patient of a cohort."""
    return hashlib.sha256(f"{cohort}/{patient}".encode()).hexdigest()[:PATIENT_DIGITS]


def _pictures(readings: QuerySet[Reading]) -> dict[UUID, _Picture]:
    """By case; candidates of one prompt are one patient."""
    rows = CaseImage.objects.filter(case__in=readings.order_by().values("slot__case"))
    rows = rows.select_related(
        "image__cohort_image__cohort", "image__cohort_image__patient",
        "image__candidate__recipe",
    )  # fmt: skip
    return {row.case_id: _picture(row) for row in rows}


def _picture(row: CaseImage) -> _Picture:
    real = getattr(row.image, "cohort_image", None)
    if real is not None:
        return _Picture(
            blob=row.image.blob_id,
            patient=patient_key(real.cohort.name, real.patient.source_id),
        )
    made = getattr(row.image, "candidate", None)
    key = made.recipe.prompt if made is not None else row.image.blob_id
    return _Picture(blob=row.image.blob_id, patient=patient_key("", key))


def _of_drafts(readings: QuerySet[Reading], pictures: dict[UUID, _Picture]) -> Iterator[Lesson]:
    there = Q(erased_sha256="", draft__erased_sha256="")
    reports = WrittenReport.objects.filter(there, reading__in=readings, draft__isnull=False)
    for report in reports.select_related("draft", "reading__slot"):
        assert report.draft is not None
        picture = pictures[report.reading.slot.case_id]
        is_changed = not report.is_accepted
        yield Lesson(
            reading_id=report.reading_id,
            kind=LessonKind.EDIT if is_changed else LessonKind.ACCEPTED,
            image=picture.blob,
            patient=picture.patient,
            text=report.text,
            over=report.draft.text if is_changed else "",
            reasons=tuple(report.reasons),
        )


def _of_choices(readings: QuerySet[Reading], pictures: dict[UUID, _Picture]) -> Iterator[Lesson]:
    """Where points cancel out nothing is preferred; two reports alike teach nothing either."""
    points: dict[UUID, int] = defaultdict(int)
    cases: dict[UUID, UUID] = {}
    rows = ReportPreference.objects.filter(reading__in=readings, left__erased_sha256="")
    for row in rows.select_related("left", "reading__slot"):
        points[row.reading_id] += row.for_first
        cases[row.reading_id] = row.reading.slot.case_id
    texts: dict[UUID, list[str]] = defaultdict(list)
    shown = CaseText.objects.filter(case__in=set(cases.values())).order_by("position")
    for case, text in shown.values_list("case", "text"):
        texts[case].append(text)
    for reading, sum_of_points in points.items():
        first, second = texts[cases[reading]]
        if not sum_of_points or first == second:
            continue
        picture = pictures[cases[reading]]
        yield Lesson(
            reading_id=reading,
            kind=LessonKind.CHOICE,
            image=picture.blob,
            patient=picture.patient,
            text=first if sum_of_points > 0 else second,
            over=second if sum_of_points > 0 else first,
            points=abs(sum_of_points),
        )
