"""One chest X-ray out of a DICOM file: its picture, and nothing that tells who the patient is.

Only the attributes in ``READ`` are taken from the file; all others never get into memory as
values. Of these, the patient's id leaves this module as a keyed hash alone.
"""

import hashlib
import io
from dataclasses import dataclass

import numpy as np
import PIL.Image
import pydicom
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_modality_lut, apply_voi
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, JPEGBaseline8Bit

from generation.datasets.attributes import parse_age, parse_sex, parse_view
from generation.errors import RemediableError

READ = (
    "BitsAllocated", "BitsStored", "BurnedInAnnotation", "Columns", "HighBit",
    "ModalityLUTSequence", "NumberOfFrames", "PatientAge", "PatientID", "PatientSex",
    "PhotometricInterpretation", "PixelData", "PixelPaddingRangeLimit", "PixelPaddingValue",
    "PixelRepresentation", "PlanarConfiguration", "PresentationLUTShape",
    "RescaleIntercept", "RescaleSlope", "Rows", "SamplesPerPixel", "VOILUTFunction",
    "VOILUTSequence", "ViewPosition", "WindowCenter", "WindowWidth",
)  # fmt: skip
GREY = ("MONOCHROME1", "MONOCHROME2")
BRIGHTEST = 255
KEPT_MARKERS = frozenset({0xE0, 0xEE})
"""APP0 and APP14 say how a JPEG is decoded; other APP segments and comments are free text."""
START_OF_SCAN, COMMENT = 0xDA, 0xFE
END_OF_IMAGE = b"\xff\xd9"
PNG_LEVEL = 1
"""Larger files than at level 6 by some percent, five times as fast."""

# Values that do not keep to the standard are judged here; pydicom would quote them in warnings.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


@dataclass(frozen=True, kw_only=True)
class Radiograph:
    """A picture as PNG or JPEG, and what the header says of it; what it does not say is empty.

    ``patient`` is a hash of the patient's id that only the holder of the key can make again.
    """

    content: bytes
    picture: PIL.Image.Image
    patient: str
    sex: str
    age_years: int | None
    view: str


def read_radiograph(content: bytes, *, name: str, max_pixels: int, key: bytes) -> Radiograph:
    """The chest X-ray in a DICOM file's bytes, or a RemediableError with the reason.

    JPEG Baseline of 8 bits that needs no rendering is handed on as it came; everything else
    is rendered to 8 bits of grey and stored as PNG.
    """
    header = read_header(content, name=name)
    require_chest_picture(header, name=name, max_pixels=max_pixels)
    stream = jpeg_as_it_came(header, name=name)
    if stream is None:
        picture = PIL.Image.fromarray(render(header, name=name))
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=PNG_LEVEL)
        stream = file.getvalue()
    else:
        picture = decode_jpeg(stream, name=name)
    return Radiograph(
        content=stream,
        picture=picture,
        patient=seal(str(header.get("PatientID") or ""), key=key),
        sex=parse_sex(str(header.get("PatientSex") or "")),
        age_years=parse_age(str(header.get("PatientAge") or "")),
        view=parse_view(str(header.get("ViewPosition") or "")),
    )


def read_header(content: bytes, *, name: str) -> pydicom.Dataset:
    try:
        return pydicom.dcmread(io.BytesIO(content), specific_tags=list(READ))
    except Exception as error:  # pydicom raises many kinds for broken files
        raise refusal(name, f"is not a readable DICOM file ({type(error).__name__})") from error


