"""Files of the storage that belong to nothing any more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from feedback_app.images.blobs import places
from feedback_app.images.blobs.bucket import SHA256
from feedback_app.images.blobs.models import Blob
from feedback_app.operations.backups.restoring import require_alone
from feedback_app.operations.buckets.holdings import named_folders, run_folders
from feedback_app.runs.models import Run

YOUNG = timedelta(days=1)
"""A file may be put before the row that speaks of it."""
PROBES = "readyz/"
"""What asks whether the storage can be written leaves a file where it is cut off."""


@dataclass
class Orphans:
    """Names and sizes of files, and names of folders, that nothing speaks of."""

    files: list[tuple[str, int]] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return sum(size for _, size in self.files)


def find() -> Orphans:
    """Look through the whole storage; what is younger than a day is left out."""
    before = timezone.now() - YOUNG
    old = [(name, size) for name, size, at in default_storage.stored() if at < before]  # type: ignore[attr-defined]
    folders, kept = _folders({name for name, _ in old})
    kept |= set(Blob.objects.values_list("pk", flat=True))
    files = [(name, size) for name, size in old if _is_lost(name, kept)]
    return Orphans(files=sorted(files), folders=sorted(folders))


def _is_lost(name: str, kept: set[str]) -> bool:
    place = name.rpartition("/")[2]
    return name.startswith(PROBES) or (bool(SHA256.fullmatch(place)) and place not in kept)


def _folders(old: set[str]) -> tuple[set[str], set[str]]:
    """Returns the folders that nothing speaks of, and the hashes of files in the others."""
    if not places.is_shared():
        return set(), set()
    spoken_of = named_folders() | run_folders() | _uploads()
    lost, kept = set(), set()
    for name, told in places.listings():
        if name in spoken_of or places.listing_of(name) not in old:
            kept |= set(told["files"].values())
        else:
            lost.add(name)
    return lost, kept


def _uploads() -> set[str]:
    """Returns the uploads that an import waits for, or may be retried with."""
    specs = Run.objects.filter(kind="import_cohort").values_list("spec", flat=True)
    words = (str(value) for spec in specs for value in spec.values())
    return {f"uploads/{word.rpartition('/')[2]}" for word in words if "/uploads/" in word}


def remove(orphans: Orphans, *, say: Callable[[str], None]) -> None:
    """Remove them, while nobody else works: else a row could speak of one again just now."""
    require_alone()
    for name in orphans.folders:
        default_storage.delete(places.listing_of(name))
    for number, (name, _) in enumerate(orphans.files, start=1):
        default_storage.delete(name)
        if number % 1_000 == 0:
            say(f"{number:,} of {len(orphans.files):,} files removed")


def lines_of(orphans: Orphans, *, most: int) -> Iterator[str]:
    """Yields what there is in words, of many the first."""
    names = [*orphans.folders, *(f"{name}  {size:,} bytes" for name, size in orphans.files)]
    yield from names[:most]
    if len(names) > most:
        yield f"and {len(names) - most:,} more"
