"""Training images in memory, and the small random changes they are trained with."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import TypeAdapter, ValidationError
from torch.nn import functional

from generation.errors import RemediableError
from generation.grey import to_grey
from generation.specs import Split, TrainingImage

MAX_ROTATION_RAD = 0.07
MIN_FIELD = 0.88
"""The smallest part of the side of an image that an augmented version shows."""
MAX_CONTRAST = 0.12
MAX_BRIGHTNESS = 0.06


@dataclass(frozen=True)
class ImageSet:
    """Images with what is known of them; ``pixels`` is uint8, N x 1 x 2R x 2R."""

    pixels: torch.Tensor
    rows: tuple[TrainingImage, ...]

    def __len__(self) -> int:
        return len(self.rows)


def read_manifest(path: Path) -> list[TrainingImage]:
    """Read JSON lines of training images."""
    adapter = TypeAdapter(TrainingImage)
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            rows.append(adapter.validate_python(json.loads(line)))
        except (ValidationError, json.JSONDecodeError) as error:
            raise RemediableError(
                f"{path}, line {number} is not a training image: {error}",
                remedy="Write the manifest again with manage.py pretrain.",
            ) from error
    return rows


def read_grey(path: Path, *, side: int) -> np.ndarray:
    """Read an image as 8-bit grey, its central square resized: uint8, side x side."""
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.fit(to_grey(image), (side, side), Image.Resampling.LANCZOS))
    except (OSError, UnidentifiedImageError) as error:
        raise RemediableError(
            f"{path} cannot be read as an image: {error}",
            remedy="Import the cohort again, or take the image out of the manifest.",
        ) from error


def load_images(rows: list[TrainingImage], *, split: Split, resolution: int) -> ImageSet:
    """Load a split at twice the resolution, so that a turned or scaled version stays sharp."""
    chosen = tuple(row for row in rows if row.split == split)
    if not chosen:
        raise RemediableError(
            f"the manifest has no image of the {split} split",
            remedy="Import more patients: about one in ten goes to validation, one to test.",
        )
    pixels = np.stack([read_grey(Path(row.path), side=2 * resolution) for row in chosen])
    return ImageSet(torch.from_numpy(pixels)[:, None], chosen)


def join(first: ImageSet, second: ImageSet) -> ImageSet:
    return ImageSet(torch.cat([first.pixels, second.pixels]), first.rows + second.rows)


def plain(pixels: torch.Tensor) -> torch.Tensor:
    """Give unchanged images at half the stored side: float, N x 1 x R x R, in [-1, 1]."""
    return functional.avg_pool2d(pixels.float(), 2) / 127.5 - 1


def pictures_of(images: torch.Tensor) -> list[np.ndarray]:
    """Give N x 1 x H x W in [-1, 1] as N pictures of 8-bit grey, H x W."""
    return list(((images[:, 0] + 1) * 127.5).round().byte().numpy())


def draw_placements(count: int, generator: torch.Generator) -> torch.Tensor:
    """Draw small crops and turns as affine maps of ``affine_grid``: float, N x 2 x 3.

    Never mirrored: the heart belongs at the right of the picture.
    """
    angle = _uniform(count, -MAX_ROTATION_RAD, MAX_ROTATION_RAD, generator)
    field = _uniform(count, MIN_FIELD, 1.0, generator)
    room = 1 - field
    cosine, sine = field * angle.cos(), field * angle.sin()
    shift_x = _uniform(count, -1, 1, generator) * room
    shift_y = _uniform(count, -1, 1, generator) * room
    rows = [torch.stack(row, -1) for row in ((cosine, -sine, shift_x), (sine, cosine, shift_y))]
    return torch.stack(rows, 1)


def place(images: torch.Tensor, placements: torch.Tensor, *, side: int) -> torch.Tensor:
    """Show each image as its placement does: float N x C x S x S to N x C x side x side."""
    shape = [*images.shape[:2], side, side]
    grid = functional.affine_grid(placements, shape, align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def augment(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Crop, turn and re-window images slightly: float, N x 1 x R x R, in [-1, 1]."""
    return augment_placed(pixels, draw_placements(len(pixels), generator), generator)


def augment_placed(
    pixels: torch.Tensor, placements: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """``augment`` with placements drawn before, for what must be placed in the same way."""
    count, side = len(pixels), pixels.shape[-1] // 2
    images = place(pixels.float() / 127.5 - 1, placements, side=side)
    contrast = 1 + _uniform(count, -MAX_CONTRAST, MAX_CONTRAST, generator)
    brightness = _uniform(count, -MAX_BRIGHTNESS, MAX_BRIGHTNESS, generator)
    return (images * contrast.view(-1, 1, 1, 1) + brightness.view(-1, 1, 1, 1)).clamp(-1, 1)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low
