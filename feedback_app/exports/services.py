"""Starting exports and bringing their archives in."""

import shutil
from collections import Counter
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedSet
from feedback_app.curation.services import recompute_hash
from feedback_app.exports import preferences
from feedback_app.exports.building import build
from feedback_app.exports.formats import FORMATS, NAMES
from feedback_app.exports.models import Export
from feedback_app.exports.requests import ExportRequest, PreferencesRequest
from feedback_app.finetuning.dependents import snapshots_resting_on
from feedback_app.finetuning.models import Snapshot
from feedback_app.images.blobs.services import naming_a_full_disk, store_file
from feedback_app.images.models import RecipeMask
from feedback_app.readings.retraction_models import Retraction
from feedback_app.requests import at
from feedback_app.runs import services as runs
from feedback_app.runs.progress import Progress
from generation.conditioning.masks import label_of
from generation.errors import RemediableError

REPORT_EVERY = 20


def ask_for_export(request: ExportRequest, *, created_by: User | None = None) -> Export:
    """Returns the export that somebody asks for, queued."""
    with at("curated_set"):
        curated_set = find_set(request.curated_set)
    return start_export(
        curated_set,
        file_format=request.format,
        with_readings=request.with_readings,
        created_by=created_by,
    )


def ask_for_preferences(request: PreferencesRequest, *, created_by: User | None = None) -> Export:
    """Returns the export of a snapshot that somebody asks for, queued."""
    snapshot = Snapshot.objects.filter(pk=request.snapshot).first()
    if snapshot is None:
        with at("snapshot"):
            raise RemediableError(
                f"There is no snapshot {request.snapshot}.",
                remedy="Take the id from its page, or take a snapshot first.",
            )
    return start_preferences(snapshot, created_by=created_by)


@transaction.atomic
def start_preferences(
    snapshot: Snapshot, *, replaces: Export | None = None, created_by: User | None = None
) -> Export:
    """Queue the writing of a snapshot's pairs; the export has its archive when the run is done."""
    export = Export(snapshot=snapshot, format=preferences.LAYOUT.name, replaces=replaces)
    return _start(export, total=snapshot.pairs.count(), created_by=created_by)


@transaction.atomic
def start_export(
    curated_set: CuratedSet,
    *,
    file_format: str = NAMES[0],
    with_readings: bool = False,
    replaces: Export | None = None,
    created_by: User | None = None,
) -> Export:
    """Queue the writing of a curated set; the export has its archive when the run is done."""
    export = Export(
        curated_set=curated_set,
        format=file_format,
        with_readings=with_readings,
        replaces=replaces,
    )
    return _start(export, total=curated_set.items.count(), created_by=created_by)


def _start(export: Export, *, total: int, created_by: User | None) -> Export:
    source = "snapshot" if export.snapshot_id else "curated_set"
    export.run = runs.start(
        "export",
        title=f"Export {export.source_name} {export.source.sha256[:8]}",
        spec={source: str(export.source.pk)},
        total=total,
        created_by=created_by,
    )
    export.save(force_insert=True)
    record("export.created", actor=created_by, target=file_name_of(export), target_id=export.pk)
    return export


def find_set(key: UUID) -> CuratedSet:
    curated_set = CuratedSet.objects.filter(pk=key).first()
    if curated_set is None:
        raise RemediableError(
            f"There is no curated set {key}.",
            remedy="Take the id from its page, or apply a policy first.",
        )
    return curated_set


def count_masks(curated_set: CuratedSet) -> dict[str, int]:
    """Counts for each kind of mask how many of the set's images follow one."""
    rows = RecipeMask.objects.filter(recipe__candidate__curateditem__curated_set=curated_set)
    return dict(Counter(label_of(kind) for kind in rows.values_list("kind", flat=True)))


def make_archive(export: Export, *, progress: Progress) -> int:
    """Write the archive beside the blobs and bring it in whole; how many images, or pairs, it
    holds.
    """
    workplace = settings.RUNS_ROOT / str(export.run_id)
    shutil.rmtree(workplace, ignore_errors=True)  # what a killed attempt left

    try:
        with naming_a_full_disk("the archive"):
            workplace.mkdir(parents=True)
            path = workplace / "archive.zip"
            count = write_archive(export, path=path, progress=progress)
            progress.update(count, total=count, note="Storing the archive")
            export.blob = store_file(path, media_type="application/zip")
        export.save(update_fields=["blob"])
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return count


def write_archive(export: Export, *, path: Path, progress: Progress) -> int:
    if export.snapshot is not None:
        total = export.snapshot.pairs.count()
        return preferences.build(
            export.snapshot,
            path=path,
            report=lambda done: progress.update(done, total=total, note="Writing pairs"),
            replaced=replaced_by(export),
        )
    assert export.curated_set is not None
    require_intact(export.curated_set)
    total = export.curated_set.items.count()

    def report(done: int) -> None:
        if done % REPORT_EVERY == 0 or done == total:
            progress.update(done, total=total, note="Writing images")

    return build(
        export.curated_set,
        file_format=FORMATS[export.format],
        path=path,
        report=report,
        with_readings=export.with_readings,
        replaced=replaced_by(export),
    )


def rests_on_retracted(export: Export) -> bool:
    if export.snapshot_id:
        sources = Retraction.objects.active().sources()
        tainted = Snapshot.objects.none() if sources.are_none else snapshots_resting_on(sources)
        return tainted.filter(pk=export.snapshot_id).exists()
    tainted_sets = CuratedSet.objects.resting_on_retracted()
    return tainted_sets.filter(exports=export).exists()


def replaced_by(export: Export) -> dict[str, str] | None:
    """Returns what the manifest says of the export that this one is made instead of."""
    old = export.replaces
    if old is None:
        return None
    return {
        "export": str(old.pk),
        "archive_sha256": old.blob_id or "",
        "snapshot_sha256" if old.snapshot_id else "curated_set_sha256": old.source.sha256,
        "reason": "it rests on readings that were retracted",
    }


def require_intact(curated_set: CuratedSet) -> None:
    if recompute_hash(curated_set) != curated_set.sha256:
        raise RemediableError(
            f"The curated set {curated_set.pk} is not what its hash says any more.",
            remedy="Its rows or its images' were changed in the database: restore them, or curate "
            "again.",
        )


def file_name_of(export: Export) -> str:
    name = slugify(export.source_name) or ("snapshot" if export.snapshot_id else "curated")
    suffix = export.layout.suffix + ("-readings" if export.with_readings else "")
    return f"reading-room-{name}-{export.source.sha256[:8]}{suffix}.zip"


def copy_out(export: Export, *, path: Path) -> Path:
    """Copy the archive to a file, or into a folder under its own name; all of it or nothing.

    For who has the machine: a download all the same, so the audit log has it.
    """
    assert export.blob is not None
    target = path / file_name_of(export) if path.is_dir() else path
    part = target.with_name(f".{target.name}.part")
    try:
        with naming_a_full_disk(str(target)), export.blob.open() as archive, part.open("wb") as out:
            shutil.copyfileobj(archive, out)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    record(
        "export.downloaded",
        actor=None,
        target=file_name_of(export),
        target_id=export.pk,
        details={"copied_to": str(target)},
    )
    return target
