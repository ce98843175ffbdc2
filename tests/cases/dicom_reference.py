"""The rendering of a DICOM picture written down again from the standard, pixel by pixel.

PS3.5 8.1.1 for stored values, PS3.3 C.11.1.1 and C.11.2.1.1 for tables, C.11.2.1.2 and
C.11.2.1.3 for windows. Nothing of the product is used, and nothing is fast.
"""

from dataclasses import dataclass
from math import exp


@dataclass(frozen=True, kw_only=True)
class Table:
    first: int
    bits: int
    entries: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Header:
    allocated: int
    stored: int
    high: int
    signed: bool
    slope: float = 1.0
    intercept: float = 0.0
    modality: Table | None = None
    voi: Table | None = None
    window: tuple[float, float] | None = None
    function: str = "LINEAR"
    is_monochrome1: bool = False
    padding: int | None = None


def stored_value(cell: int, header: Header) -> int:
    """Returns the value in a cell, which is an unsigned number."""
    value = (cell >> (header.high + 1 - header.stored)) & (2**header.stored - 1)
    if header.signed and value >= 2 ** (header.stored - 1):
        value -= 2**header.stored
    return value


def entry_of(value: int, table: Table) -> int:
    place = min(max(value - table.first, 0), len(table.entries) - 1)
    return table.entries[place]


def modality_value(value: int, header: Header) -> float:
    if header.modality:
        return entry_of(value, header.modality)
    return value * header.slope + header.intercept


def windowed(x: float, centre: float, width: float, function: str) -> float:
    if function == "SIGMOID":
        return 1 / (1 + exp(min(-4 * (x - centre) / width, 700)))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    if x <= centre - width / 2:
        return 0
    return 1 if x > centre + width / 2 else (x - centre) / width + 0.5


def shown(cells: list[int], header: Header) -> list[float]:
    """Grey levels from 0 to 255, not rounded."""
    stored = [stored_value(cell, header) for cell in cells]
    values = [modality_value(value, header) for value in stored]
    if header.voi:
        greatest = max(header.voi.entries)
        states_its_depth = 2 ** (header.voi.bits - 1) <= greatest < 2**header.voi.bits
        white = 2**header.voi.bits - 1 if states_its_depth else max(greatest, 1)
        grey = [entry_of(round(value), header.voi) / white for value in values]
    elif header.window:
        grey = [windowed(value, *header.window, header.function) for value in values]
    elif (
        (header.allocated, header.stored) == (8, 8)
        and not (header.signed or header.modality)
        and (header.slope, header.intercept) == (1, 0)
    ):
        grey = [value / 255 for value in values]
    else:
        pairs = zip(values, stored, strict=True)
        seen = [value for value, one in pairs if one != header.padding] or values
        low, high = min(seen), max(seen)
        grey = [min(max((value - low) / max(high - low, 1e-9), 0), 1) for value in values]
    return [255 * (1 - one if header.is_monochrome1 else one) for one in grey]
