"""Blobs in a bucket that speaks S3; what was read lately lies on this host, too."""

import base64
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from django.conf import settings
from django.core.files.base import File
from django.utils.deconstruct import deconstructible
from storages.backends.s3 import S3Storage
from urllib3.exceptions import HTTPError

from generation.errors import RemediableError, SurroundingsError
from generation.hashing import sha256_of_file

SHA256 = re.compile(r"[0-9a-f]{64}")
ONE_REQUEST_BYTES = 4 * 1024**3
"""A larger file goes up in parts, of which the bucket checks each."""
YOUNG_S = 600.0
"""A file that was used so lately stays, for somebody may be about to open it."""
TRIM_EVERY = 20
"""The folder is trimmed whenever a twentieth of its bound has been fetched."""


BUSY = re.compile(r"SlowDown|RequestTimeout|.*Throttl.*|TooManyRequests.*|RequestLimitExceeded")
BUSY_STATUSES = frozenset({408, 429})
NO_BUCKET = "NoSuchBucket"
KEYS = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"),
        *("RequestTimeTooSkewed", "RequestExpired", "InvalidAccessKeyId", "InvalidClientTokenId"),
    }
)
KEYS_STATUSES = frozenset({401, 403})
"""Keys run out, are changed and are allowed less: what waits goes on with the new ones."""


@contextmanager
def naming_the_bucket() -> Iterator[None]:
    """Turns the client's errors into those that the rest knows: away for now, or refused."""
    try:
        yield
    except ClientError as error:
        raise _named(error) from error
    except ParamValidationError:
        raise
    except (BotoCoreError, Boto3Error, HTTPError) as error:
        raise ConnectionError(f"The bucket does not answer: {error}") from error


def _named(error: ClientError) -> Exception:
    answer = error.response
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = answer.get("Error", {})
    code = said.get("Code", "")
    if status == 404 and code != NO_BUCKET:
        return FileNotFoundError(str(error))
    if status >= 500 or status in BUSY_STATUSES or BUSY.fullmatch(code):
        return ConnectionError(f"The bucket does not answer: {error}")
    is_of_keys = status in KEYS_STATUSES or code in KEYS
    return (SurroundingsError if is_of_keys else RemediableError)(
        f"The bucket refuses: {said.get('Message') or code or error}",
        remedy="Look at STORAGE_URL, STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY, and at what "
        "the key may do.",
    )


@deconstructible(path="feedback_app.images.blobs.bucket.BucketStorage")
class BucketStorage(S3Storage):
    """Names are hashes of the content, so a file that was fetched once is never out of date.

    Files are fetched whole into MEDIA_ROOT, checked, and opened there; it is kept within
    STORAGE_CACHE_BYTES, of which each process counts what it fetches itself.
    """

    fetched_bytes = 0

    def path(self, name: str) -> str:
        """Returns where the file lies on this host, and fetches it before where it does not."""
        place = Path(settings.MEDIA_ROOT) / name
        try:
            os.utime(place)
        except FileNotFoundError:
            self._fetch(name, place)
        return str(place)

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        return File(Path(self.path(name)).open(mode), name=name)

    def _save(self, name: str, content: "File[bytes]") -> str:
        with naming_the_bucket():
            if content.size > ONE_REQUEST_BYTES:
                return str(super()._save(name, content))
            file = content.file
            assert file is not None  # what is stored is open
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]
            file.seek(0)
            self.connection.meta.client.put_object(
                Bucket=self.bucket_name,
                Key=self._key(name),
                Body=file,
                ContentLength=content.size,
                ChecksumSHA256=base64.b64encode(digest).decode(),
            )
        return name

    def exists(self, name: str) -> bool:
        with naming_the_bucket():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with naming_the_bucket():
            return int(self.bucket.Object(self._key(name)).content_length)

    def delete(self, name: str) -> None:
        with naming_the_bucket():
            super().delete(name)
        (Path(settings.MEDIA_ROOT) / name).unlink(missing_ok=True)

    def read_fresh(self, name: str) -> bytes | None:
        """Returns what a name that is written again holds now; None where there is nothing."""
        client = self.connection.meta.client
        try:
            with naming_the_bucket():
                found = client.get_object(Bucket=self.bucket_name, Key=self._key(name))
                return bytes(found["Body"].read())
        except FileNotFoundError:
            return None

    def stored(self, prefix: str = "") -> Iterator[tuple[str, int, datetime]]:
        """Yields name, size and time of every file below a name."""
        pages = self.connection.meta.client.get_paginator("list_objects_v2")
        within = self._key("")
        with naming_the_bucket():
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=self._key(prefix)):
                for one in page.get("Contents", []):
                    yield one["Key"].removeprefix(within), one["Size"], one["LastModified"]

    def has(self, name: str, *, sha256: str, size_bytes: int) -> bool:
        """Returns whether the file is there: by the bucket's hash of it, or where it tells none, by
        size.

        It was held against its hash when it went up in any case.
        """
        try:
            with naming_the_bucket():
                head = self.connection.meta.client.head_object(
                    Bucket=self.bucket_name, Key=self._key(name), ChecksumMode="ENABLED"
                )
        except FileNotFoundError:
            return False
        told = head.get("ChecksumSHA256", "")
        expected = base64.b64encode(bytes.fromhex(sha256)).decode()
        # The hash of several parts is none of the file's, and ends in their number.
        is_alike = told == expected if told and "-" not in told else True
        return bool(is_alike and head["ContentLength"] == size_bytes)

    def signed_address(self, name: str, *, file_name: str, media_type: str, expire_s: int) -> str:
        """Returns an address by which whoever has it can fetch the file for some time."""
        headers = {
            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
            "ResponseContentType": media_type,
        }
        with naming_the_bucket():
            return str(self.url(name, parameters=headers, expire=expire_s))

    def _key(self, name: str) -> str:
        return f"{self.location}/{name}" if self.location else name

    def _fetch(self, name: str, place: Path) -> None:
        """Gets the file whole or not at all; a name that ends in a hash is held against it."""
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f".{place.name}.{uuid4().hex}")
        try:
            with naming_the_bucket(), partial.open("xb") as file:
                self.bucket.Object(self._key(name)).download_fileobj(file)
            _require_content(partial, name)
            partial.replace(place)
        finally:
            partial.unlink(missing_ok=True)
        self.fetched_bytes += place.stat().st_size
        if self.fetched_bytes > settings.STORAGE_CACHE_BYTES / TRIM_EVERY:
            self.fetched_bytes = 0
            trim(Path(settings.MEDIA_ROOT), limit=settings.STORAGE_CACHE_BYTES)


def _require_content(path: Path, name: str) -> None:
    expected = Path(name).name
    if not SHA256.fullmatch(expected):
        return
    if sha256_of_file(path) != expected:
        raise RemediableError(
            f"The file of blob {expected} is damaged: its hash is another one.",
            remedy=f"Put it back from a backup, as {name} in the bucket.",
        )


def trim(folder: Path, *, limit: int) -> None:
    """Removes files, those that were not used for the longest time first, to nine tenths.

    A file that a run folder is linked to, and one that was used just now, stays.
    """
    found = []
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # another process trims as well
            stat = path.stat()
            if path.is_file():
                found.append((stat.st_mtime, stat.st_size, stat.st_nlink, path))
    total = sum(size for _, size, _, _ in found)
    before = time.time() - YOUNG_S
    for used_at, size, links, path in sorted(found, key=lambda one: one[0]):
        if total <= limit * 0.9 or used_at > before:
            return
        if links == 1:
            path.unlink(missing_ok=True)
            total -= size
