"""A mark in a bucket says whose it is, and whether all is there that was to be put into it."""

import json
from typing import cast

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from feedback_app.images.blobs import places
from feedback_app.images.blobs.bucket import BucketStorage
from feedback_app.operations.backups.manifests import key_mark
from generation.errors import RemediableError

MARK = "installation.json"


def bucket() -> BucketStorage:
    if not places.is_shared():
        raise RemediableError(
            "No bucket is set.", remedy="Set STORAGE_URL; DATA_ROOT stays the folder of before."
        )
    return cast("BucketStorage", default_storage)


def is_half_moved() -> bool:
    """Returns whether an installation was begun to be moved into this bucket and is not there
    whole.
    """
    told = told_of(bucket())
    return told is not None and not told["is_whole"]


def told_of(storage: BucketStorage) -> dict[str, object] | None:
    content = storage.read_fresh(MARK)
    return json.loads(content) if content else None


def mark(storage: BucketStorage, *, is_whole: bool) -> None:
    content = json.dumps({"key": key_mark(), "is_whole": is_whole}).encode()
    storage.save(MARK, ContentFile(content))


def claim(storage: BucketStorage, *, replace: bool = False) -> None:
    """Refuse a bucket in which something else is; one that is ours is gone on with.

    One without a mark, as of an installation that began in it, is taken only to ``replace`` what
    is there.
    """
    told = told_of(storage)
    if told is None and not replace and next(storage.stored(), None) is not None:
        raise RemediableError(
            f"There are files in {settings.STORAGE_URL} already.",
            remedy="Name an empty bucket, or another prefix in it.",
        )
    if told is not None and told["key"] != key_mark():
        raise RemediableError(
            f"{settings.STORAGE_URL} holds another installation: its SECRET_KEY is another one.",
            remedy="Name an empty bucket, or set the SECRET_KEY that it was moved with.",
        )
    mark(storage, is_whole=False)
