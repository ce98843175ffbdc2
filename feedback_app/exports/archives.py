"""Archives that follow from what is put into them alone.

No build date, a fixed order, and nothing compressed (PNGs are already, and compressors differ
between versions): building one again gives the same bytes.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from feedback_app.csv_files import csv_lines

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
UNIX = 3
READABLE_FILE = 0o100644 << 16


class Archive:
    """A zip file that is written front to back and remembers its files' SHA-256 sums."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)
        self.files: dict[str, dict[str, object]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, content: bytes) -> None:
        entry = zipfile.ZipInfo(name, date_time=FIXED_TIME)
        entry.create_system = UNIX
        entry.external_attr = READABLE_FILE
        self._zip.writestr(entry, content)
        digest = hashlib.sha256(content).hexdigest()
        self.files[name] = {"sha256": digest, "size_bytes": len(content)}


def write_table(rows: Iterable[Mapping[str, object]]) -> bytes:
    """Returns the rows as CSV; the first one says which columns there are, and in which order."""
    listed = list(rows)
    if not listed:
        return b""
    columns = list(listed[0])
    lines = csv_lines(columns, ([row[column] for column in columns] for row in listed))
    return "".join(lines).encode()
