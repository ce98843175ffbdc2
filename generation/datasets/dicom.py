"""One chest X-ray out of a DICOM file: its picture, and nothing that tells who the patient is.

Only the attributes in ``READ`` are taken from the file; all others never get into memory as
values. Of these, the patient's id leaves this module as a keyed hash alone.
"""

import hashlib
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import PIL.Image
import pydicom
from pydicom.encaps import get_frame
from pydicom.errors import InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from generation.datasets.attributes import parse_age, parse_sex, parse_view
from generation.datasets.codestreams import coded_as, without_free_text
from generation.datasets.contents import is_dicom, kind_in_words
from generation.datasets.rendering import (
    UnusableHeaderError,
    first_number,
    first_window,
    is_inverted,
    is_plain_byte,
    render,
    window_function,
)
from generation.errors import RemediableError

READ = (
    "BitsAllocated", "BitsStored", "BurnedInAnnotation", "Columns", "HighBit",
    "ImagerPixelSpacing", "ModalityLUTSequence", "NumberOfFrames", "PatientAge", "PatientID",
    "PatientSex", "PhotometricInterpretation", "PixelData", "PixelPaddingRangeLimit",
    "PixelPaddingValue", "PixelRepresentation", "PixelSpacing", "PlanarConfiguration",
    "PresentationLUTShape",
    "RescaleIntercept", "RescaleSlope", "Rows", "SamplesPerPixel", "VOILUTFunction",
    "VOILUTSequence", "ViewPosition", "WindowCenter", "WindowWidth",
)  # fmt: skip
SPACING_MM = (0.01, 10.0)
"""What lies beyond is no length between the pixels of a radiograph."""
GREY = ("MONOCHROME1", "MONOCHROME2")
BYTE_BITS = 8
PREAMBLE_BYTES = 132
INFLATED_BYTES_A_PIXEL = 4
HEADER_MAX_BYTES = 2**24
"""Beside its pixels a deflated file may hold this much."""
RLE_OVERHEAD = 2
PNG_LEVEL = 1
"""Larger files than at level 6 by some percent, five times as fast."""

# Values that do not keep to the standard are judged here; pydicom would quote them in warnings.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


@dataclass(frozen=True, kw_only=True)
class Radiograph:
    """A picture as PNG or JPEG, and what the header says of it; what it does not say is empty.

    ``spacing_mm`` is how far pixels are apart, down and across: at the body where that was
    calibrated, else at the detector. ``patient`` is a hash of the patient's id that only the
    holder of the key can make again.
    ``unread`` names what the header has in words that are not known; the words may be a name.
    """

    content: bytes
    picture: PIL.Image.Image
    patient: str
    sex: str
    age_years: int | None
    view: str
    spacing_mm: tuple[float, float] | None = None
    unread: tuple[str, ...] = ()


def read_radiograph(content: bytes, *, name: str, max_pixels: int, key: bytes) -> Radiograph:
    """Returns the chest X-ray in a DICOM file's bytes, or a RemediableError with the reason.

    JPEG Baseline of 8 bits that needs no rendering is handed on as it came; everything else
    is rendered to 8 bits of grey and stored as PNG.
    """
    try:
        return _read(content, name=name, max_pixels=max_pixels, key=key)
    except UnusableHeaderError as error:
        raise refusal(name, str(error)) from error
    except RemediableError:
        raise
    except MemoryError as error:
        raise refusal(name, "needs more memory than there is") from error
    except Exception as error:  # broken values break every stage in its own way
        raise refusal(name, f"has a header that cannot be read ({type(error).__name__})") from error


def _read(content: bytes, *, name: str, max_pixels: int, key: bytes) -> Radiograph:
    header = read_header(content, name=name, max_pixels=max_pixels)
    require_chest_picture(header, name=name, max_pixels=max_pixels)
    complete(header, name=name)
    require_as_coded(header, name=name)
    stream = jpeg_as_it_came(header, name=name)
    if stream is None:
        picture = PIL.Image.fromarray(decode(header, name=name))
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=PNG_LEVEL)
        stream = file.getvalue()
    else:
        picture = decode_jpeg(stream, name=name)
    return Radiograph(
        content=stream,
        picture=picture,
        patient=seal(str(header.get("PatientID") or ""), key=key),
        sex=parse_sex(text_of(header, "PatientSex")) or "",
        age_years=parse_age(text_of(header, "PatientAge")),
        view=parse_view(text_of(header, "ViewPosition")) or "",
        spacing_mm=spacing_of(header),
        unread=unread(header),
    )


