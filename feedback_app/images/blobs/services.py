"""Storing files by their content, and images from their bytes."""

import errno
import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import PIL.ExifTags
import PIL.Image
import PIL.ImageOps
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from feedback_app.images.blobs.models import Blob, Image
from generation.datasets.contents import kind_in_words
from generation.errors import RemediableError, SurroundingsError

FORMATS = ("PNG", "JPEG")
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg"}
"""An MPO is a JPEG with more pictures behind it, as some cameras write it."""
TURNED = frozenset(range(2, 9))
"""The EXIF orientations of pictures that are stored otherwise than they are to be seen."""
PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"})

DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FullDiskError(SurroundingsError):
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
    return _write(blob_of(content, media_type=media_type), ContentFile(content))


def blob_of(content: bytes, *, media_type: str) -> Blob:
    """Returns the row of a blob of these bytes; neither the row nor a file is written."""
    digest = hashlib.sha256(content).hexdigest()
    return Blob(sha256=digest, size_bytes=len(content), media_type=media_type)


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
    """Decode a bounded PNG or JPEG, upright; anything else is refused, naming the file.

    A picture that its EXIF orientation turns is turned here, and here alone: what is stored of
    it has no orientation left (``content_of``), so that browsers, masks and training see one
    picture.
    """
    if len(content) > settings.IMAGE_MAX_BYTES:
        raise RemediableError(
            f"{name} has more than the {settings.IMAGE_MAX_BYTES:,} bytes allowed.",
            remedy="Leave it out, or raise IMAGE_MAX_BYTES.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            picture = PIL.Image.open(io.BytesIO(content), formats=FORMATS)
            _require_allowed_size(picture, name=name)
            picture.load()
            return _turned_upright(picture)
    except RemediableError:
        raise
    except Exception as error:  # Pillow raises many kinds for broken files
        raise RemediableError(
            f"{name} is not a readable PNG or JPEG: {_why_unreadable(error, content)}",
            remedy="Fetch the file again, or leave it out.",
        ) from error


def _orientation_of(picture: PIL.Image.Image) -> object:
    """Returns what its EXIF says; a picture with a broken EXIF is shown as it is, as browsers
    do.
    """
    try:
        return picture.getexif().get(PIL.ExifTags.Base.Orientation, 1)
    except Exception:  # noqa: BLE001  Pillow raises many kinds for broken EXIF
        return 1


def _turned_upright(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Returns the picture as it is to be seen; one that was turned has no file format any more."""
    if _orientation_of(picture) not in TURNED:
        return picture
    turned = PIL.ImageOps.exif_transpose(picture)
    return turned if turned.mode in PNG_MODES else turned.convert("RGB")


def content_of(picture: PIL.Image.Image, *, as_it_came: bytes) -> bytes:
    """Returns a picture's file: as it came, or a PNG of what it shows where it had to be turned."""
    if picture.format:
        return as_it_came
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _why_unreadable(error: Exception, content: bytes) -> str:
    """Returns the reason in words that are the same for all files of a kind."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    if isinstance(error, PIL.Image.DecompressionBombError | PIL.Image.DecompressionBombWarning):
        return "it is a decompression bomb, with far more pixels than are allowed"
    if isinstance(error, PIL.UnidentifiedImageError):
        return kind_in_words(content) or "its first bytes are those of neither"
    return "it is cut off" if "truncated" in str(error) else "it is damaged"


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
    kept = content_of(picture, as_it_came=content)
    return Image.objects.create(
        blob=store(kept, media_type=MEDIA_TYPES[picture.format or "PNG"]),
        pixels_sha256=hash_pixels(picture),
        width=picture.width,
        height=picture.height,
    )


def hash_pixels(picture: PIL.Image.Image) -> str:
    """Returns the SHA-256 of mode, size and decoded pixels, whatever the file's encoding."""
    digest = hashlib.sha256(f"{picture.mode}:{picture.width}x{picture.height}:".encode())
    digest.update(picture.tobytes())
    return digest.hexdigest()
