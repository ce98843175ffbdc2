"""The answers of *real or synthetic* as programs for many readers and many cases read them.

Two layouts of one content, those of the iMRMC program and its R package (github.com/DIDSR/iMRMC):
a row a score with reader, case and modality, and a row a case with its truth, 1 for synthetic.
A modality is a model version; real cases stand in each, since every version is told from them.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from feedback_app.csv_files import csv_lines
from feedback_app.readings.models import Reading
from feedback_app.results.readings_file.columns import TABLES, annotated
from feedback_app.results.readings_file.rows import StudyRows
from feedback_app.studies.models import CriterionKind, Study

NAME = "imrmc"
FORMS = ("imrmc", "csv")
HEADER = ("readerID", "caseID", "modalityID", "score")
TRUTH_READER = {"imrmc": "-1", "csv": "truth"}
TRUTH_MODALITY = {"imrmc": "0", "csv": "truth"}
ROWS_AT_ONCE = 10_000
VERSION = "image__candidate__recipe__model_version__name"


def has_truth(study: Study) -> bool:
    """Returns whether the study asks which images are synthetic, and it may be told which are."""
    return study.is_unblinded and study.criteria.filter(kind=CriterionKind.CONFIDENCE).exists()


def imrmc_of(rows: StudyRows, *, form: str) -> Iterator[str]:
    """Yields the lines of a study that ``has_truth``: first readings that count."""
    truths = _truths(rows)
    if form == "csv":
        yield from csv_lines(HEADER, _cells(rows, truths, form=form))
        return
    versions = _versions(truths)
    synthetic = sum(version is not None for version in truths.values())
    yield f"{rows.study.name}: first readings, as real (0) or synthetic (1)\n"
    yield f"N0: {len(truths) - synthetic}\nN1: {synthetic}\n"
    yield f"NR: {_counting(rows).values('who').distinct().count()}\nNM: {len(versions)}\n"
    yield "BEGIN DATA:\n"
    for cells in _cells(rows, truths, form=form):
        yield ",".join(map(str, cells)) + "\n"


def _counting(rows: StudyRows) -> QuerySet[Any]:
    """Answers of first readings in their last revision, without those that are retracted."""
    answers = annotated(TABLES["scores"]).filter(
        of_study=rows.study.pk,
        is_last=True,
        criterion__kind=CriterionKind.CONFIDENCE,
        reading__slot__repetition=0,
        reading__in=Reading.objects.standing().filter(slot__study=rows.study),
    )
    return answers.order_by("pk")


def _truths(rows: StudyRows) -> dict[tuple[UUID, UUID], str | None]:
    """By case and image that was read: the model version that made it, None where it is real."""
    read = _counting(rows).order_by("case_number", "image").distinct()
    found = read.values_list("of_case", "image", VERSION, "case_number")
    return {(case, image): version for case, image, version, _ in found}


def _versions(truths: dict[tuple[UUID, UUID], str | None]) -> list[str]:
    return sorted({version for version in truths.values() if version is not None})


def _cells(
    rows: StudyRows, truths: dict[tuple[UUID, UUID], str | None], *, form: str
) -> Iterator[list[Any]]:
    named = {version: _plain(version) for version in _versions(truths)}
    every = list(named.values())
    for (case, image), version in truths.items():
        truth = 0 if version is None else 1
        yield [TRUTH_READER[form], rows.place(case, image), TRUTH_MODALITY[form], truth]
    answers = _counting(rows).values_list("who", "of_case", "image", VERSION, "value")
    for who, case, image, version, value in answers.iterator(chunk_size=ROWS_AT_ONCE):
        for modality in every if version is None else [named[version]]:
            yield [_plain(rows.reader(who)), rows.place(case, image), modality, value]


def _plain(name: str) -> str:
    """Returns a name for a layout that knows no quotes."""
    return " ".join(name.replace(",", " ").split())
