"""What a file is by its first bytes, whatever its name says."""

from pathlib import Path
from typing import Literal

HEAD_BYTES = 512
DICOM_MARK, DICOM_MARK_AT = b"DICM", 128
PNG_MARK, JPEG_MARK = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"

Kind = Literal["png", "jpeg", "dicom"]

MARKS = (
    (b"GIF8", "it is a GIF"),
    (b"RIFF", "it is a WebP or another RIFF file"),
    (b"II*\0", "it is a TIFF"),
    (b"MM\0*", "it is a TIFF"),
    (b"BM", "it is a BMP"),
    (b"%PDF", "it is a PDF"),
    (b"PK\x03\x04", "it is a ZIP archive"),
    (b"\x1f\x8b", "it is packed with gzip"),
    (b"\0\0\0\x0cjP", "it is a JPEG 2000 file"),
    (b"version https://git-lfs", "it is a pointer of Git LFS, not the file itself"),
    (b"8BPS", "it is a Photoshop file"),
    (b"\x93NUMPY", "it is a NumPy array"),
    (b"\x5c\x01\0\0", "it is a NIfTI file"),
    (b"\0\0\x01\x5c", "it is a NIfTI file"),
    (b"\x89HDF", "it is an HDF5 file"),
    (b"7z\xbc\xaf", "it is a 7-Zip archive"),
    (b"Rar!", "it is a RAR archive"),
    (PNG_MARK, "it is a PNG"),
    (JPEG_MARK, "it is a JPEG"),
)
WEB_PAGES = (b"<!doctype html", b"<html", b"<?xml", b"<head", b"<svg", b"{", b"[")
LETTERS = bytes((*range(0x20, 0x7F), *b"\t\r\n"))
CONTAINER, CONTAINER_AT = b"ftyp", 4
"""What HEIC and AVIF begin with."""


def is_dicom(content: bytes) -> bool:
    return content[DICOM_MARK_AT : DICOM_MARK_AT + len(DICOM_MARK)] == DICOM_MARK


def kind_of(content: bytes) -> Kind | None:
    """Returns which kind of picture the bytes are, None where they are none that can be read."""
    if content.startswith(PNG_MARK):
        return "png"
    if content.startswith(JPEG_MARK):
        return "jpeg"
    return "dicom" if is_dicom(content) else None


def kind_of_file(path: Path) -> Kind | None:
    """Returns the kind of a file by its first bytes, None also where it cannot be read."""
    try:
        with path.open("rb") as file:
            return kind_of(file.read(HEAD_BYTES))
    except OSError:
        return None


def kind_in_words(content: bytes) -> str:
    """Returns what a file is that is not what it should be; empty where that cannot be said."""
    if not content:
        return "it is empty"
    if not content.strip(b"\0"):
        return "it holds nothing but zeros"
    if content[:HEAD_BYTES].lstrip().lower().startswith(WEB_PAGES):
        return "it is a web page or another text, as a failed download leaves it"
    for mark, words in MARKS:
        if content.startswith(mark):
            return words
    kinds = {
        "it is a HEIC, AVIF or video file": content[CONTAINER_AT:].startswith(CONTAINER),
        "it is a DICOM file": is_dicom(content),
        "it is a text": not content[:HEAD_BYTES].translate(None, LETTERS),
    }
    return next((words for words, is_so in kinds.items() if is_so), "")
