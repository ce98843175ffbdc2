"""What threads do for an import: read, decode, hash and store files, without the database."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import PIL.Image
from django.conf import settings
from django.utils.crypto import salted_hmac

from feedback_app.images.blobs.models import Blob
from feedback_app.images.blobs.services import (
    MEDIA_TYPES,
    blob_of,
    content_of,
    hash_pixels,
    open_picture,
    write_file,
)
from feedback_app.images.cohorts.mask_shapes import (
    hardened,
    has_several_colours,
    looks_inverted,
    shape_of,
)
from generation.conditioning.masks import OPACITY_FINDINGS, rasterise_boxes
from generation.conditioning.masks import encode_mask as encode_bools
from generation.datasets.contents import is_dicom, kind_of
from generation.datasets.dicom import Radiograph, read_radiograph
from generation.datasets.files import DICOM_SUFFIXES, legible
from generation.datasets.fingerprints import fingerprint
from generation.datasets.parsed import RunLengthMask, Skip, SourceImage, SourceMask, What
from generation.errors import RemediableError, causes_of, is_of_reading
from generation.grey import to_grey

OPACITY = "opacity"
SHOWN_SHARE, LEAST_LEVELS = 0.98, 20
"""A picture of which this share of pixels lies within fewer grey levels shows nothing."""
LOOKED_AT_PX = 256
"""A larger picture is looked at in fewer of its pixels."""
SHOWS_NOTHING = f"nearly all its pixels lie within {LEAST_LEVELS} grey levels: it shows nothing"
SMOOTH = "the edges of its shape were grey, and are cut at half of its brightest value"
SEVERAL_COLOURS = (
    "its shapes have several colours: if they are several structures, they are one now"
)
MAY_BE_INVERTED = "it covers the corners and most of its image: it may be inverted"
UNREAD = "its header tells the {} in words that are not known"

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture's file and what its pixels say; ``patient`` and the rest are a DICOM header's.

    ``doubts`` are what people should know of it although it comes in.
    """

    content: bytes
    blob: Blob
    pixels_sha256: str
    width: int
    height: int
    fingerprint: bytes
    patient: str = ""
    sex: str = ""
    age_years: int | None = None
    view: str = ""
    spacing_mm: tuple[float, float] | None = None
    doubts: tuple[Skip, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PreparedMask:
    kind: str
    blob: Blob
    is_from_boxes: bool = False


@dataclass(frozen=True, kw_only=True)
class Known:
    """An image that came in earlier: its size, and the kinds of masks that people drew."""

    width: int
    height: int
    mask_kinds: frozenset[str]


@dataclass(kw_only=True)
class Prepared:
    """A row with its files stored. ``picture`` is None where it is there, or cannot be used."""

    row: SourceImage
    is_known: bool = False
    picture: Picture | None = None
    masks: list[PreparedMask] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)


def prepare(row: SourceImage, known: Known | None) -> Prepared:
    """Store the picture of a row, unless it is known, and the masks that are missing.

    A file that cannot be used is a skip, whatever is wrong with it; a storage that cannot be
    written raises.
    """
    prepared = Prepared(row=row, is_known=known is not None)
    if known is None:
        picture = read_or_skip(
            lambda: read_picture(row), path=row.path, file=row.source_id, skips=prepared.skips
        )
        if picture is None:
            return prepared
        write_file(picture.content, media_type=picture.blob.media_type)
        prepared.picture = picture
        prepared.skips += picture.doubts
        known = Known(width=picture.width, height=picture.height, mask_kinds=frozenset())
    size = (known.width, known.height)
    for mask in row.masks:
        if mask.kind not in known.mask_kinds:
            prepare_mask(mask, size=size, prepared=prepared)
    kinds = known.mask_kinds | {mask.kind for mask in prepared.masks}
    prepared.masks += opacity_mask(row, size=size, kinds=kinds)
    return prepared


def read_or_skip(
    read: Callable[[], T], *, path: Path | None, file: str, skips: list[Skip], what: What = "image"
) -> T | None:
    """Returns what was read, or None and a skip: here ends whatever one odd file can raise.

    What no file could be read for, such as a lost network disk, is no fault of this one.
    """
    try:
        return read()
    except RemediableError as error:
        if any(is_of_reading(cause) for cause in causes_of(error)):
            raise
        reason = str(error) if path is None else reason_of(error, path=path)
    except MemoryError:
        reason = "needs more memory than there is"
    except Exception as error:
        if is_of_reading(error):
            raise
        log.exception("%s could not be read", file)
        reason = f"is of a kind that cannot be read here ({type(error).__name__})"
    skips.append(Skip(file=file, what=what, reason=reason))
    return None


def read_picture(row: SourceImage) -> Picture:
    """Returns a picture as it came where that can be; a DICOM file without its header."""
    name = row.path.name
    came = read_bounded(row.path)
    is_expected_dicom = row.path.suffix.lower() in DICOM_SUFFIXES
    if not (is_dicom(came) or (is_expected_dicom and kind_of(came) is None)):
        picture = open_picture(came, name=name)
        return describe_picture(content_of(picture, as_it_came=came), picture, row=row)
    found = read_radiograph(
        came, name=name, max_pixels=settings.IMAGE_MAX_PIXELS, key=patient_key()
    )
    return describe_picture(found.content, found.picture, row=row, header=found)


