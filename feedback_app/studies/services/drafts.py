"""Reports that were written elsewhere, brought in as JSON lines of an image's hash and a text."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.images.models import Image
from feedback_app.studies.drafting import OWN_REPORT, TEXT_MAX
from feedback_app.studies.models import DraftSet, ReportDraft
from feedback_app.studies.models.reports import SOURCE_LENGTH
from feedback_app.text import as_kept, problem_of_text
from generation.errors import RemediableError

LINES_MAX = 200_000
LINE_BYTES_MAX = 8 * TEXT_MAX
ROWS_AT_ONCE = 5_000
HASH = re.compile("[0-9a-f]{64}")
FIELDS = {"image", "text"}
SHAPE = 'Write {"image": SHA-256 of the picture, "text": its report} on each line.'


@dataclass(frozen=True)
class BroughtIn:
    """``here`` of the reports are of images that are in this installation now."""

    drafts: DraftSet
    reports: int
    here: int


@transaction.atomic
def bring_in_drafts(name: str, lines: Iterable[bytes], *, actor: User | None = None) -> BroughtIn:
    """Keeps all reports of a file under a name, or none of them."""
    _require_name(name)
    texts = dict(_read(lines))
    if not texts:
        raise RemediableError("The file holds no report.", remedy=SHAPE)
    drafts = DraftSet.objects.create(name=name, created_by=actor)
    ReportDraft.objects.bulk_create(
        (ReportDraft(of_set=drafts, sha256=sha256, text=text) for sha256, text in texts.items()),
        batch_size=ROWS_AT_ONCE,
    )
    here = Image.objects.filter(
        blob__in=drafts.drafts.order_by().values("sha256")
    ).values("blob").distinct().count()  # fmt: skip
    audit.record(
        "drafts.brought_in",
        actor=actor,
        target=name,
        target_id=drafts.pk,
        details={"reports": len(texts), "here": here},
    )
    return BroughtIn(drafts, reports=len(texts), here=here)


def _require_name(name: str) -> None:
    if name == OWN_REPORT:
        raise RemediableError(
            f"“{OWN_REPORT}” stands for the cohort’s own reports.", remedy="Choose another name."
        )
    found = problem_of_text(name, most=SOURCE_LENGTH)
    if found or not name.strip():
        said, remedy = found or ("is empty.", "Name the model, or whoever wrote the reports.")
        raise RemediableError(f"The name {said}", remedy=remedy)
    if DraftSet.objects.filter(name=name).exists():
        raise RemediableError(
            f"There are reports of “{name}” already.",
            remedy="Choose another name: what studies show stays as it was.",
        )


def _read(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        where = f"Line {number}"
        if number > LINES_MAX:
            raise RemediableError(
                f"The file has more than {LINES_MAX:,} lines.", remedy="Bring it in in parts."
            )
        if not line.strip():
            continue
        sha256, text = _one(line, where)
        if sha256 in seen:
            raise RemediableError(
                f"{where} has a second report of image {sha256}.", remedy="Keep one an image."
            )
        seen.add(sha256)
        yield sha256, text


def _one(line: bytes, where: str) -> tuple[str, str]:
    if len(line) > LINE_BYTES_MAX:
        raise RemediableError(
            f"{where} has {len(line):,} bytes.",
            remedy=f"A report has at most {TEXT_MAX:,} characters.",
        )
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RemediableError(f"{where} is no JSON.", remedy=SHAPE) from error
    if not isinstance(found, dict) or set(found) != FIELDS:
        raise RemediableError(f"{where} has not these two fields, and no others.", remedy=SHAPE)
    sha256, text = found["image"], found["text"]
    if not isinstance(sha256, str) or not HASH.fullmatch(sha256):
        raise RemediableError(f"{where} names no SHA-256 of a picture.", remedy=SHAPE)
    if not isinstance(text, str) or not text.strip():
        raise RemediableError(f"{where} has no text.", remedy=SHAPE)
    text = as_kept(text)
    if problem := problem_of_text(text, most=TEXT_MAX):
        said, remedy = problem
        raise RemediableError(f"The text of line {where[5:]} {said}", remedy=remedy)
    return sha256, text
