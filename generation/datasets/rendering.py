"""From the stored values of a DICOM picture to what is to be seen, stage by stage.

Each stage is as the standard has it: the stored values (PS3.5 8.1), the modality look-up
table or rescaling (PS3.3 C.11.1), the table or window of interest (C.11.2), the shape of the
presentation (C.11.6). Where a file says something that the standard does not know, it is
refused in words; the one exception is a table whose entries have another depth than it
states, as scanners write it: its greatest entry is white.
"""

import numpy as np
import pydicom
from pydicom.pixels.utils import pixel_array
from pydicom.uid import RLELossless

from generation.errors import RemediableError

BRIGHTEST = 255
WHOLE_CELLS = (8, 16, 32)
"""The sizes of cells in bits within which the stored bits may lie anywhere."""
WORD = 0xFFFF
TABLE_BITS = range(8, 17)
BITS_OF_A_BYTE = 8

Values = np.ndarray
"""H x W: stored values as integers, those of a later stage as float64."""


class UnusableHeaderError(RemediableError):
    """A header says something from which no picture can be made."""

    def __init__(self, what: str) -> None:
        super().__init__(what, remedy="Fetch the file again, or leave it out of the import.")


def render(header: pydicom.Dataset) -> np.ndarray:
    """Returns 8-bit grey H x W as on a screen; without a window the whole range is shown.

    Whatever pydicom and its decoders raise comes through.
    """
    cells = pixel_array(header, correct_unused_bits=not has_cells(header))
    if cells.ndim != 2:
        raise UnusableHeaderError("has pixels of more than one picture")
    stored = stored_values(cells, header)
    values = modality_values(stored, header)
    is_padding = padding_of(stored, header) | padding_of(cells, header)
    shown = window_values(values, header, is_padding=is_padding)
    if (header.PhotometricInterpretation == "MONOCHROME1") != is_inverted(header):
        shown = 1 - shown
    return np.rint(shown * BRIGHTEST).astype(np.uint8)


def has_cells(header: pydicom.Dataset) -> bool:
    """Returns whether pixels lie in cells of which only some bits are theirs."""
    syntax = header.file_meta.get("TransferSyntaxUID")
    is_native = syntax is None or not syntax.is_compressed or syntax.is_deflated
    return (is_native or syntax == RLELossless) and header.get("BitsAllocated") in WHOLE_CELLS


def stored_values(cells: Values, header: pydicom.Dataset) -> Values:
    """Returns the bits from HighBit downwards, with their sign (PS3.5 8.1.1)."""
    bits, allocated = header.get("BitsStored"), header.get("BitsAllocated")
    if not has_cells(header) or not bits or bits >= allocated:
        return cells
    highest = max(int(header.get("HighBit") or 0), bits - 1)
    if highest >= allocated:
        raise UnusableHeaderError("says that its pixels end outside of their cells (HighBit)")
    up = np.left_shift(cells, allocated - 1 - highest)
    return np.right_shift(up, allocated - bits)


def modality_values(stored: Values, header: pydicom.Dataset) -> Values:
    """Returns what was measured, by the table or else by slope and intercept (C.11.1.1)."""
    tables = header.get("ModalityLUTSequence")
    if tables:
        entries, _ = look_up(stored, tables[0], header, name="modality look-up table")
        return entries.astype(np.float64)
    slope, intercept = rescaling(header)
    values = stored.astype(np.float64)
    return values if (slope, intercept) == (1.0, 0.0) else values * slope + intercept


def rescaling(header: pydicom.Dataset) -> tuple[float, float]:
    """Returns slope and intercept; what is empty or missing is 1 and 0."""
    slope, intercept = (
        required_number(header, name, default=default)
        for name, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
    )
    if slope == 0:
        raise UnusableHeaderError("has a RescaleSlope of 0, which makes all its pixels alike")
    return slope, intercept


def required_number(header: pydicom.Dataset, name: str, *, default: float) -> float:
    """Returns a number that the picture depends on; several that differ are refused."""
    value = header.get(name)
    if value is None or str(value).strip() == "":
        return default
    several = value if isinstance(value, pydicom.multival.MultiValue) else [value]
    numbers = {first_number(one) for one in several}
    if not numbers:
        return default
    number = numbers.pop()
    if number is None or numbers:
        raise UnusableHeaderError(f"has a {name} that is not one number")
    return number


def window_values(values: Values, header: pydicom.Dataset, *, is_padding: np.ndarray) -> Values:
    """Returns values in [0, 1] by the table of interest, else a window, else their range."""
    tables = header.get("VOILUTSequence")
    if tables:
        whole = np.rint(values).astype(np.int64)
        entries, greatest = look_up(whole, tables[0], header, name="VOI look-up table")
        return entries / greatest
    window = first_window(header)
    if window is not None:
        return apply_window(
            values, centre=window[0], width=window[1], function=window_function(header)
        )
    if is_plain_byte(header):
        return np.clip(values / BRIGHTEST, 0, 1)
    seen = values[~is_padding] if not is_padding.all() else values
    lowest, highest = seen.min(), seen.max()
    return np.clip((values - lowest) / max(highest - lowest, 1e-9), 0, 1)


