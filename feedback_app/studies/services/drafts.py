"""Sets of reports: brought in as JSON lines, or kept for a VLM that is still to write them."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.images.models import Image
from feedback_app.studies.drafting import OWN_REPORT, TEXT_MAX
from feedback_app.studies.models import (
    Case,
    CaseImage,
    CaseText,
    DraftSet,
    ReportDraft,
    Study,
    StudyState,
)
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
    require_name(name)
    texts = dict(_read(lines))
    if not texts:
        raise RemediableError("The file holds no report.", remedy=SHAPE)
    return keep_drafts(name, texts, actor=actor)


@transaction.atomic
def keep_drafts(
    name: str, texts: Mapping[str, str], *, actor: User | None = None, **facts: Any
) -> BroughtIn:
    """Keeps texts by their images' hashes; ``facts`` are fields of the set, where it has any.

    Texts that a VLM is still to write are empty.
    """
    require_name(name)
    is_whole = all(texts.values())
    drafts = DraftSet.objects.create(
        name=name, created_by=actor, sha256=hash_of(texts) if is_whole else "", **facts
    )
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
        details={"origin": drafts.origin, "reports": len(texts), "here": here},
    )
    return BroughtIn(drafts, reports=len(texts), here=here)


@transaction.atomic
def fill_drafts(drafts: DraftSet, texts: Mapping[str, str]) -> int:
    """Gives a set the texts that its VLM wrote, and returns how many; twice changes nothing.

    What it wrote nothing for, or nothing that can be kept, has no draft.
    """
    kept = {sha256: text for sha256, found in texts.items() if (text := _as_draft(found))}
    rows = list(drafts.drafts.filter(sha256__in=kept, text=""))
    for row in rows:
        row.text = kept[row.sha256]
    ReportDraft.objects.bulk_update(rows, ["text"], batch_size=ROWS_AT_ONCE)
    drafts.drafts.filter(text="").delete()
    there = dict(drafts.drafts.values_list("sha256", "text"))
    drafts.sha256 = hash_of(there)
    drafts.save(update_fields=["sha256"])
    waiting = CaseText.objects.filter(source=drafts.name, text="")
    studies = Study.objects.filter(state=StudyState.DRAFT, pk__in=waiting.values("case__study"))
    for study in studies.order_by("pk").select_for_update(no_key=True):
        settle_texts(study, drafts)
    return len(there)


def settle_waiting(study: Study) -> None:
    """Gives the cases of a draft the texts that were written since; the caller holds the study.

    Raises RemediableError where a VLM has not finished.
    """
    for drafts in waited_for(study):
        if not drafts.is_written:
            raise RemediableError(
                f"The reports of “{drafts}” are not written yet.",
                remedy="Wait for its run, or retry it where it has failed.",
            )
        settle_texts(study, drafts)


def waited_for(study: Study) -> QuerySet[DraftSet]:
    """Returns the sets of which a case of the study has still to get a text."""
    names = CaseText.objects.filter(case__study=study, text="").values("source")
    return DraftSet.objects.filter(name__in=names).select_related("run")


def settle_texts(study: Study, drafts: DraftSet) -> None:
    """Fills in one set’s texts; a case whose image has none after all is left out."""
    waiting = CaseText.objects.filter(case__study=study, source=drafts.name, text="")
    images = CaseImage.objects.filter(case=OuterRef("case"), position=0)
    texts = dict(drafts.drafts.exclude(text="").values_list("sha256", "text"))
    filled, without = [], []
    for row in waiting.annotate(sha256=Subquery(images.values("image__blob")[:1])):
        row.text = texts.get(row.sha256, "")
        if row.text:
            filled.append(row)
        else:
            without.append(row.case_id)
    CaseText.objects.bulk_update(filled, ["text"], batch_size=ROWS_AT_ONCE)
    Case.objects.filter(pk__in=without).delete()


def hash_of(texts: Mapping[str, str]) -> str:
    """Returns the SHA-256 of all reports as canonical JSON lines, in the order of images'
    hashes.
    """
    lines = (
        json.dumps({"image": sha256, "text": texts[sha256]}, ensure_ascii=False)
        for sha256 in sorted(texts)
    )
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _as_draft(text: str) -> str:
    """Returns what a VLM wrote, as it is kept; empty where that cannot be."""
    kept = as_kept(text).strip()
    return "" if problem_of_text(kept, most=TEXT_MAX) else kept


def require_name(name: str) -> None:
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
