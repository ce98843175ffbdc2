"""A VLM writes a report of each image: asked for, done by a run, kept as a set of drafts."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.blobs.places import path_of_blob
from feedback_app.images.versions.folders import location_of, path_of
from feedback_app.images.versions.run_folders import run_folder_with
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.studies.models import DraftOrigin, DraftSet
from feedback_app.studies.services import fill_drafts, keep_drafts
from feedback_app.studies.services.drafts import require_name
from feedback_app.vlms.models import VlmVersion
from feedback_app.vlms.services import folder_of, require_vlm
from generation.errors import RemediableError
from generation.specs import DraftsSpec
from generation.vlm.model.folders import is_trained_here, require_loadable

LINES = "drafts.jsonl"
"""What the child writes into the run's folder, a line a picture, and goes on from."""


def can_write(version: VlmVersion) -> bool:
    """Returns whether a version's decoder is one that can write findings in sentences."""
    return not is_trained_here(require_loadable(folder_of(version.location)))


@transaction.atomic
def start_writing(
    name: str,
    version: VlmVersion,
    hashes: Sequence[str],
    *,
    question: str,
    longest: int,
    drawn: dict[str, Any],
    created_by: User | None = None,
) -> DraftSet:
    """Keeps a place for each report, and queues the run that writes them."""
    require_name(name)
    folder = require_vlm(version)
    if not can_write(version):
        raise RemediableError(
            f"“{version}” cannot write findings in sentences: its decoder has learnt to choose "
            "among answers and to caption, and would write “normal” under everything.",
            remedy="Register a VLM of the hub’s size, or bring in reports of one as a file.",
        )
    spec = DraftsSpec(
        vlm=str(folder),
        pictures={sha256: path_of_blob(sha256) for sha256 in hashes},
        question=question,
        longest=longest,
    )
    run = runs.start(
        "write_drafts",
        title=f"Let {version} write {name}",
        spec={"run_dir": location_of(run_folder_with(spec))},
        total=len(hashes),
        created_by=created_by,
    )
    asked = {"version": version.name, "weights": version.sha256, "question": question,
             "longest": longest, **drawn}  # fmt: skip
    texts = dict.fromkeys(hashes, "")
    facts = {"origin": DraftOrigin.VLM, "asked": asked, "run": run}
    return keep_drafts(name, texts, actor=created_by, **facts).drafts


def keep_written(run: Run) -> dict[str, object]:
    """Brings in what the run's child wrote; twice changes nothing."""
    drafts = DraftSet.objects.get(run=run)
    lines = (path_of(run.spec["run_dir"]) / LINES).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    count = fill_drafts(drafts, {row["image"]: row["text"] for row in rows})
    return {
        "drafts": drafts.name,
        "reports": count,
        "without": len(rows) - count,
        "sha256": drafts.sha256,
    }