def is_plain_byte(header: pydicom.Dataset) -> bool:
    """Returns whether stored values are grey levels from 0 to 255 as they are."""
    return (
        (header.get("BitsAllocated"), header.get("BitsStored", 8)) == (8, 8)
        and not header.get("PixelRepresentation")
        and not header.get("ModalityLUTSequence")
        and rescaling(header) == (1.0, 0.0)
    )


def look_up(
    values: Values, table: pydicom.Dataset, header: pydicom.Dataset, *, name: str
) -> tuple[Values, int]:
    """Returns each value's entry, and which entry is white (C.11.1.1, C.11.2.1.1).

    White is the greatest value of the stated depth; where the entries do not have that depth,
    it is the greatest of them.
    """
    descriptor = table.get("LUTDescriptor")
    if not isinstance(descriptor, list | pydicom.multival.MultiValue) or len(descriptor) != 3:
        raise UnusableHeaderError(f"has a {name} without its three numbers")
    count, first, bits = (int(number) for number in descriptor)
    count = (count & WORD) or WORD + 1
    if bits not in TABLE_BITS:
        raise UnusableHeaderError(f"has a {name} of {bits} bits")
    entries = read_entries(table, count=count, bits=bits, header=header, name=name)
    is_signed = header.get("PixelRepresentation") or values.min() < 0 or values.max() < first
    if first > WORD >> 1 and is_signed:
        first -= WORD + 1  # written without its sign
    places = np.clip(values.astype(np.int64) - first, 0, count - 1)
    greatest = int(entries.max())
    white = 2**bits - 1 if greatest.bit_length() == bits else max(greatest, 1)
    return entries[places], white


def read_entries(
    table: pydicom.Dataset, *, count: int, bits: int, header: pydicom.Dataset, name: str
) -> np.ndarray:
    """Returns the entries, written as numbers, as words, or as bytes two to a word (PS3.5 8.2)."""
    data = table.get("LUTData")
    is_big = header.file_meta.get("TransferSyntaxUID", "") == pydicom.uid.ExplicitVRBigEndian
    if isinstance(data, bytes) and len(data) >= 2 * count:
        entries = np.frombuffer(data[: 2 * count], dtype=">u2" if is_big else "<u2")
    elif isinstance(data, bytes):
        entries = np.frombuffer(data, dtype=np.uint8)
        if is_big and table["LUTData"].VR == "OW":
            entries = entries[: len(data) // 2 * 2].reshape(-1, 2)[:, ::-1].ravel()
    else:
        numbers = data if isinstance(data, list | pydicom.multival.MultiValue) else []
        entries = np.array([int(number) & WORD for number in numbers], dtype="<u2")
        if len(entries) < count:
            entries = entries.view(np.uint8)
    if entries.dtype == np.uint8 and bits != BITS_OF_A_BYTE:
        entries = entries[:0]
    if len(entries) < count:
        raise UnusableHeaderError(f"has a {name} that lacks entries")
    return entries[:count].astype(np.int64)


def window_function(header: pydicom.Dataset) -> str:
    return str(header.get("VOILUTFunction") or "LINEAR").strip().upper()


def apply_window(values: Values, *, centre: float, width: float, function: str) -> Values:
    """Returns values in [0, 1] by a window (C.11.2.1.2 and C.11.2.1.3)."""
    if function == "SIGMOID":
        with np.errstate(over="ignore"):  # far below the centre it is 0
            return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    if width == 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


def first_window(header: pydicom.Dataset) -> tuple[float, float] | None:
    """Returns centre and width of the first window, None where there is none that can be used."""
    centre, width = (first_number(header.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None or width <= 0:
        return None
    if width < 1 and window_function(header) not in {"SIGMOID", "LINEAR_EXACT"}:
        return None
    return centre, width


def first_number(value: object) -> float | None:
    """Returns the one number or the first of several; None where there is none."""
    first = value[0] if isinstance(value, pydicom.multival.MultiValue) and value else value
    text = str(first)
    try:
        number = float(text) if text.isascii() and "_" not in text else np.nan
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def padding_of(pixels: Values, header: pydicom.Dataset) -> np.ndarray:
    """Returns which pixels lie outside the picture (C.7.5.1.1.2).

    The value may be written with a sign that the pixels do not have, or without theirs.
    """
    first = first_number(header.get("PixelPaddingValue"))
    if first is None or pixels.dtype.kind not in "iu":
        return np.zeros(pixels.shape, dtype=bool)
    last = first_number(header.get("PixelPaddingRangeLimit"))
    low, high = sorted((int(first), int(first if last is None else last)))
    possible = np.iinfo(pixels.dtype)
    cells = int(possible.max) - int(possible.min) + 1
    if high < possible.min or low > possible.max:
        shift = cells if high < possible.min else -cells
        low, high = low + shift, high + shift
    return (pixels >= max(low, possible.min)) & (pixels <= min(high, possible.max))


def is_inverted(header: pydicom.Dataset) -> bool:
    return str(header.get("PresentationLUTShape") or "").upper() == "INVERSE" and (
        header.PhotometricInterpretation == "MONOCHROME2"
    )
