"""The first pass over a source: who is in it, what its pictures look like, counts.

One line a picture is written as it is read, so that a killed build goes on where it stopped.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import PIL.Image

from generation.datasets.dicom import read_radiograph
from generation.datasets.files import DICOM_SUFFIXES
from generation.datasets.fingerprints import fingerprint
from generation.vlm.instructions.records import Picture, Read
from generation.vlm.instructions.sources.common import MAX_PIXELS, PATIENT_KEY


@dataclass(frozen=True, kw_only=True)
class Look:
    """A picture's fingerprint; a picture that cannot be read has none, and a reason."""

    picture: str
    bits: bytes = b""
    problem: str = ""


class Looks:
    """The looks of a source's pictures, kept in a file; each picture is decoded once."""

    def __init__(self, path: Path, *, read: Read = Path.read_bytes) -> None:
        self._read = read
        self._known = {look.picture: look for look in read_looks(path)}
        # What a killed process left of a line is taken off.
        whole = "".join(_line(look) for look in self._known.values())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(whole, encoding="utf-8")
        self._file = path.open("a", encoding="utf-8")

    def of(self, picture: Picture) -> Look:
        if picture.name not in self._known:
            look = look_at(picture, read=self._read)
            self._known[picture.name] = look
            self._file.write(_line(look))
            self._file.flush()
        return self._known[picture.name]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def read_looks(path: Path) -> Iterator[Look]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                return
            name, bits, problem = json.loads(line)
            yield Look(picture=name, bits=bytes.fromhex(bits), problem=problem)


def look_at(picture: Picture, *, read: Read = Path.read_bytes) -> Look:
    """Any fault of a file is the file's own: the build goes on."""
    try:
        return Look(picture=picture.name, bits=fingerprint(open_picture(picture.path, read=read)))
    except Exception as error:  # noqa: BLE001  readers of pictures raise errors of every kind
        problem = f"cannot be read: {type(error).__name__}"
        return Look(picture=picture.name, problem=problem)


def open_picture(path: Path, *, read: Read = Path.read_bytes) -> PIL.Image.Image:
    content = read(path)
    if path.suffix.lower() in DICOM_SUFFIXES:
        return read_radiograph(
            content, name=path.name, max_pixels=MAX_PIXELS, key=PATIENT_KEY
        ).picture
    return PIL.Image.open(io.BytesIO(content))


def _line(look: Look) -> str:
    return json.dumps([look.picture, look.bits.hex(), look.problem], ensure_ascii=False) + "\n"