def describe_picture(
    content: bytes, picture: PIL.Image.Image, *, row: SourceImage, header: Radiograph | None = None
) -> Picture:
    doubts = [
        Skip(file=row.source_id, what="label", reason=UNREAD.format(what))
        for what in (header.unread if header else ())
        if not getattr(row, "age_years" if what == "age" else what)
    ]
    if not shows_something(picture):
        doubts.append(Skip(file=row.source_id, what="warning", reason=SHOWS_NOTHING))
    return Picture(
        content=content,
        blob=blob_of(content, media_type=MEDIA_TYPES[picture.format or "PNG"]),
        pixels_sha256=hash_pixels(picture),
        width=picture.width,
        height=picture.height,
        fingerprint=fingerprint(picture),
        patient=header.patient if header else "",
        sex=header.sex if header else "",
        age_years=header.age_years if header else None,
        view=header.view if header else "",
        spacing_mm=header.spacing_mm if header else None,
        doubts=tuple(doubts),
    )


def shows_something(picture: PIL.Image.Image) -> bool:
    """Returns whether the grey levels of a picture are not nearly all alike."""
    step = max(1, min(picture.size) // LOOKED_AT_PX)
    levels = np.asarray(to_grey(picture))[::step, ::step]
    counts = np.bincount(levels.ravel(), minlength=256)
    below = np.cumsum(counts) / counts.sum()
    tail = (1 - SHOWN_SHARE) / 2
    lowest, highest = np.searchsorted(below, (tail, 1 - tail))
    return bool(highest - lowest >= LEAST_LEVELS)


def patient_key() -> bytes:
    """Returns what patients' ids in DICOM headers are hashed with; this installation's own."""
    return salted_hmac("images.patients", "", algorithm="sha256").digest()


def read_bounded(path: Path) -> bytes:
    """Returns the file's bytes, one more than allowed at most: a larger file is refused by its
    size.
    """
    try:
        with path.open("rb") as file:
            content = file.read(settings.IMAGE_MAX_BYTES + 1)
    except OSError as error:
        raise RemediableError(
            f"{path.name} cannot be read: {error.strerror}",
            remedy="Make the file readable, or leave it out.",
        ) from error
    if len(content) > settings.IMAGE_MAX_BYTES:
        raise RemediableError(
            f"{path.name} has more than the {settings.IMAGE_MAX_BYTES:,} bytes allowed.",
            remedy="Leave it out, or raise IMAGE_MAX_BYTES.",
        )
    return content


def reason_of(error: RemediableError, *, path: Path) -> str:
    """Returns what is wrong, without the file's name, which stands beside it."""
    return str(error).removeprefix(f"{path.name} ")


def prepare_mask(
    mask: SourceMask | RunLengthMask, *, size: tuple[int, int], prepared: Prepared
) -> None:
    """Store a mask at the size of its image, or say why it cannot be used."""
    if isinstance(mask, SourceMask):
        path, file = mask.path, f"masks/{legible(mask.path.name)}"
    else:
        path, file = None, prepared.row.source_id
    found = read_or_skip(
        lambda: drawn_in(mask, size=size),
        path=path,
        file=file,
        skips=prepared.skips,
        what="mask",
    )
    if found is not None:
        drawn, doubts = found
        if looks_inverted(drawn):
            doubts.append(MAY_BE_INVERTED)
        prepared.skips += [Skip(file=file, what="warning", reason=reason) for reason in doubts]
        blob = write_file(encode_bools(drawn), media_type="image/png")
        prepared.masks.append(PreparedMask(kind=mask.kind, blob=blob))


def drawn_in(
    mask: SourceMask | RunLengthMask, *, size: tuple[int, int]
) -> tuple[np.ndarray, list[str]]:
    """Where a mask is, H x W of bool, and what is doubtful of how it is drawn."""
    if isinstance(mask, SourceMask):
        return read_mask(mask.path, size=size)
    return decode_mask(mask, size=size), []


def read_mask(path: Path, *, size: tuple[int, int]) -> tuple[np.ndarray, list[str]]:
    """Refused where it does not fit its image."""
    picture = open_picture(read_bounded(path), name=path.name)
    require_size(picture.size, size)
    hard, is_cut = hardened(picture)
    doubts = {SMOOTH: is_cut, SEVERAL_COLOURS: has_several_colours(picture)}
    return shape_of(hard), [reason for reason, is_so in doubts.items() if is_so]


def decode_mask(mask: RunLengthMask, *, size: tuple[int, int]) -> np.ndarray:
    require_size((mask.width, mask.height), size)
    return mask.decode()


def require_size(found: tuple[int, int], wanted: tuple[int, int]) -> None:
    if found != wanted:
        raise RemediableError(
            f"has {found[0]} x {found[1]} pixels, its image {wanted[0]} x {wanted[1]}",
            remedy="Make the mask at the size of its image.",
        )


def opacity_mask(
    row: SourceImage, *, size: tuple[int, int], kinds: Collection[str]
) -> list[PreparedMask]:
    """Returns a mask of the boxes around opacities, where nobody has outlined them."""
    width, height = size
    corners = [
        (box.x * width, box.y * height, box.width * width, box.height * height)
        for box in row.boxes
        if box.finding in OPACITY_FINDINGS
    ]
    if not corners or OPACITY in kinds:
        return []
    mask = rasterise_boxes(corners, size=size)
    if not mask.any():
        return []
    blob = write_file(encode_bools(mask), media_type="image/png")
    return [PreparedMask(kind=OPACITY, blob=blob, is_from_boxes=True)]
