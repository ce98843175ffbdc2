"""What a backup says of itself: every file with its hash; written last, so that half a backup
has none.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.utils.crypto import salted_hmac

from generation.datasets.files import is_plain_path
from generation.errors import RemediableError
from generation.hashing import sha256_of_file

MANIFEST = "manifest.json"
DUMP = "database.dump"
LAYOUT = 1
CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Part:
    """A file of a backup, by its place in it."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """``migrations`` are those that the database had; ``key`` tells another SECRET_KEY.

    ``damaged`` are blobs whose files were missing or wrong when the backup was made, and
    ``outside`` models and data that lie elsewhere on the disk: neither is in it. ``links`` are
    links from one place in the storage to another, by which instructions find their pictures.
    """

    made_at: str
    migrations: list[tuple[str, str]]
    key: str
    parts: list[Part]
    damaged: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    layout: int = LAYOUT

    def write(self, folder: Path) -> None:
        """Write it whole or not at all."""
        unfinished = folder / f"{MANIFEST}.new"
        unfinished.write_text(json.dumps(asdict(self), indent=1))
        unfinished.rename(folder / MANIFEST)

    def of_folder(self, top: str) -> Iterator[Part]:
        return (part for part in self.parts if part.name.startswith(f"{top}/"))


def read(folder: Path) -> Manifest:
    """Returns the manifest of a backup that is whole and of a layout that is known."""
    path = folder / MANIFEST
    if not path.is_file():
        raise RemediableError(
            f"{folder} is no backup, or one that was not finished: it has no {MANIFEST}.",
            remedy="Name the folder that manage.py backup wrote to the end.",
        )
    try:
        said: dict[str, Any] = json.loads(path.read_text())
        parts = [Part(**part) for part in said.pop("parts")]
        migrations = [(app, name) for app, name in said.pop("migrations")]
        links = [(name, target) for name, target in said.pop("links", [])]
        manifest = Manifest(parts=parts, migrations=migrations, links=links, **said)
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(MANIFEST, f"it cannot be read ({error})") from error
    if manifest.layout != LAYOUT:
        raise RemediableError(
            f"The backup has the layout {manifest.layout}; this version reads {LAYOUT}.",
            remedy="Restore it with the version that made it, then upgrade.",
        )
    return manifest


def check(folder: Path, manifest: Manifest) -> None:
    """Hold every file against its hash, before anything is changed."""
    for part in manifest.parts:
        path = folder / part.name
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            raise damaged(part.name, "it is missing")
        if path.stat().st_size != part.size_bytes:
            raise damaged(part.name, "it has another size")
        if sha256_of_file(path) != part.sha256:
            raise damaged(part.name, "its hash is another one")
    for name, target in manifest.links:
        within = os.path.normpath(Path(name).parent / target)
        if not all(is_plain_path(os.path.normpath(place)) for place in (name, within)):
            raise damaged(name, "it is a link out of the storage")


def damaged(name: str, why: str) -> RemediableError:
    return RemediableError(
        f"The backup is damaged at {name}: {why}.",
        remedy="Nothing was changed. Take another copy of this backup, or another backup.",
    )


def key_mark() -> str:
    """Tells one SECRET_KEY from another, and nothing of either."""
    return salted_hmac("backup", "key", algorithm="sha256").hexdigest()[:16]
