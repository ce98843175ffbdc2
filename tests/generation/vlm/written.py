"""What a build wrote, read back."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_rows(folder: Path, *, source: str = "*") -> Iterator[dict[str, Any]]:
    for split in ("train", "validation", "test"):
        for path in sorted((folder / split).glob(f"{source}.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
