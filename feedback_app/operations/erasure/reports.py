"""Erasing what is written of a cohort's patients: reports in cases, readers' edits, snapshots.

A report is about its patient whoever wrote it: a hospital, a model or a reader who corrected
either. Where a text stood, its hash and a block for each word are left, so that counts of words
stay what they were; points, reasons, times and edits stay too, and are no words.
"""

import hashlib
import json
from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import Q, QuerySet

from feedback_app.images.blobs.places import erase_files
from feedback_app.images.blobs.services import store
from feedback_app.images.cohorts.models import Cohort, CohortImage
from feedback_app.images.versions.folders import place_of
from feedback_app.operations.erasure.plans import erasing
from feedback_app.readings.report_models import WrittenReport
from feedback_app.readings.training_models import TrainingAnswer
from feedback_app.runs.models import Run
from feedback_app.studies.models import (
    CaseText,
    GoldAnswer,
    ReportDraft,
    TrainingReference,
    TrainingText,
)
from feedback_app.vlms.learning.finetunes import LESSONS
from feedback_app.vlms.learning.gating import ANSWERED
from feedback_app.vlms.learning.models import ERASED, ReportSnapshot
from feedback_app.vlms.learning.snapshots import MEDIA_TYPE, as_lines
from feedback_app.vlms.models import ImageQuestion, VlmFineTune, VlmGate, VlmVerdict

BLOCK = "█"


def goes(cohort: Cohort) -> Iterator[str]:
    """Yields what erasing the cohort takes of texts."""
    for rows, one, several in (
        (_shown(cohort), "report of its images in cases", "reports of its images in cases"),
        (_written(cohort), "report that a reader signed", "reports that readers signed"),
        (_told(cohort), "report of its images in training", "reports of its images in training"),
        (_known(cohort)[0], "gold answer in words", "gold answers in words"),
        (snapshots_of(cohort), "snapshot’s lessons on its images", "snapshots’ lessons on them"),
        (_drafts(cohort), "draft for an image of it", "drafts for its images"),
        (_questions(cohort), "question to a VLM on its images", "questions to VLMs on its images"),
    ):
        if count := rows.count():
            yield f"{count:,} {one if count == 1 else several}"


def pending(cohort: Cohort) -> "QuerySet[Run]":
    """Runs that read these texts and are not over."""
    taken = snapshots_of(cohort)
    return Run.objects.unfinished().filter(
        Q(vlm_fine_tune__snapshot__in=taken) | Q(vlm_gate__snapshot__in=taken)
    )


def erase_texts(cohort: Cohort) -> list[str]:
    """Take them away; returns the files that are to be removed once the rows are changed."""
    images = set(CohortImage.objects.filter(cohort=cohort).values_list("image__blob", flat=True))
    with erasing():
        files = [_empty(row, images) for row in snapshots_of(cohort)]
        for row in VlmVerdict.objects.filter(gate__snapshot__in=snapshots_of(cohort)):
            VlmVerdict.objects.filter(pk=row.pk).update(report=_without(row.report, images))
        for shown in _shown(cohort):
            shown.text, shown.erased_sha256 = blocks(shown.text), _sha256(shown.text)
            shown.save(update_fields=["text", "erased_sha256"])
        for told in _told(cohort):
            TrainingText.objects.filter(pk=told.pk).update(text=blocks(told.text))
        for answer in _trained(cohort):
            TrainingAnswer.objects.filter(pk=answer.pk).update(content=_unworded(answer.content))
        for written in _written(cohort):
            written.text, written.erased_sha256 = blocks(written.text), _sha256(written.text)
            written.save(update_fields=["text", "erased_sha256"])
    for rows in (_drafts(cohort), _questions(cohort), *_known(cohort)):
        rows.delete()
    return [file for file in files if not ReportSnapshot.objects.filter(blob=file).exists()]


