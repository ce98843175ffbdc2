"""The files of instruction sets and of results, wherever they were written, and their pictures.

A picture of a cohort or of a candidate is a blob, which a source's folder reaches through a link.
With a bucket it is fetched when it is read here, and before a child process reads it.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files.storage import default_storage

from feedback_app.images.blobs.places import (
    bring_current,
    bring_named,
    follow_storage,
    is_shared,
    let_go,
    pin,
)
from feedback_app.vlms.sources import PICTURES, link_pictures
from generation.vlm.instructions.sources.written import is_written

SOURCES = "sources"
"""The folder, in that of a set, of what the database holds, written out."""
BLOB = re.compile(rf"{PICTURES}/(([0-9a-f]{{2}})/\2[0-9a-f]{{62}})")


def bring_set(folder: Path) -> Path:
    """Returns an instruction set's folder as it was built, linked with the blobs of this host."""
    bring_current(folder)
    for source in (folder / SOURCES).glob("*"):
        if is_written(source):
            link_pictures(source)
    return folder


def content_of(path: Path) -> bytes:
    """Returns what a picture's file holds: a blob's out of the storage."""
    blob = BLOB.fullmatch("/".join(path.parts[-3:]))
    if blob is None:
        return path.read_bytes()
    with default_storage.open(blob[1]) as file:
        return file.read()


@contextmanager
def pictures_at_hand(run_dir: Path, folder: Path) -> Iterator[None]:
    """Keeps the blobs that a set asks of on this host meanwhile, for a reader of files alone."""
    if is_shared():
        pin(run_dir, _blobs_of(folder))
    try:
        yield
    finally:
        if is_shared():
            let_go(run_dir)


@contextmanager
def instructions_at_hand(run_dir: Path) -> Iterator[None]:
    """Brings the weights and the instruction set that a child's spec names, with its pictures."""
    follow_storage(run_dir)
    bring_named(run_dir)
    named = json.loads((run_dir / "spec.json").read_text(encoding="utf-8")).get("instructions")
    if not named:
        yield
        return
    folder = bring_set(Path(named))
    with pictures_at_hand(run_dir, folder):
        yield


def _blobs_of(folder: Path) -> set[str]:
    names = set()
    for path in folder.glob("*/*.jsonl"):
        with path.open(encoding="utf-8") as lines:
            names |= {found[0] for line in lines for found in BLOB.findall(line)}
    return names
