"""An installation with a folder moves into a bucket: every file is put there and held to its hash.

It can be broken off and begun again at any time. A mark in the bucket says whose it is and
whether all is there; until then nobody should read or work.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import cast

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from feedback_app.images.blobs import places
from feedback_app.images.blobs.bucket import BucketStorage
from feedback_app.images.blobs.models import Blob
from feedback_app.operations.backups.manifests import key_mark
from feedback_app.operations.backups.restoring import require_alone
from feedback_app.operations.buckets.holdings import folders_here, named_folders
from generation.errors import RemediableError
from generation.hashing import sha256_of_file

MARK = "installation.json"
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
    _claim(storage)
    moved = Moved()
    _put_blobs(storage, moved, say=say)
    put_folders(moved, say=say)
    _look(storage, moved)
    if not moved.missing:
        _mark(storage, is_whole=True)
    return moved


def bucket() -> BucketStorage:
    if not places.is_shared():
        raise RemediableError(
            "No bucket is set.", remedy="Set STORAGE_URL; DATA_ROOT stays the folder of before."
        )
    return cast("BucketStorage", default_storage)


def is_half_moved() -> bool:
    """Whether an installation was begun to be moved into this bucket and is not there whole."""
    told = _told(bucket())
    return told is not None and not told["is_whole"]


def _told(storage: BucketStorage) -> dict[str, object] | None:
    content = storage.read_fresh(MARK)
    return json.loads(content) if content else None


def _mark(storage: BucketStorage, *, is_whole: bool) -> None:
    content = json.dumps({"key": key_mark(), "is_whole": is_whole}).encode()
    storage.save(MARK, ContentFile(content))


def _claim(storage: BucketStorage) -> None:
    """Refuse a bucket in which something else is; one that is ours is gone on with."""
    told = _told(storage)
    if told is None and next(storage.stored(), None) is not None:
        raise RemediableError(
            f"There are files in {settings.STORAGE_URL} already.",
            remedy="Name an empty bucket, or another prefix in it.",
        )
    if told is not None and told["key"] != key_mark():
        raise RemediableError(
            f"{settings.STORAGE_URL} holds another installation: its SECRET_KEY is another one.",
            remedy="Name an empty bucket, or set the SECRET_KEY that it was moved with.",
        )
    _mark(storage, is_whole=False)


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
