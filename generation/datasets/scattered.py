"""What lies elsewhere, or in another shape, than a data set is distributed in.

Copies are unpacked twice, sorted into other folders, or never fetched to their end.
"""

import filecmp
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path

from generation.datasets.files import (
    PICTURE_SUFFIXES,
    find_file,
    find_picture,
    is_file,
    legible,
    nfc,
    places_below,
    walk,
    without_suffix,
)
from generation.datasets.parsed import MISSING, Skip, SourceImage
from generation.datasets.spellings import OPENI_ARCHIVES
from generation.datasets.tables import TABLE

PACKED = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".7z", ".rar")
UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".aria2", ".filepart", ".opdownload")
TOLD_AT_MOST = 20
MASK = "mask"


class Scattered:
    """Finds pictures by name anywhere below a folder, which is looked through when first asked.

    Pictures in folders of masks, and those ``but_for`` which it looks, are none. Of several of
    one name none is guessed, unless they are copies of one file.
    """

    def __init__(self, folder: Path, *, but_for: Collection[Path] = ()) -> None:
        self.folder = folder
        self.but_for = but_for

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for name, path in walk(self.folder, []):
            is_other = MASK in name.lower() or not {*path.parents}.isdisjoint(self.but_for)
            if path.suffix.lower() in PICTURE_SUFFIXES and not is_other:
                found.setdefault(key_of(path.name), []).append(path)
        return found

    def find(self, name: str) -> Path | None:
        """Returns the picture of this name, whatever its folder, its suffix and its capitals
        are.
        """
        found = self._by_name.get(key_of(name), [])
        are_copies = all(filecmp.cmp(found[0], other, shallow=False) for other in found[1:])
        return found[0] if found and are_copies else None

    def find_listed(self, name: str) -> Path | None:
        """Returns the picture that a table names below the folder, or, without a folder, anywhere
        there.

        A name with a suffix is that of the file itself.
        """
        if without_suffix(name) == name:
            return find_picture(self.folder, name) or (None if "/" in name else self.find(name))
        path = find_file(self.folder, name)
        if path is None and "/" not in name and (found := self.find(name)):
            return found if found.suffix.casefold() == Path(name).suffix.casefold() else None
        return path

    def reason(self, name: str) -> str:
        """Why there is no such picture."""
        count = len(self._by_name.get(key_of(name), []))
        if count < 2:
            return MISSING
        return f"has {count} pictures of its name, and one may be a mask: leave one"

    def names(self) -> set[str]:
        return {*self._by_name}


def key_of(name: str) -> str:
    """Returns what the names of one picture have in common."""
    return without_suffix(nfc(name.rpartition("/")[2])).casefold()


def find_folder(folder: Path, *names: str) -> Path | None:
    """Returns the folder of one of these names near below another, whatever its capitals are.

    Unpackers put it into one of its own name: then the inner one.
    """
    for place in places_below(folder):
        for name in names:
            if found := _folder_in(place, name):
                return _folder_in(found, name) or found
    return None


def _folder_in(place: Path, name: str) -> Path | None:
    try:
        folders = sorted(path for path in place.iterdir() if path.is_dir())
    except OSError:
        return None
    return next((path for path in folders if path.name.casefold() == name.casefold()), None)


def with_what_is_packed(
    rows: Iterator[SourceImage | Skip], folder: Path
) -> Iterator[SourceImage | Skip]:
    """Yields the rows; where pictures were missing, then also where they may still be."""
    is_missing = False
    for row in rows:
        is_missing |= isinstance(row, Skip) and row.reason == MISSING
        yield row
    if is_missing:
        yield from _unopened(folder)


def _unopened(folder: Path) -> Iterator[Skip]:
    """Yields a warning for each archive and each broken download near below a folder."""
    count = 0
    for place in places_below(folder):
        for path in sorted(place.iterdir()):
            name = path.name.lower()
            reason = (
                "is packed: what is in it was not read; unpack it where pictures are missing"
                if name.endswith(PACKED)
                else "was never fetched to its end"
                if name.endswith(UNFINISHED)
                else ""
            )
            is_read = TABLE in name or path.name in OPENI_ARCHIVES
            if reason and not is_read and is_file(path) and count < TOLD_AT_MOST:
                count += 1
                yield Skip(file=legible(path.name), what="warning", reason=reason)
