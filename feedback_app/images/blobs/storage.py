"""Blobs in a folder: a file is there in full or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible


@deconstructible(path="feedback_app.images.blobs.storage.BlobStorage")
class BlobStorage(FileSystemStorage):
    """Writes under a name of its own, on the disk for good, then renames.

    Two writers of one name replace each other's file: names are hashes of the content.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_overwrite": True, **options})

    def _save(self, name: str, content: "File[bytes]") -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{uuid4().hex}")
        try:
            self._write(partial, content)
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return name

    def stored(self) -> Iterator[tuple[str, int, datetime]]:
        """Yields name, size and time of every file."""
        root = Path(self.location)
        for place, _, names in os.walk(root):
            for path in (Path(place) / name for name in names):
                with suppress(FileNotFoundError):  # removed meanwhile
                    stat = path.stat()
                    changed = datetime.fromtimestamp(stat.st_mtime, tz=UTC)
                    yield path.relative_to(root).as_posix(), stat.st_size, changed

    def _write(self, partial: Path, content: "File[bytes]") -> None:
        """Move a finished file of the same disk; copy anything else."""
        if hasattr(content, "temporary_file_path"):
            try:
                Path(content.temporary_file_path()).rename(partial)
                return
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
        with partial.open("xb") as file:
            for chunk in content.chunks():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if self.file_permissions_mode is not None:
            partial.chmod(self.file_permissions_mode)
