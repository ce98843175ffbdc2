"""An installation with a folder moves into a bucket: every file is put there and held to its hash.

It can be broken off and begun again at any time. A mark in the bucket says whose it is and
whether all is there; until then nobody should read or work.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.core.files.base import File

from feedback_app.images.blobs import places
from feedback_app.images.blobs.bucket import BucketStorage
from feedback_app.images.blobs.models import Blob
from feedback_app.operations.backups.restoring import require_alone
from feedback_app.operations.buckets.holdings import folders_here, named_folders
from feedback_app.operations.buckets.marks import bucket, claim, mark
from generation.hashing import sha256_of_file

UPLOADED, FOUND = "uploaded", "found"
AT_ONCE = 8
SAID_EVERY = 5_000

Say = Callable[[str], None]


@dataclass
class Moved:
    """How many blobs went up now and were there, how many folders; and what could not be moved."""

    uploaded: int = 0
    found: int = 0
    folders: int = 0
    missing: list[str] = field(default_factory=list)


def move(*, say: Say) -> Moved:
    """Put everything into the bucket, then look whether all of it is there."""
    storage = bucket()
    require_alone()
    claim(storage)
    moved = Moved()
    _put_blobs(storage, moved, say=say)
    put_folders(moved, say=say)
    _look(storage, moved)
    if not moved.missing:
        mark(storage, is_whole=True)
    return moved


def _put_blobs(storage: BucketStorage, moved: Moved, *, say: Say) -> None:
    blobs = Blob.objects.filter(erased_at=None).order_by("pk").iterator()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for some in _parts(blobs, SAID_EVERY):
            for outcome in threads.map(lambda blob: _put_blob(storage, blob), some):
                moved.uploaded += outcome == UPLOADED
                moved.found += outcome == FOUND
            say(f"blobs: {moved.uploaded:,} put, {moved.found:,} there already")


def _parts(blobs: Iterator[Blob], size: int) -> Iterator[list[Blob]]:
    while part := list(islice(blobs, size)):
        yield part


def _put_blob(storage: BucketStorage, blob: Blob) -> str:
    """Returns what was done; nothing where the file is damaged or gone here, and not there."""
    if storage.has(blob.path, sha256=blob.sha256, size_bytes=blob.size_bytes):
        return FOUND
    path = Path(settings.MEDIA_ROOT) / blob.path
    if not path.is_file() or sha256_of_file(path) != blob.sha256:
        return ""
    with path.open("rb") as file:
        storage.save(blob.path, File(file))
    return UPLOADED


def put_folders(moved: Moved, *, say: Say) -> None:
    """Put the folders of this host's disk; what is there of them by its hash is not sent again."""
    for name in folders_here():
        places.put(Path(settings.DATA_ROOT) / name)
        moved.folders += 1
    say(f"folders: {moved.folders:,}")


def _look(storage: BucketStorage, moved: Moved) -> None:
    """Note what rows and listings speak of and the bucket has not, or not in full."""
    sizes = {name: size for name, size, _ in storage.stored()}
    for blob in Blob.objects.filter(erased_at=None).iterator():
        if sizes.get(blob.path) != blob.size_bytes:
            moved.missing.append(blob.path)
    listed = dict(places.listings())
    moved.missing += sorted(named_folders() - set(listed))
    moved.missing += sorted(_lacking(listed.values(), sizes))


def _lacking(listed: Iterable[places.Listing], sizes: dict[str, int]) -> set[str]:
    names = {Blob(sha256=sha256).path for told in listed for sha256 in told["files"].values()}
    return names - set(sizes)
