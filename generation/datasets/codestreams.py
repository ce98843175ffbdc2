"""What a compressed picture says of itself, read from its first bytes; nothing is decoded.

JPEG of all processes and JPEG-LS (ITU-T T.81 annex B, T.87), JPEG 2000 (T.800 annex A).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

START_OF_IMAGE, END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"
START_OF_SCAN, COMMENT = 0xDA, 0xFE
KEPT_MARKERS = frozenset({0xE0, 0xEE})
"""APP0 and APP14 say how a JPEG is decoded; other APP segments and comments are free text."""
FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
FILL = 0xFF
WITHIN_SCANS = frozenset({0x00, *range(0xD0, 0xD8)})
"""A stuffed byte, and the restarts of a scan."""
MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
"""A marker that does not belong to a scan's data; fill bytes may come before it (T.81 B.1.1.2)."""
SIZE_OF_CODESTREAM = b"\xff\x4f\xff\x51"
"""The start of a JPEG 2000 codestream and of its SIZ segment."""


class CutOffError(ValueError):
    """A codestream ends before its end."""


@dataclass(frozen=True)
class Coded:
    """It holds width and height in pixels, channels, and bits of each."""

    width: int
    height: int
    channels: int
    bits: int


def coded_as(stream: bytes) -> Coded | None:
    """Returns what a codestream says of its picture; None for one of another kind."""
    first = MARKER.match(stream)
    if first is not None and first[1] == START_OF_IMAGE[1:]:
        return _frame_of_jpeg(stream)
    place = stream.find(SIZE_OF_CODESTREAM, 0, 4096)
    return _size_of_jpeg2000(stream, place + len(SIZE_OF_CODESTREAM)) if place >= 0 else None


def _frame_of_jpeg(stream: bytes) -> Coded:
    for marker, start, _ in segments(stream):
        if marker in FRAME_MARKERS:
            frame = stream[start + 2 : start + 8]
            if len(frame) < 6:
                break
            height, width = (int.from_bytes(frame[i : i + 2], "big") for i in (1, 3))
            return Coded(width, height, channels=frame[5], bits=frame[0])
    raise CutOffError


def _size_of_jpeg2000(stream: bytes, start: int) -> Coded:
    size = stream[start : start + 39]
    if len(size) < 39:
        raise CutOffError
    right, bottom, left, top = (int.from_bytes(size[i : i + 4], "big") for i in (4, 8, 12, 16))
    channels = int.from_bytes(size[36:38], "big")
    return Coded(right - left, bottom - top, channels, bits=(size[38] & 0x7F) + 1)


def segments(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Yields marker, start and end of each segment; of a scan the end of its data is the end.

    Start and end are those of the segment without its marker, and the last segment is the end of
    the image; a stream that lacks it raises.
    """
    place = _after_marker(stream, 0, 0xD8)
    while True:
        found = MARKER.match(stream, place)
        if found is None:
            raise CutOffError
        marker, start = found[1][0], found.end()
        if marker == END_OF_IMAGE[1]:
            yield marker, start, start
            return
        end = start + int.from_bytes(stream[start : start + 2], "big")
        if end <= start or end > len(stream):
            raise CutOffError
        if marker == START_OF_SCAN:
            end = _end_of_scan(stream, end)
        yield marker, start, end
        place = end


def _end_of_scan(stream: bytes, place: int) -> int:
    """Where the next marker starts that belongs to no scan's data; a search by find is fastest."""
    last = len(stream) - 1
    while 0 <= (place := stream.find(b"\xff", place)) < last:
        following = stream[place + 1]
        if following == FILL:
            place += 1
        elif following in WITHIN_SCANS:
            place += 2
        else:
            return place
    return len(stream)


def _after_marker(stream: bytes, place: int, marker: int) -> int:
    found = MARKER.match(stream, place)
    if found is None or found[1][0] != marker:
        raise CutOffError
    return found.end()


def without_free_text(stream: bytes) -> bytes:
    """Returns a JPEG without comments, application segments and what follows its end.

    What is left decodes to the same pixels. A stream that is cut off raises.
    """
    kept = bytearray(START_OF_IMAGE)
    for marker, start, end in segments(stream):
        is_application = 0xE0 <= marker <= 0xEF and marker not in KEPT_MARKERS
        if marker != COMMENT and not is_application:
            kept += bytes((0xFF, marker))
            kept += stream[start:end]
    return bytes(kept)
