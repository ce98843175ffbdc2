"""Storing files by their content, and images from their bytes."""

import errno
import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import PIL.Image
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from feedback_app.images.blobs.models import Blob, Image
from generation.errors import RemediableError

MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}


DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FullDiskError(RemediableError):
    """There is no room left where a file was to be written."""


@contextmanager
def naming_a_full_disk(what: str) -> Iterator[None]:
    """Turn the system's error of a full disk into one that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise FullDiskError(
            f"There is no room left on the disk to write {what}: {error.strerror}.",
            remedy=f"Free some room on the disk that holds {settings.DATA_ROOT}, then retry.",
        ) from error


class FinishedFile(File):  # type: ignore[type-arg]
    """A file that a storage on the same disk moves into place instead of copying it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def store(content: bytes, *, media_type: str) -> Blob:
    """Store bytes once; the same bytes give the same blob."""
    return _keep(write_file(content, media_type=media_type))


def store_file(path: Path, *, media_type: str) -> Blob:
    """Store a finished file without reading it into memory; it may be moved away."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        blob = Blob(sha256=digest, size_bytes=path.stat().st_size, media_type=media_type)
        return _keep(_write(blob, FinishedFile(file, name=str(path))))


def write_file(content: bytes, *, media_type: str) -> Blob:
    """Write the bytes to the storage alone; the blob's row is for the caller to make.

    Nothing here asks the database, so that threads can do it.
    """
    digest = hashlib.sha256(content).hexdigest()
    blob = Blob(sha256=digest, size_bytes=len(content), media_type=media_type)
    return _write(blob, ContentFile(content))


def _write(blob: Blob, content: "File[bytes]") -> Blob:
    """Write the file where it is not there in full; the storage never leaves half a file.

    A file of another size was damaged behind our back, and is replaced.
    """
    if not _is_stored(blob):
        with naming_a_full_disk("a file"):
            default_storage.save(blob.path, content)
    return blob


def _keep(blob: Blob) -> Blob:
    return Blob.objects.get_or_create(
        sha256=blob.sha256,
        defaults={"size_bytes": blob.size_bytes, "media_type": blob.media_type},
    )[0]


def _is_stored(blob: Blob) -> bool:
    return default_storage.exists(blob.path) and default_storage.size(blob.path) == blob.size_bytes


def open_picture(content: bytes, *, name: str) -> PIL.Image.Image:
    """Decode a bounded PNG or JPEG; anything else is refused, naming the file."""
    if len(content) > settings.IMAGE_MAX_BYTES:
        raise RemediableError(
            f"{name} has more than the {settings.IMAGE_MAX_BYTES:,} bytes allowed.",
            remedy="Leave it out, or raise IMAGE_MAX_BYTES.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            picture = PIL.Image.open(io.BytesIO(content), formats=list(MEDIA_TYPES))
            _require_allowed_size(picture, name=name)
            picture.load()
    except RemediableError:
        raise
    except Exception as error:  # Pillow raises many kinds for broken files
        raise RemediableError(
            f"{name} is not a readable PNG or JPEG: {error}",
            remedy="Fetch the file again, or leave it out.",
        ) from error
    return picture


def _require_allowed_size(picture: PIL.Image.Image, *, name: str) -> None:
    if picture.width * picture.height > settings.IMAGE_MAX_PIXELS:
        raise RemediableError(
            f"{name} has {picture.width} x {picture.height} pixels, "
            f"more than the {settings.IMAGE_MAX_PIXELS:,} allowed.",
            remedy="Scale it down, or raise IMAGE_MAX_PIXELS.",
        )


def store_image(content: bytes, *, name: str) -> Image:
    """Store a picture as it came, not re-encoded, and make an image of it."""
    picture = open_picture(content, name=name)
    return Image.objects.create(
        blob=store(content, media_type=MEDIA_TYPES[picture.format or ""]),
        pixels_sha256=hash_pixels(picture),
        width=picture.width,
        height=picture.height,
    )


def hash_pixels(picture: PIL.Image.Image) -> str:
    """SHA-256 of mode, size and decoded pixels, whatever the file's encoding."""
    digest = hashlib.sha256(f"{picture.mode}:{picture.width}x{picture.height}:".encode())
    digest.update(picture.tobytes())
    return digest.hexdigest()
