"""Data sets that come over the API as one ZIP file."""

import shutil
import uuid
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils import timezone

from feedback_app.images.blobs.places import bring, forget, is_shared, put
from feedback_app.images.blobs.services import naming_a_full_disk
from feedback_app.runs.models import Run
from generation.errors import RemediableError

KEPT_FOR = timedelta(days=7)
FILES_MAX = 500_000
FOLDER = "uploads"
"""Below DATA_ROOT."""


def unpack(archive: BinaryIO) -> Path:
    """Returns a folder of its own with what the archive holds: the data set's files at its top."""
    folder: Path = settings.DATA_ROOT / FOLDER / str(uuid.uuid4())
    try:
        with zipfile.ZipFile(archive) as packed, naming_a_full_disk("the upload"):
            _check(packed)
            folder.mkdir(parents=True)
            members = packed.infolist()
            for member in members:
                member.filename = member.filename.replace("\\", "/")  # some packers on Windows
            packed.extractall(folder, members)  # names that lead out of it are taken into it
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise RemediableError(
            f"The archive cannot be unpacked: {error}.", remedy="Send a ZIP file without password."
        ) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    put(folder)
    return folder


def arrived(path: Path) -> Path:
    """Returns where a data set lies on this host; an upload may have come to another one."""
    if is_shared() and path.parent.name == FOLDER and not path.exists():
        return bring(settings.DATA_ROOT / FOLDER / path.name)
    return path


def discard(path: Path) -> None:
    """Remove an upload once its data set is in; nothing else."""
    uploads = settings.DATA_ROOT / FOLDER
    if path.parent == uploads:
        shutil.rmtree(path, ignore_errors=True)
        forget(path)


def discard_old() -> int:
    """Remove uploads that no import took in, a week after their run was over; how many.

    Until then the run can be retried.
    """
    uploads: Path = settings.DATA_ROOT / FOLDER
    old = [folder for folder in _folders(uploads) if _is_over(folder)]
    for folder in old:
        discard(folder)
    return len(old)


def _folders(uploads: Path) -> list[Path]:
    return [path for path in uploads.iterdir() if path.is_dir()] if uploads.is_dir() else []


def _is_over(folder: Path) -> bool:
    """Returns whether its import ended long ago, or it never had one."""
    runs = Run.objects.filter(kind="import_cohort", spec__path=str(folder))
    if runs.unfinished().exists():
        return False
    ended = runs.exclude(finished_at=None).values_list("finished_at", flat=True)
    unpacked = datetime.fromtimestamp(folder.stat().st_mtime, tz=UTC)
    return max([unpacked, *filter(None, ended)]) < timezone.now() - KEPT_FOR


def _check(packed: zipfile.ZipFile) -> None:
    members = packed.infolist()
    size = sum(member.file_size for member in members)
    if len(members) > FILES_MAX or size > settings.UPLOAD_MAX_BYTES:
        raise RemediableError(
            f"The archive unpacks to {len(members):,} files of {size:,} bytes; {FILES_MAX:,} and "
            f"{settings.UPLOAD_MAX_BYTES:,} are the most.",
            remedy="Send it in parts under one name, or import it with manage.py import_cohort.",
        )
