"""What a file holds, as a hash."""

import hashlib
from pathlib import Path


def sha256_of_file(path: str | Path) -> str:
    """Returns the SHA-256 of a file's bytes, in hexadecimal; the file is never in memory as a
    whole.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
