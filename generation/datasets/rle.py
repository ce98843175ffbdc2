"""Run-length codes of masks: three public codes, each by the name of who uses it.

A mask is a boolean array H x W. The codes differ in where a run starts and in which direction
pixels are counted; one read as another gives a mask that looks plausible and is wrong.

======== ==================================== ============ =====================
code     numbers                              pixels       used by
======== ==================================== ============ =====================
siim     gap since the last run's end, length column-major SIIM-ACR, CANDID-PTX
chexmask start counted from 1, length         row-major    CheXmask
coco     lengths of 0, 1, 0, 1, ...           column-major COCO
======== ==================================== ============ =====================
"""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np

from generation.errors import RemediableError

Codec = Literal["siim", "chexmask", "coco"]
CODECS: tuple[Codec, ...] = get_args(Codec)
GREATEST = 2**31
"""Sums of greater numbers could overflow, and then pass for the size of a mask."""
NOTHING = "-1"
"""What SIIM writes for an image without a mask."""

Mask = np.ndarray
Numbers = np.ndarray
"""int64, one-dimensional."""


def decode(codec: Codec, text: str, *, height: int, width: int) -> Mask:
    """Returns the mask H x W that a text encodes; a text that cannot be one is refused."""
    return _DECODERS[codec](text, height=height, width=width)


def decode_siim(text: str, *, height: int, width: int) -> Mask:
    if text.strip() == NOTHING:
        return np.zeros((height, width), dtype=bool)
    gaps, lengths = _pairs(_numbers(text))
    ends = np.cumsum(gaps + lengths)
    return _paint(ends - lengths, ends, height * width).reshape(width, height).T


def encode_siim(mask: Mask) -> str:
    starts, ends = _runs(mask.T)
    if not len(starts):
        return NOTHING
    gaps = starts - np.concatenate([[0], ends[:-1]])
    return _join(np.stack([gaps, ends - starts], axis=1))


def decode_chexmask(text: str, *, height: int, width: int) -> Mask:
    starts, lengths = _pairs(_numbers(text))
    if len(starts) and starts.min() < 1:
        raise _refusal("starts a run before the first pixel, which is 1")
    first = starts - 1
    return _paint(first, first + lengths, height * width).reshape(height, width)


def encode_chexmask(mask: Mask) -> str:
    starts, ends = _runs(mask)
    return _join(np.stack([starts + 1, ends - starts], axis=1))


def decode_coco(text: str, *, height: int, width: int) -> Mask:
    """Counts as numbers between spaces or as a JSON list; they must fill the whole mask."""
    counts = _numbers(text.strip().removeprefix("[").removesuffix("]").replace(",", " "))
    if counts.sum() != height * width:
        raise _refusal(f"counts {counts.sum():,} pixels, the mask has {height * width:,}")
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(width, height).T


def encode_coco(mask: Mask) -> str:
    pixels = mask.T.ravel()
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    counts = np.diff(np.concatenate([[0], changes, [len(pixels)]]))
    return _join(np.concatenate([[0], counts]) if pixels[0] else counts)


_DECODERS: dict[Codec, Callable[..., Mask]] = {
    "siim": decode_siim,
    "chexmask": decode_chexmask,
    "coco": decode_coco,
}


def unite(codec: Codec, texts: Sequence[str], *, height: int, width: int) -> Mask:
    """Returns what any of several texts paints: some data sets write a row for each part of a
    mask.
    """
    masks = [decode(codec, text, height=height, width=width) for text in texts]
    return np.logical_or.reduce(masks)


def _numbers(text: str) -> Numbers:
    try:
        numbers = np.array(text.split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise _refusal("is not made of whole numbers") from error
    if len(numbers) and numbers.min() < 0:
        raise _refusal("has a negative number")
    if len(numbers) and numbers.max() > GREATEST:
        raise _refusal(f"has a number above {GREATEST:,}, more pixels than any mask has")
    return numbers


def _pairs(numbers: Numbers) -> tuple[Numbers, Numbers]:
    if len(numbers) % 2:
        raise _refusal("has an odd number of numbers")
    return numbers[::2], numbers[1::2]


def _paint(starts: Numbers, ends: Numbers, size: int) -> Mask:
    """True from each start to before its end, in a flat mask of this size."""
    if len(ends) and ends.max() > size:
        raise _refusal(f"ends at pixel {ends.max():,} of {size:,}")
    pixels = np.zeros(size, dtype=bool)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        pixels[start:end] = True
    return pixels


def _runs(mask: Mask) -> tuple[Numbers, Numbers]:
    """Where runs of True start and end in the order of the array's rows."""
    padded = np.concatenate([[False], mask.ravel(), [False]])
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    return changes[::2], changes[1::2]


def _join(numbers: Numbers) -> str:
    return " ".join(map(str, numbers.ravel()))


def _refusal(what: str) -> RemediableError:
    return RemediableError(
        f"its run-length code {what}", remedy="Fetch the file again as it is distributed."
    )
