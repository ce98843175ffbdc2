"""Stored pictures as arrays, and arrays as the files that are stored."""

import io
from typing import Any

import numpy as np
import PIL.Image

from feedback_app.images.blobs.models import Blob, Image


def pixels_of(image: Image) -> "np.ndarray[Any, Any]":
    """Returns grey values, uint8, H x W."""
    with PIL.Image.open(io.BytesIO(image.blob.read())) as picture:
        return np.asarray(picture.convert("L"))


def mask_of(blob: Blob) -> "np.ndarray[Any, Any]":
    """Returns where the mask is, bool, H x W."""
    return mask_in(blob.read())


def mask_in(content: bytes) -> "np.ndarray[Any, Any]":
    """Returns where the mask of a PNG is, bool, H x W."""
    with PIL.Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("L")) > 127


def encode_png(pixels: "np.ndarray[Any, Any]") -> bytes:
    """Returns a grey 8-bit PNG (uint8, H x W), uncompressed: files of one size tell nothing by
    theirs.
    """
    file = io.BytesIO()
    PIL.Image.fromarray(pixels, mode="L").save(file, format="PNG", compress_level=0)
    return file.getvalue()