def require_chest_picture(header: pydicom.Dataset, *, name: str, max_pixels: int) -> None:
    """Refuse what is no single grey picture, or may have its patient's name in the pixels."""
    if not header.get("PixelData"):
        raise refusal(name, "has no pixel data")
    frames = whole_number(header.get("NumberOfFrames") or 1)
    if frames != 1:
        raise refusal(name, f"has {frames} frames; a chest X-ray is one picture")
    kind = header.get("PhotometricInterpretation")
    if not kind:
        raise refusal(name, "does not say what its pixel values mean")
    if header.get("SamplesPerPixel", 1) != 1 or kind not in GREY:
        raise refusal(name, "is in colour; a chest X-ray is grey")
    if str(header.get("BurnedInAnnotation") or "").upper() == "YES":
        raise refusal(name, "has text burnt into its pixels, which may name its patient")
    width, height = (whole_number(header.get(side)) for side in ("Columns", "Rows"))
    if not (width > 0 and height > 0):
        raise refusal(name, "does not say how many pixels it has")
    if width * height > max_pixels:
        raise refusal(name, f"has {width} x {height} pixels, more than the {max_pixels:,} allowed")


def whole_number(value: object) -> int:
    """0 where it is none."""
    try:
        return int(str(value))
    except ValueError:
        return 0


def jpeg_as_it_came(header: pydicom.Dataset, *, name: str) -> bytes | None:
    """The JPEG in the file where its values are what is to be seen, without free text."""
    if transfer_syntax(header) != JPEGBaseline8Bit or needs_rendering(header):
        return None
    try:
        return without_free_text(get_frame(header.PixelData, 0, number_of_frames=1))
    except Exception as error:  # pydicom raises many kinds for broken files
        raise refusal(name, "has a JPEG that is cut off") from error


def needs_rendering(header: pydicom.Dataset) -> bool:
    """Whether the stored values differ from those to be seen."""
    if header.get("BitsAllocated") != 8 or header.PhotometricInterpretation == "MONOCHROME1":
        return True
    if is_inverted(header) or "VOILUTSequence" in header or "ModalityLUTSequence" in header:
        return True
    if rescaling(header) != (1.0, 0.0):
        return True
    window = first_window(header)
    return window is not None and not is_whole_range(header, window)


def is_whole_range(header: pydicom.Dataset, window: tuple[float, float]) -> bool:
    """Whether an 8-bit window shows all values as they are, in any of the usual spellings."""
    centre, width = window
    is_linear = str(header.get("VOILUTFunction") or "LINEAR").startswith("LINEAR")
    return is_linear and width in {255, 256} and 127 <= centre <= 128


def without_free_text(stream: bytes) -> bytes:
    """A JPEG without comments, application segments and what follows its end.

    What is left decodes to the same pixels. A stream that is cut off raises.
    """
    kept, place = bytearray(stream[:2]), 2
    while stream[place + 1] != START_OF_SCAN:
        marker, end = stream[place + 1], place + 2
        end += int.from_bytes(stream[place + 2 : place + 4], "big")
        is_application = 0xE0 <= marker <= 0xEF and marker not in KEPT_MARKERS
        if marker != COMMENT and not is_application:
            kept += stream[place:end]
        place = end
    return bytes(kept) + stream[place : stream.rindex(END_OF_IMAGE) + len(END_OF_IMAGE)]


def decode_jpeg(stream: bytes, *, name: str) -> PIL.Image.Image:
    try:
        picture = PIL.Image.open(io.BytesIO(stream), formats=["JPEG"])
        picture.load()
    except Exception as error:  # Pillow raises many kinds for broken files
        raise refusal(name, f"has a JPEG that cannot be decoded: {error}") from error
    if picture.mode != "L":
        raise refusal(name, "is in colour; a chest X-ray is grey")
    return picture


