"""Making a backup: the database as it is at one moment, then the files that it speaks of.

The database comes first. Blobs are never changed, and are written before their rows, so that
all that the dump names is there when the files are copied; what came in later does no harm.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from feedback_app.images.blobs.models import Blob
from feedback_app.images.blobs.places import copy_listed, is_shared, listings
from feedback_app.images.models import ModelVersion
from feedback_app.images.versions.folders import BUNDLED_FOLDER, IN_STORAGE
from feedback_app.operations.backups import programs
from feedback_app.operations.backups.manifests import (
    CHUNK,
    DUMP,
    Manifest,
    Part,
    key_mark,
)
from feedback_app.vlms.models import InstructionSet, VlmVersion
from generation.errors import RemediableError
from generation.hashing import sha256_of_file

FOLDERS = ("models", "runs")
"""What is copied beside the blobs; uploads and static files come again by themselves."""

Say = Callable[[str], None]


def make(folder: Path, *, say: Say) -> Manifest:
    """Write a backup into an empty folder; its manifest comes last."""
    _require_empty(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    programs.run("pg_dump", "--format=custom", "--no-owner", "--no-privileges",
                 "--file", folder / DUMP)  # fmt: skip
    dump = folder / DUMP
    parts = [Part(DUMP, dump.stat().st_size, sha256_of_file(dump))]
    say(f"the database: {parts[0].size_bytes:,} bytes")
    damaged: list[str] = []
    parts += _copied_blobs(folder, damaged, say=say)
    parts += _copied_from_bucket(folder, damaged, say=say)
    for top in FOLDERS:
        copied = list(_copied_folder(settings.DATA_ROOT / top, folder / top, top=top))
        say(f"{top}: {len(copied):,} files")
        parts += copied
    manifest = Manifest(
        made_at=timezone.now().isoformat(),
        migrations=applied,
        key=key_mark(),
        parts=parts,
        damaged=damaged,
        outside=_outside(),
        links=[link for top in FOLDERS for link in _links_in(settings.DATA_ROOT / top)],
    )
    manifest.write(folder)
    return manifest


def _require_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise RemediableError(
            f"{folder} is not empty.", remedy="Name a new folder: a backup is never mixed."
        )


def _copied_blobs(folder: Path, damaged: list[str], *, say: Say) -> Iterator[Part]:
    """Copies every blob, checked against its hash; those that are damaged here are named."""
    count = 0
    for blob in Blob.objects.order_by("pk").iterator():
        try:
            yield _copied_blob(blob, folder / "blobs" / blob.path)
        except RemediableError as error:
            damaged.append(blob.sha256)
            say(str(error))
        count += 1
    say(f"blobs: {count - len(damaged):,} files")


def _copied_blob(blob: Blob, target: Path) -> Part:
    with blob.open() as source:
        part = _copied(source.chunks(CHUNK), target, name=f"blobs/{blob.path}")
    if part.sha256 != blob.sha256:
        target.unlink()
        raise RemediableError(f"The file of blob {blob.sha256} is damaged.", remedy="")
    return part


def _copied_from_bucket(folder: Path, damaged: list[str], *, say: Say) -> Iterator[Part]:
    """Copies the models and run folders of a bucket, whichever host put them there.

    Checkpoints and models within a run folder have listings of their own, and are newer.
    """
    if not is_shared():
        return
    for name, told in listings():
        if name.startswith(tuple(f"{top}/" for top in FOLDERS)):
            try:
                copy_listed(told, folder / name)
            except (FileNotFoundError, RemediableError) as error:
                damaged.append(name)
                say(f"{name} is not whole in the bucket: {error}")
    for top in FOLDERS:
        for place, _, names in os.walk(folder / top):
            for path in (Path(place) / one for one in sorted(names)):
                within = path.relative_to(folder).as_posix()
                yield Part(within, path.stat().st_size, sha256_of_file(path))


def _copied_folder(source: Path, target: Path, *, top: str) -> Iterator[Part]:
    """Copies files as they are now; trainings replace theirs whole, and some go meanwhile."""
    for place, _, names in os.walk(source):
        for name in sorted(names):
            path = Path(place) / name
            within = path.relative_to(source)
            if path.is_file() and not (target / within).exists():
                part = _copied_file(path, target / within, name=f"{top}/{within.as_posix()}")
                if part is not None:
                    yield part


def _copied_file(path: Path, target: Path, *, name: str) -> Part | None:
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return None
    with source:
        return _copied(iter(lambda: source.read(CHUNK), b""), target, name=name)


def _copied(chunks: Iterable[bytes], target: Path, *, name: str) -> Part:
    target.parent.mkdir(parents=True, exist_ok=True)
    sums, size = hashlib.sha256(), 0
    with target.open("xb") as copy:
        for chunk in chunks:
            size += copy.write(chunk)
            sums.update(chunk)
    return Part(name, size, sums.hexdigest())


def _links_in(source: Path) -> Iterator[tuple[str, str]]:
    """Links to folders of the storage by relative paths, which are right wherever it lies."""
    root = Path(settings.DATA_ROOT)
    for place, folders, _ in os.walk(source):
        links = [path for name in sorted(folders) if (path := Path(place) / name).is_symlink()]
        for path in links:
            target = path.readlink()
            leads_to = Path(os.path.normpath(path.parent / target))
            if not target.is_absolute() and leads_to.is_relative_to(root):
                yield path.relative_to(root).as_posix(), target.as_posix()


def _outside() -> list[str]:
    """Folders of models and data that are not in the storage: their backup is elsewhere."""
    named = [
        *ModelVersion.objects.values_list("location", flat=True),
        *VlmVersion.objects.values_list("location", flat=True),
        *InstructionSet.objects.values_list("data", flat=True),
    ]
    paths = {Path(location) for location in named if not location.startswith(IN_STORAGE)}
    return sorted(
        str(path)
        for path in paths
        if path.is_absolute() and not path.is_relative_to(BUNDLED_FOLDER)
    )
