"""Pictures of any kind as 8-bit grey, by one rule for learning from them and for reading them."""

import numpy as np
import PIL.Image


def to_grey(picture: PIL.Image.Image) -> PIL.Image.Image:
    """8-bit grey: as it is; colour by its luma (BT.601); more bits by the brightest pixel.

    Alpha is left out. Grey pictures that are stored as RGB keep their values exactly. Pillow's
    own conversion of 16 bits would clip to white.
    """
    if picture.mode == "L":
        return picture
    if picture.mode.startswith("I"):
        pixels = np.asarray(picture, dtype=np.float32)
        return PIL.Image.fromarray((pixels / max(pixels.max(), 1) * 255).astype(np.uint8))
    if picture.mode in {"1", "LA", "La"}:
        return picture.convert("L")
    return picture.convert("RGB").convert("L")