def spacing_of(header: pydicom.Dataset) -> tuple[float, float] | None:
    """Returns what the first attribute says that gives two lengths a pixel can have."""
    for name in ("PixelSpacing", "ImagerPixelSpacing"):
        found = header.get(name)
        try:
            down, across = (float(one) for one in found)
        except (TypeError, ValueError):
            continue
        if all(SPACING_MM[0] <= one <= SPACING_MM[1] for one in (down, across)):
            return down, across
    return None


def text_of(header: pydicom.Dataset, name: str) -> str:
    return str(header.get(name) or "")


def unread(header: pydicom.Dataset) -> tuple[str, ...]:
    """Returns which of view, sex and age the header has in words that are not known."""
    readers: dict[str, tuple[str, Callable[[str], object]]] = {
        "age": ("PatientAge", lambda text: parse_age(text) if text.strip() else ""),
        "sex": ("PatientSex", parse_sex),
        "view": ("ViewPosition", parse_view),
    }
    return tuple(
        what for what, (name, read) in readers.items() if read(text_of(header, name)) is None
    )


def read_header(content: bytes, *, name: str, max_pixels: int) -> pydicom.Dataset:
    if not is_dicom(content):
        kind = kind_in_words(content) or "the mark DICM near its start is missing"
        raise refusal(name, f"is not a readable DICOM file: {kind}")
    try:
        if DeflatedExplicitVRLittleEndian.encode() in content:
            content = inflated(content, name=name, max_pixels=max_pixels)
        return pydicom.dcmread(io.BytesIO(content), specific_tags=list(READ))
    except (RemediableError, MemoryError):
        raise
    except InvalidDicomError as error:
        raise refusal(name, "is not a readable DICOM file: it ends too early") from error
    except Exception as error:  # pydicom raises many kinds for broken files
        raise refusal(name, f"is not a readable DICOM file ({type(error).__name__})") from error


def inflated(content: bytes, *, name: str, max_pixels: int) -> bytes:
    """Returns a deflated file as a plain one; one that would grow without bounds is refused."""
    file = io.BytesIO(content)
    file.seek(PREAMBLE_BYTES)
    meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return content
    limit = max_pixels * INFLATED_BYTES_A_PIXEL + HEADER_MAX_BYTES
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = inflater.decompress(file.read(), limit)
    if inflater.unconsumed_tail:
        raise refusal(name, f"grows to more than {limit:,} bytes when it is unpacked")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    head = DicomBytesIO()
    write_file_meta_info(head, pydicom.dataset.FileMetaDataset(meta), enforce_standard=False)
    return content[:PREAMBLE_BYTES] + head.getvalue() + plain


def require_chest_picture(header: pydicom.Dataset, *, name: str, max_pixels: int) -> None:
    """Refuse what is no single grey picture, or may have its patient's name in the pixels."""
    if not header.get("PixelData"):
        raise refusal(name, "has no pixel data")
    frames = whole_number(header.get("NumberOfFrames") or 1)
    if frames is None:
        raise refusal(name, "does not say in a number how many pictures it has")
    if frames != 1:
        raise refusal(name, f"has {frames} frames; a chest X-ray is one picture")
    kind = text_of(header, "PhotometricInterpretation").strip().upper()
    if not kind:
        raise refusal(name, "does not say what its pixel values mean")
    if (whole_number(header.get("SamplesPerPixel")) or 1) != 1 or kind not in GREY:
        raise refusal(name, "is in colour; a chest X-ray is grey")
    if str(header.get("BurnedInAnnotation") or "").upper() == "YES":
        raise refusal(name, "has text burnt into its pixels, which may name its patient")
    width, height = size_of(header)
    if not (width > 0 and height > 0):
        raise refusal(name, "does not say how many pixels it has")
    if width * height > max_pixels:
        raise refusal(name, f"has {width} x {height} pixels, more than the {max_pixels:,} allowed")


def complete(header: pydicom.Dataset, *, name: str) -> None:
    """Write down what a grey picture of one frame can only mean; refuse what is left open."""
    header.NumberOfFrames = header.SamplesPerPixel = 1
    header.PhotometricInterpretation = text_of(header, "PhotometricInterpretation").strip().upper()
    allocated = whole_number(header.get("BitsAllocated"))
    if not allocated:
        raise refusal(name, "does not say how many bits a pixel has (BitsAllocated)")
    if not header.get("BitsStored"):
        highest = whole_number(header.get("HighBit"))
        header.BitsStored = allocated if highest is None else highest + 1
    if whole_number(header.get("PixelRepresentation")) not in (0, 1):
        raise refusal(name, "does not say whether its pixels have a sign (PixelRepresentation)")


def size_of(header: pydicom.Dataset) -> tuple[int, int]:
    """Returns width and height, 0 where they are not said."""
    width, height = (whole_number(header.get(side)) or 0 for side in ("Columns", "Rows"))
    return width, height


