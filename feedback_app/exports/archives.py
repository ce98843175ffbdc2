"""Archives that follow from what is put into them alone.

No build date, a fixed order, and nothing compressed (PNGs are already, and compressors differ
between versions): building one again gives the same bytes.
"""

import hashlib
import io
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Self

from feedback_app.csv_files import csv_lines

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
UNIX = 3
READABLE_FILE = 0o100644 << 16
PIECE_BYTES = 1 << 20


class Archive:
    """A zip file that is written front to back and remembers its files' SHA-256 sums."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)
        self.folder = path.parent
        self.files: dict[str, dict[str, object]] = {}
        self.tables: dict[str, dict[str, type]] = {}
        """Columns of the tables that were added, with the type of their cells."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, content: bytes) -> None:
        self.add_file(name, io.BytesIO(content))

    def add_table(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Writes rows as CSV; the first one says which columns there are, and in which order."""
        listed = list(rows)
        columns = list(listed[0]) if listed else []
        lines = csv_lines(columns, ([row[column] for column in columns] for row in listed))
        self.add(name, "".join(lines).encode() if listed else b"")
        self.tables[name] = {column: type_of(row[column] for row in listed) for column in columns}

    def add_file(self, name: str, file: BinaryIO) -> None:
        """Copies a file in from its first byte on, a piece at a time."""
        entry = zipfile.ZipInfo(name, date_time=FIXED_TIME)
        entry.create_system = UNIX
        entry.external_attr = READABLE_FILE
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        entry.file_size = file.tell()
        file.seek(0)
        with self._zip.open(entry, "w") as target:
            shutil.copyfileobj(file, target, PIECE_BYTES)
        self.files[name] = {"sha256": digest, "size_bytes": entry.file_size}


def type_of(cells: Iterable[object]) -> type:
    """Returns int or float where every cell is one, or empty; else str."""
    found = {type(cell) for cell in cells if cell != ""}
    if found == {int}:
        return int
    return float if found and found <= {int, float} else str
