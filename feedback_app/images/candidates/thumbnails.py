"""Small pictures of masks for a page, as data addresses: they are not stored anywhere."""

import base64
import io

import numpy as np
import PIL.Image

from generation.conditioning.masks import LUNG_KINDS, MASK_KINDS, Masks

SIDE = 96
COLOURS = {
    "lungs": (0x4F, 0xE0, 0xEC),
    "lungs_without_heart": (0x4F, 0xE0, 0xEC),
    "heart": (0xFF, 0x9A, 0xD0),
    "pneumothorax": (0x8F, 0xE5, 0x8A),
    "rib_fracture": (0xFF, 0x8F, 0x73),
    "tube": (0xBB, 0xA8, 0xFF),
    "opacity": (0xFF, 0xC8, 0x57),
}
"""As in the style sheet."""
STRENGTH = 0.55
"""Lungs are drawn as strongly as this, and lie under everything else."""


def picture_masks(masks: Masks) -> str:
    """Returns the masks over each other in their kinds' colours, the lungs dimmed."""
    shape = next(iter(masks.values())).shape
    pixels = np.zeros((*shape, 3), dtype=np.uint8)
    others = [kind for kind in MASK_KINDS if kind not in LUNG_KINDS]
    for kind in (*LUNG_KINDS, *others):
        if kind in masks:
            colour = np.array(COLOURS[kind]) * (STRENGTH if kind in LUNG_KINDS else 1)
            pixels[masks[kind]] = colour.astype(np.uint8)
    picture = PIL.Image.fromarray(pixels).resize((SIDE, SIDE), PIL.Image.Resampling.BOX)
    file = io.BytesIO()
    picture.quantize(32).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