def whole_number(value: object) -> int | None:
    number = first_number(value)
    return int(number) if number is not None and number.is_integer() else None


def require_as_coded(header: pydicom.Dataset, *, name: str) -> None:
    """Refuse pixel data that are another picture than the header says, before they are decoded."""
    syntax = transfer_syntax(header)
    if not syntax:
        raise refusal(name, "does not say how its pixels are coded")
    width, height = size_of(header)
    bits = whole_number(header.get("BitsAllocated")) or 0
    pixel_bytes = width * height * bits // BYTE_BITS
    if not UID(syntax).is_transfer_syntax:
        raise refusal(name, "has its pixels in a code that is not DICOM's")
    if not UID(syntax).is_encapsulated:
        if len(header.PixelData) < pixel_bytes:
            raise refusal(name, "has fewer pixels than its header says: it may be cut off")
        return
    try:
        frame = get_frame(header.PixelData, 0, number_of_frames=1)
        coded = coded_as(frame)
    except Exception as error:  # pydicom raises many kinds for broken files
        raise refusal(name, "has pixel data that are cut off or damaged") from error
    if syntax == RLELossless and len(frame) > pixel_bytes * RLE_OVERHEAD + PREAMBLE_BYTES:
        raise refusal(name, "has more pixel data than its header says")
    if coded is None:
        return
    if coded.channels != 1:
        raise refusal(name, "is in colour; a chest X-ray is grey")
    if (coded.width, coded.height) != (width, height):
        found = f"{coded.width} x {coded.height} pixels, its header says {width} x {height}"
        raise refusal(name, f"holds a picture of {found}")
    if syntax == JPEGBaseline8Bit and (bits, coded.bits) != (BYTE_BITS, BYTE_BITS):
        raise refusal(name, f"says {bits} bits a pixel, its JPEG has {coded.bits}")


def jpeg_as_it_came(header: pydicom.Dataset, *, name: str) -> bytes | None:
    """Returns the JPEG in the file where its values are what is to be seen, without free text."""
    if transfer_syntax(header) != JPEGBaseline8Bit or needs_rendering(header):
        return None
    try:
        return without_free_text(get_frame(header.PixelData, 0, number_of_frames=1))
    except Exception as error:  # pydicom raises many kinds for broken files
        raise refusal(name, "has a JPEG that is cut off") from error


def needs_rendering(header: pydicom.Dataset) -> bool:
    """Returns whether the stored values differ from those to be seen."""
    if not is_plain_byte(header) or header.PhotometricInterpretation == "MONOCHROME1":
        return True
    if is_inverted(header) or header.get("VOILUTSequence"):
        return True
    window = first_window(header)
    return window is not None and not is_whole_range(header, window)


def is_whole_range(header: pydicom.Dataset, window: tuple[float, float]) -> bool:
    """Returns whether an 8-bit window shows all values as they are, in any of the usual
    spellings.
    """
    centre, width = window
    is_linear = window_function(header).startswith("LINEAR")
    return is_linear and width in {255, 256} and 127 <= centre <= 128


def decode_jpeg(stream: bytes, *, name: str) -> PIL.Image.Image:
    try:
        picture = PIL.Image.open(io.BytesIO(stream), formats=["JPEG"])
        picture.load()
    except Exception as error:  # Pillow raises many kinds for broken files
        raise refusal(name, "has a JPEG that is cut off or damaged") from error
    if picture.mode != "L":
        raise refusal(name, "is in colour; a chest X-ray is grey")
    return picture


def decode(header: pydicom.Dataset, *, name: str) -> np.ndarray:
    """Returns 8-bit grey H x W as on a screen."""
    try:
        return render(header)
    except (RemediableError, MemoryError):
        raise
    except Exception as error:  # pydicom and its decoders raise many kinds
        code = UID(transfer_syntax(header)).name
        if isinstance(error, NotImplementedError):
            raise refusal(name, f"has pixels in a code that is not read here ({code})") from error
        reason = f"cannot be decoded: its pixels are not what its header says ({code})"
        raise refusal(name, reason) from error


def transfer_syntax(header: pydicom.Dataset) -> str:
    return str(header.file_meta.get("TransferSyntaxUID") or "")


def seal(patient_id: str, *, key: bytes) -> str:
    """Returns a hash of a patient's id that nobody can make without the key; empty for none."""
    told = patient_id.strip(" \0\t\r\n")
    if not told:
        return ""
    return hashlib.blake2b(told.encode(), key=key, digest_size=16).hexdigest()


def refusal(name: str, what: str) -> RemediableError:
    return RemediableError(
        f"{name} {what}.", remedy="Fetch the file again, or leave it out of the import."
    )
