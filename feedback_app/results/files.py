"""The files of a study's readings as they are sent, for pages and programs alike."""

from collections.abc import Iterator

from django.http import Http404, StreamingHttpResponse
from django.utils.text import slugify

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.results.readings_file import imrmc, pairs, writing
from feedback_app.results.readings_file.columns import TABLES
from feedback_app.results.readings_file.rows import StudyRows
from feedback_app.studies.models import Study

FILE_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/jsonl; charset=utf-8",
    "imrmc": "text/plain; charset=utf-8",
}


def readings_file(
    study: Study, name: str, form: str, *, names: bool, actor: User
) -> StreamingHttpResponse:
    """Shows a file as it streams from the database; that it was taken out is noted in the audit
    log.
    """
    rows = StudyRows(study, names=names)
    parts = parts_of(rows, name, form)
    if parts is None:
        raise Http404("There is no such file of readings.")
    record(
        "study.readings_taken_out",
        actor=actor,
        target=study.name,
        target_id=study.pk,
        details={"file": f"{name}.{form}", "names": names},
    )
    response = StreamingHttpResponse(parts, content_type=FILE_TYPES[form])
    title = slugify(f"{study.name} {name}")
    response["Content-Disposition"] = f'attachment; filename="{title}.{form}"'
    return response


def parts_of(rows: StudyRows, name: str, form: str) -> Iterator[str] | None:
    """Returns the file's lines as they are asked for, or None where there is no such file."""
    if form == "csv" and name in TABLES:
        return writing.csv_of(rows, TABLES[name])
    if (name, form) == (writing.DICTIONARY, "csv"):
        return writing.csv_of_dictionary()
    if (name, form) == (writing.COCO, "json"):
        return writing.coco_of(rows)
    if (name, form) == (pairs.NAME, pairs.FORM) and pairs.has_pairs(rows.study):
        return pairs.pairs_of(rows)
    if name == imrmc.NAME and form in imrmc.FORMS and imrmc.has_truth(rows.study):
        return imrmc.imrmc_of(rows, form=form)
    return None
