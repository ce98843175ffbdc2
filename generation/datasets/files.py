"""Finding the files of a data set: names in NFC, folders in folders, pictures by what they are."""

import os
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from generation.datasets.contents import HEAD_BYTES, kind_in_words, kind_of, kind_of_file
from generation.datasets.parsed import Skip

DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".dic"})
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"}) | DICOM_SUFFIXES
SUFFIXES_TRIED = (".dcm", ".dicom", ".png", ".jpg", ".jpeg", ".dic", "", ".dcm.png", ".dcm.jpg")
PLACES_DEEP, PLACES_WIDE = 4, 12
"""So far below a folder its tables are looked for, where it does not fan out into more folders."""
NAME_MAX_BYTES = 255
UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")

Pictures = dict[str, Path]
"""By their names below a folder, in NFC, with slashes between folders."""


def nfc(name: str) -> str:
    """Returns the one spelling of a name: macOS writes an ö as an o and two dots."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def is_text(name: str) -> bool:
    """Returns whether a name can be written in UTF-8 and stored."""
    try:
        return "\0" not in name and bool(name.encode())
    except UnicodeEncodeError:
        return False


def legible(name: str) -> str:
    """Returns a file's name as it can be shown, its foreign bytes as ``\\xf6``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_plain_name(name: str) -> bool:
    """True for a file name that cannot lead out of its folder."""
    return is_plain_path(name) and "/" not in name


def is_plain_path(name: str) -> bool:
    """True for a relative path that cannot lead out of the folder that it starts from."""
    if not is_text(name) or "\\" in name:
        return False
    parts = name.split("/")
    return all(
        part not in {"", ".", ".."} and len(part.encode()) <= NAME_MAX_BYTES for part in parts
    )


def list_pictures(folder: Path) -> tuple[Pictures, list[Skip]]:
    """Returns the PNG, JPEG and DICOM files of a folder and those below it, and what else lies
    there.
    """
    pictures: Pictures = {}
    others: list[Skip] = []
    for name, path in walk(folder, others):
        reason = unfit(path)
        if reason:
            others.append(Skip(file=legible(name), reason=reason))
        elif nfc(name) in pictures:
            others.append(Skip(file=nfc(name), reason="has the same name as another file"))
        else:
            pictures[nfc(name)] = path
    return pictures, others


def unfit(path: Path) -> str:
    """Returns why a file is no picture that can be read, empty where it may be one.

    The first bytes are looked at only where the name's end does not tell.
    """
    if not is_text(path.name):
        return "has a name that is not UTF-8: rename it"
    if not is_file(path):
        return "is neither a file nor a folder"
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return ""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if kind_of(head):
        return ""
    kind = kind_in_words(head)
    return "is not a PNG, JPEG or DICOM file" + (f": {kind}" if kind else "")


def walk(folder: Path, others: list[Skip]) -> Iterator[tuple[str, Path]]:
    """Yields the files below a folder in order, with their names from there; hidden ones apart.

    Links are followed, but into no folder twice. What cannot be opened goes to ``others``.
    """
    waiting = [("", folder)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        prefix, here = waiting.pop()
        try:
            state = here.stat()
            entries = sorted(here.iterdir(), key=lambda path: path.name)
        except OSError as error:
            reason = f"cannot be opened: {error.strerror}"
            others.append(Skip(file=legible(prefix) or str(folder), reason=reason))
            continue
        if (state.st_dev, state.st_ino) in seen:
            others.append(Skip(file=legible(prefix), reason="is a link to a folder already read"))
            continue
        seen.add((state.st_dev, state.st_ino))
        folders = []
        for path in entries:
            if path.name.startswith("."):
                continue
            name = f"{prefix}/{path.name}" if prefix else path.name
            if os.path.isdir(path):  # noqa: PTH112  of a loop of links Path.is_dir raises
                folders.append((name, path))
            else:
                yield name, path
        waiting += reversed(folders)


def find_file(folder: Path, name: str) -> Path | None:
    """Returns the file of this name below a folder, however its accents and capitals are
    written there.
    """
    path = folder / name
    if is_file(path):
        return path
    here = folder
    for part in name.split("/"):
        found = _found_in(here, part)
        if found is None:
            return None
        here = here / found
    return here if is_file(here) else None


def _found_in(folder: Path, part: str) -> str | None:
    """Returns the name in a folder that is this one; of several in other capitals none is
    guessed.
    """
    if os.path.lexists(folder / part):
        return part
    spelled = _spellings_in(folder)
    return spelled.get(nfc(part)) or spelled.get(nfc(part).casefold())


def find_place(folder: Path, name: str) -> Path:
    """Returns the folder or file of this name below a folder as it is spelled there, or would
    be.
    """
    here = folder
    for part in Path(name).parts:
        here = here / (_found_in(here, part) or part)
    return here


def without_suffix(name: str) -> str:
    """Returns a picture's name without its suffixes; what follows a UID's last stop is none.

    A converted picture may have two, as ``a.dcm.png``.
    """
    stem, _, end = name.rpartition(".")
    return without_suffix(stem) if stem and f".{end.lower()}" in PICTURE_SUFFIXES else name


def find_picture(folder: Path, name: str) -> Path | None:
    """Returns the picture of this name, with whichever suffix copies of a data set give it."""
    stem = without_suffix(name)
    tried = (find_file(folder, f"{stem}{suffix}") for suffix in SUFFIXES_TRIED)
    return find_file(folder, name) or next((path for path in tried if path), None)


def places_below(folder: Path) -> Iterator[Path]:
    """Yields a folder and those below it, nearest first, into which archives are unpacked.

    Folders of patients and studies, of which there are many, are left out.
    """
    level = [folder]
    for _ in range(PLACES_DEEP + 1):
        yield from level
        below = [_folders_in(place) for place in level]
        level = [path for paths in below if len(paths) <= PLACES_WIDE for path in paths]


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir())
    except OSError:
        return []


def is_file(path: Path) -> bool:
    """Returns whether there is such a file; of a name that none can have ``Path.is_file``
    raises.
    """
    return os.path.isfile(path)  # noqa: PTH113


def _spellings_in(folder: Path) -> dict[str, str]:
    try:
        return _spellings(folder, folder.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=64)
def _spellings(folder: Path, _changed_ns: int) -> dict[str, str]:
    """Returns the names in a folder as they are written there, by their NFC and without
    capitals.
    """
    spelled: dict[str, str] = {}
    plain: dict[str, list[str]] = {}
    for path in folder.iterdir():
        name = nfc(path.name)
        spelled[name] = path.name
        plain.setdefault(name.casefold(), []).append(path.name)
    return {key: names[0] for key, names in plain.items() if len(names) == 1} | spelled


def find_dicom_files(folder: Path, others: list[Skip]) -> Pictures:
    """Returns every DICOM file below a folder by its name without suffix; files lie flat or by
    study.

    Archives name files by UID, with suffix or without: what comes after a UID's last full stop
    is no suffix.
    """
    found: Pictures = {}
    for name, path in walk(folder, others):
        suffix = path.suffix.lower()
        is_uid = UID.fullmatch(path.name) is not None
        if suffix not in DICOM_SUFFIXES and not is_uid and (suffix or not _is_dicom(path)):
            continue
        if reason := unfit(path):
            others.append(Skip(file=legible(name), reason=reason))
        else:
            found.setdefault(nfc(path.stem if suffix in DICOM_SUFFIXES else path.name), path)
    return found


def _is_dicom(path: Path) -> bool:
    return is_file(path) and kind_of_file(path) == "dicom"