def render(header: pydicom.Dataset, *, name: str) -> np.ndarray:
    """8-bit grey H x W as on a screen: rescaled, windowed, and dark where it is to be dark.

    DICOM PS3.3 C.11.1, C.11.2. Without a window or look-up table the whole range is shown,
    padding apart.
    """
    try:
        stored = pixel_array(header)
    except Exception as error:  # pydicom and its decoders raise many kinds
        syntax = UID(transfer_syntax(header)).name
        raise refusal(name, f"cannot be decoded ({syntax}): {first_line(error)}") from error
    if stored.ndim != 2:
        raise refusal(name, f"has pixels of the shape {stored.shape}; a chest X-ray is one picture")
    values = np.asarray(apply_modality_lut(stored, header), dtype=np.float64)
    shown = window_values(values, header, is_padding=padding_of(stored, header))
    if (header.PhotometricInterpretation == "MONOCHROME1") != is_inverted(header):
        shown = 1 - shown
    return np.rint(shown * BRIGHTEST).astype(np.uint8)


def is_inverted(header: pydicom.Dataset) -> bool:
    return str(header.get("PresentationLUTShape") or "").upper() == "INVERSE" and (
        header.PhotometricInterpretation == "MONOCHROME2"
    )


def window_values(
    values: np.ndarray, header: pydicom.Dataset, *, is_padding: np.ndarray
) -> np.ndarray:
    """Values to [0, 1] by the VOI look-up table, else the first window, else their own range."""
    tables = header.get("VOILUTSequence")
    if tables:
        bits = int(tables[0].LUTDescriptor[2])
        return apply_voi(values.astype(np.int64), header).astype(np.float64) / (2**bits - 1)
    window = first_window(header)
    if window is not None:
        function = str(header.get("VOILUTFunction") or "LINEAR")
        return apply_window(values, centre=window[0], width=window[1], function=function)
    if header.get("BitsAllocated") == 8 and rescaling(header) == (1.0, 0.0):
        return np.clip(values / BRIGHTEST, 0, 1)
    seen = values[~is_padding] if not is_padding.all() else values
    lowest, highest = seen.min(), seen.max()
    return np.clip((values - lowest) / max(highest - lowest, 1e-9), 0, 1)


def apply_window(values: np.ndarray, *, centre: float, width: float, function: str) -> np.ndarray:
    """Values to [0, 1] by a window; DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3."""
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    return np.clip((values - (centre - 0.5)) / max(width - 1, 1e-9) + 0.5, 0, 1)


def first_window(header: pydicom.Dataset) -> tuple[float, float] | None:
    """Centre and width of the first window, None where there is none that can be used."""
    centre, width = (first_number(header.get(name)) for name in ("WindowCenter", "WindowWidth"))
    return None if centre is None or width is None or width <= 0 else (centre, width)


def rescaling(header: pydicom.Dataset) -> tuple[float, float]:
    """Slope and intercept."""
    slope = first_number(header.get("RescaleSlope"))
    return (1.0 if slope is None else slope, first_number(header.get("RescaleIntercept")) or 0.0)


def first_number(value: object) -> float | None:
    """Returns the number, or the first of several; None where there is none."""
    first = value[0] if isinstance(value, pydicom.multival.MultiValue) and value else value
    try:
        number = float(str(first))
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def padding_of(stored: np.ndarray, header: pydicom.Dataset) -> np.ndarray:
    """Which pixels lie outside the picture (DICOM PS3.3 C.7.5.1.1.2)."""
    first = first_number(header.get("PixelPaddingValue"))
    if first is None:
        return np.zeros(stored.shape, dtype=bool)
    last = first_number(header.get("PixelPaddingRangeLimit"))
    low, high = sorted((first, first if last is None else last))
    return (stored >= low) & (stored <= high)


def transfer_syntax(header: pydicom.Dataset) -> str:
    return str(header.file_meta.get("TransferSyntaxUID") or "")


def seal(patient_id: str, *, key: bytes) -> str:
    """A hash of a patient's id that nobody can make without the key; empty for none."""
    if not patient_id.strip():
        return ""
    return hashlib.blake2b(patient_id.strip().encode(), key=key, digest_size=16).hexdigest()


def first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def refusal(name: str, what: str) -> RemediableError:
    return RemediableError(
        f"{name} {what}.", remedy="Fetch the file again, or leave it out of the import."
    )
