"""What readers prefer among reports, as trainers of language models read it: JSON lines.

Each has ``prompt``, ``chosen`` and ``rejected``, as trl's DPO takes them, and beside them the
picture's hash and where it is from. A draft that was changed is rejected for what became of
it; of two reports the one with more points over all criteria is chosen.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Case as SqlCase
from django.db.models import F, IntegerField, Q, Sum, When

from feedback_app.readings.models import Reading, ReadingQuerySet
from feedback_app.readings.report_models import ReportPreference, WrittenReport
from feedback_app.results.readings_file.rows import StudyRows
from feedback_app.studies.models import CaseImage, CaseText, CriterionKind, Study
from generation.specs import REPORT_PROMPT

NAME = "report_pairs"
FORM = "jsonl"


def has_pairs(study: Study) -> bool:
    return study.criteria.filter(kind__in=[CriterionKind.REPORT, CriterionKind.PREFERENCE]).exists()


def pairs_of(rows: StudyRows) -> Iterator[str]:
    """Yields a line a reading that prefers one text to another, first readings that count alone.

    Simulated readers are left out where people have read.
    """
    counting = Reading.objects.filter(slot__study=rows.study, slot__repetition=0, skip_reason="")
    counting = counting.current().standing()
    if counting.by_people().exists():
        counting = counting.by_people()
    images = _images(rows.study)
    for pair in (*_edits(counting), *_choices(counting)):
        reader, case = pair.pop("reader"), pair.pop("case")
        line = {
            "prompt": REPORT_PROMPT,
            **pair,
            "image": images[case],
            "reader": rows.reader(reader),
            "study": rows.study.name,
        }
        yield json.dumps(line, ensure_ascii=False) + "\n"


def _images(study: Study) -> dict[UUID, str]:
    return dict(CaseImage.objects.filter(case__study=study).values_list("case", "image__blob"))


def _edits(counting: ReadingQuerySet) -> Iterator[dict[str, Any]]:
    changed = WrittenReport.objects.filter(
        Q(changed_characters__gt=0, erased_sha256="", draft__erased_sha256=""),
        reading__in=counting.order_by(),
    ).select_related("draft", "reading__slot")
    for report in changed.order_by("reading__slot__case__position", "reading").iterator():
        assert report.draft is not None
        yield {
            "chosen": report.text,
            "rejected": report.draft.text,
            "by": "edit",
            "reasons": report.reasons,
            "is_simulated": report.reading.is_simulated,
            "reader": report.reading.reader_id,
            "case": report.reading.slot.case_id,
        }


def _choices(counting: ReadingQuerySet) -> Iterator[dict[str, Any]]:
    for_first = SqlCase(
        When(left__position=0, then=0 - F("points")),
        default=F("points"),
        output_field=IntegerField(),
    )
    sums = (
        ReportPreference.objects.filter(reading__in=counting.order_by(), left__erased_sha256="")
        .values("reading", "reading__reader", "reading__slot__case", "reading__is_simulated")
        .annotate(points_for_first=Sum(for_first))
        .order_by("reading__slot__case__position", "reading")
    )
    texts: dict[UUID, list[str]] = {}
    cases = counting.order_by().values("slot__case")
    for case, text in CaseText.objects.filter(case__in=cases).values_list("case", "text"):
        texts.setdefault(case, []).append(text)
    for row in sums.iterator():
        if not row["points_for_first"]:
            continue
        first, second = texts[row["reading__slot__case"]]
        is_first = row["points_for_first"] > 0
        yield {
            "chosen": first if is_first else second,
            "rejected": second if is_first else first,
            "by": "preference",
            "points": abs(row["points_for_first"]),
            "is_simulated": row["reading__is_simulated"],
            "reader": row["reading__reader"],
            "case": row["reading__slot__case"],
        }
