"""An export whose disk is full: a clear error, nothing half-written, and it works afterwards."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.utils import timezone

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.services import copy_out, start_export
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from generation.errors import RemediableError

LIMIT_BYTES = 3_000
"""Less than the archive, more than one of its images."""


@contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond this size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files_in(storage: Path) -> set[Path]:
    return {path for path in storage.rglob("*") if path.is_file()}


def test_a_full_disk_puts_the_run_back_and_leaves_nothing(
    curated_set: CuratedSet, storage: Path
) -> None:
    before = files_in(storage)
    export = start_export(curated_set)
    with room_for(LIMIT_BYTES):
        run = runs.execute(export.run_id)
    assert run is not None
    assert run.state == State.QUEUED
    assert run.is_pausing
    assert run.error.startswith("There is no room left on the disk to write the archive")
    assert str(storage) in run.remedy
    assert files_in(storage) == before
    export.refresh_from_db()
    assert export.blob is None


def test_the_same_export_succeeds_once_there_is_room(curated_set: CuratedSet) -> None:
    export = start_export(curated_set)
    with room_for(LIMIT_BYTES):
        runs.execute(export.run_id)
    assert runs.execute(export.run_id) is None  # not at once
    Run.objects.filter(pk=export.run_id).update(not_before=timezone.now())
    runs.execute(export.run_id)
    export.refresh_from_db()
    assert export.blob is not None


def test_a_copy_that_finds_no_room_leaves_no_part_of_it(
    curated_set: CuratedSet, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    export = start_export(curated_set)
    runs.execute(export.run_id)
    export.refresh_from_db()
    with room_for(LIMIT_BYTES), pytest.raises(RemediableError, match="no room left"):
        copy_out(export, path=full)
    assert list(full.iterdir()) == []


def test_what_a_killed_attempt_left_is_cleared_away(curated_set: CuratedSet, storage: Path) -> None:
    export = start_export(curated_set)
    left = storage / "runs" / str(export.run_id) / "archive.zip"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half an archive")
    run = runs.execute(export.run_id)
    assert run is not None
    assert run.state == State.SUCCEEDED
    assert not left.parent.exists()
