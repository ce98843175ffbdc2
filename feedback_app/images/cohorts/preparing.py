"""What threads do for an import: read, decode, hash and store files, without the database."""

import io
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import PIL.Image
from django.conf import settings
from django.utils.crypto import salted_hmac

from feedback_app.images.blobs.models import Blob
from feedback_app.images.blobs.services import (
    MEDIA_TYPES,
    FullDiskError,
    hash_pixels,
    open_picture,
    write_file,
)
from generation.conditioning.masks import OPACITY_FINDINGS, rasterise_boxes
from generation.conditioning.masks import encode_mask as encode_bools
from generation.datasets.dicom import read_radiograph
from generation.datasets.fingerprints import fingerprint
from generation.datasets.parsed import DICOM_SUFFIXES, RunLengthMask, Skip, SourceImage, SourceMask
from generation.errors import RemediableError

GREY_MODES = {"1", "L", "I", "I;16", "I;16B"}
OPACITY = "opacity"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A stored file and what its pixels say; ``patient`` and the rest are a DICOM header's."""

    blob: Blob
    pixels_sha256: str
    width: int
    height: int
    fingerprint: bytes
    patient: str = ""
    sex: str = ""
    age_years: int | None = None
    view: str = ""


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
    """Store the picture of a row, unless it is known, and the masks that are missing."""
    prepared = Prepared(row=row, is_known=known is not None)
    if known is None:
        try:
            prepared.picture = picture = prepare_picture(row.path)
        except FullDiskError:
            raise
        except RemediableError as error:
            reason = reason_of(error, path=row.path)
            prepared.skips.append(Skip(file=row.source_id, reason=reason))
            return prepared
        known = Known(width=picture.width, height=picture.height, mask_kinds=frozenset())
    size = (known.width, known.height)
    for mask in row.masks:
        if mask.kind not in known.mask_kinds:
            prepare_mask(mask, size=size, prepared=prepared)
    kinds = known.mask_kinds | {mask.kind for mask in prepared.masks}
    prepared.masks += opacity_mask(row, size=size, kinds=kinds)
    return prepared


def prepare_picture(path: Path) -> Picture:
    """Store a picture as it came where that can be; a DICOM file without its header."""
    content = read_bounded(path)
    if path.suffix.lower() not in DICOM_SUFFIXES:
        return describe_picture(content, open_picture(content, name=path.name))
    found = read_radiograph(
        content, name=path.name, max_pixels=settings.IMAGE_MAX_PIXELS, key=patient_key()
    )
    return describe_picture(
        found.content,
        found.picture,
        patient=found.patient,
        sex=found.sex,
        age_years=found.age_years,
        view=found.view,
    )


def describe_picture(
    content: bytes,
    picture: PIL.Image.Image,
    *,
    patient: str = "",
    sex: str = "",
    age_years: int | None = None,
    view: str = "",
) -> Picture:
    media_type = MEDIA_TYPES[picture.format or "PNG"]
    return Picture(
        blob=write_file(content, media_type=media_type),
        pixels_sha256=hash_pixels(picture),
        width=picture.width,
        height=picture.height,
        fingerprint=fingerprint(picture),
        patient=patient,
        sex=sex,
        age_years=age_years,
        view=view,
    )


def patient_key() -> bytes:
    """What patients' ids in DICOM headers are hashed with; this installation's own."""
    return salted_hmac("images.patients", "", algorithm="sha256").digest()


def read_bounded(path: Path) -> bytes:
    """The file's bytes, one more than allowed at most: a larger file is refused by its size."""
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
    """What is wrong, without the file's name, which stands beside it."""
    return str(error).removeprefix(f"{path.name} ")


def prepare_mask(
    mask: SourceMask | RunLengthMask, *, size: tuple[int, int], prepared: Prepared
) -> None:
    """Store a mask at the size of its image, or say why it cannot be used."""
    file = prepared.row.source_id
    try:
        if isinstance(mask, SourceMask):
            file = f"masks/{mask.path.name}"
            content = read_mask(mask.path, size=size)
        else:
            content = decode_mask(mask, size=size)
    except RemediableError as error:
        reason = str(error)
        if isinstance(mask, SourceMask):
            reason = reason_of(error, path=mask.path)
        prepared.skips.append(Skip(file=file, what="mask", reason=reason))
        return
    blob = write_file(content, media_type="image/png")
    prepared.masks.append(PreparedMask(kind=mask.kind, blob=blob))


def read_mask(path: Path, *, size: tuple[int, int]) -> bytes:
    """A mask as an 8-bit grey PNG of 0 and 255; refused where it does not fit its image."""
    picture = open_picture(read_bounded(path), name=path.name)
    require_size(picture.size, size)
    return encode_mask(picture)


def decode_mask(mask: RunLengthMask, *, size: tuple[int, int]) -> bytes:
    require_size((mask.width, mask.height), size)
    return encode_bools(mask.decode())


def require_size(found: tuple[int, int], wanted: tuple[int, int]) -> None:
    if found != wanted:
        raise RemediableError(
            f"has {found[0]} x {found[1]} pixels, its image {wanted[0]} x {wanted[1]}",
            remedy="Make the mask at the size of its image.",
        )


def encode_mask(picture: PIL.Image.Image) -> bytes:
    is_grey = picture.mode in GREY_MODES
    grey = np.asarray(picture) if is_grey else np.asarray(picture.convert("RGB")).max(axis=-1)
    values = np.unique(grey)
    if len(values) > 2 or (len(values) == 2 and values[0] != 0):
        raise RemediableError(
            f"has {len(values)} grey values; a mask has two, zero and another",
            remedy="Save the mask with two values, without smoothing or JPEG.",
        )
    file = io.BytesIO()
    PIL.Image.fromarray(np.where(grey > 0, 255, 0).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def opacity_mask(
    row: SourceImage, *, size: tuple[int, int], kinds: Collection[str]
) -> list[PreparedMask]:
    """A mask of the boxes around opacities, where nobody has outlined them."""
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