def erase_folders(cohort: Cohort) -> None:
    """Take the lessons that trainings and gates were given off their run folders."""
    taken = snapshots_of(cohort)
    for tune in VlmFineTune.objects.filter(snapshot__in=taken).select_related("run"):
        if place := tune.run.spec.get("run_dir"):
            erase_files(place_of(place), {LESSONS})
    for gate in VlmGate.objects.filter(snapshot__in=taken).exclude(folder=""):
        erase_files(gate.path, {LESSONS, *ANSWERED})


def snapshots_of(cohort: Cohort) -> "QuerySet[ReportSnapshot]":
    """Returns those with lessons on its images."""
    rows = ReportSnapshot.objects.filter(
        lessons__reading__slot__case__images__cohort_image__cohort=cohort
    )
    return rows.order_by("pk").distinct()


def blocks(text: str) -> str:
    """As many blocks as there are words."""
    return " ".join(BLOCK for _ in text.split())


def _empty(snapshot: ReportSnapshot, images: Collection[str]) -> str:
    """Freeze it anew, with marks in the place of lessons on these images; its file before."""
    before = snapshot.blob_id
    lines = [_mark(line) if line.get("image") in images else line for line in snapshot.kept]
    blob = store(as_lines(lines), media_type=MEDIA_TYPE)
    ReportSnapshot.objects.filter(pk=snapshot.pk).update(
        blob=blob, erased_sha256=snapshot.erased_sha256 or before
    )
    return before


def _mark(line: dict[str, Any]) -> dict[str, Any]:
    content = json.dumps(line, sort_keys=True, ensure_ascii=False)
    return {"kind": line["kind"], "is_held_out": line["is_held_out"], ERASED: _sha256(content)}


def _without(report: dict[str, Any], images: Collection[str]) -> dict[str, Any]:
    """Returns a verdict without what both models and a reader wrote of these images."""
    shown = [one for one in report["reports"] if one["image"] not in images]
    gone = report.get(ERASED, 0) + len(report["reports"]) - len(shown)
    return report | {"reports": shown, ERASED: gone}


def _shown(cohort: Cohort) -> "QuerySet[CaseText]":
    rows = CaseText.objects.filter(case__images__cohort_image__cohort=cohort, erased_sha256="")
    return rows.order_by().distinct()


def _written(cohort: Cohort) -> "QuerySet[WrittenReport]":
    rows = WrittenReport.objects.filter(
        reading__slot__case__images__cohort_image__cohort=cohort, erased_sha256=""
    )
    return rows.distinct()


def _told(cohort: Cohort) -> "QuerySet[TrainingText]":
    rows = TrainingText.objects.filter(case__images__cohort_image__cohort=cohort)
    return rows.order_by().distinct()


def _trained(cohort: Cohort) -> "QuerySet[TrainingAnswer]":
    """Answers in training that have a report."""
    rows = TrainingAnswer.objects.filter(
        slot__case__images__cohort_image__cohort=cohort, content__report__text__isnull=False
    )
    return rows.order_by().distinct()


def _unworded(content: dict[str, Any]) -> dict[str, Any]:
    return content | {"report": content["report"] | {"text": blocks(content["report"]["text"])}}


def _known(cohort: Cohort) -> "tuple[QuerySet[GoldAnswer], QuerySet[TrainingReference]]":
    """Known answers in words: of one that is gone nothing can be said any more."""
    gold = GoldAnswer.objects.filter(image__cohort_image__cohort=cohort)
    references = TrainingReference.objects.filter(image__cohort_image__cohort=cohort)
    return gold.exclude(text=""), references.exclude(text="")


def _drafts(cohort: Cohort) -> "QuerySet[ReportDraft]":
    images = CohortImage.objects.filter(cohort=cohort)
    return ReportDraft.objects.filter(sha256__in=images.values("image__blob"))


def _questions(cohort: Cohort) -> "QuerySet[ImageQuestion]":
    return ImageQuestion.objects.filter(image__cohort_image__cohort=cohort)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
