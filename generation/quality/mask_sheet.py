"""Masks kept as one picture: tiles of a side, row by row."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

LUNG_MASKS = Path(__file__).with_name("lung_masks.png")
"""100 lung masks that no model here was trained on: transformed, of held-out images."""
TILE_PX = 128
COLUMNS = 10


def read_mask_sheet(path: Path = LUNG_MASKS) -> np.ndarray:
    """Read the sheet's masks in order: bool, N x TILE_PX x TILE_PX."""
    with Image.open(path) as picture:
        sheet = np.asarray(picture.convert("L")) > 0
    rows = sheet.reshape(sheet.shape[0] // TILE_PX, TILE_PX, COLUMNS, TILE_PX)
    return rows.transpose(0, 2, 1, 3).reshape(-1, TILE_PX, TILE_PX)


def write_mask_sheet(masks: Sequence[np.ndarray], path: Path) -> None:
    """Write masks of TILE_PX x TILE_PX, a multiple of COLUMNS of them, as a 1-bit PNG."""
    rows = np.stack(masks).reshape(-1, COLUMNS, TILE_PX, TILE_PX).transpose(0, 2, 1, 3)
    sheet = rows.reshape(-1, COLUMNS * TILE_PX)
    Image.fromarray(np.where(sheet, 255, 0).astype(np.uint8)).convert("1").save(path, optimize=True)
