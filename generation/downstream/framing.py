"""Images and masks in the frame that base models learn from: the central square, resized."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.nn import functional

from generation.conditioning.masks import read_mask
from generation.errors import RemediableError
from generation.specs import Split, TrainingImage
from generation.training.images import ImageSet, load_images


@dataclass(frozen=True)
class MaskedSet:
    """It holds images with masks of one kind, both uint8, N x 1 x 2R x 2R; masks are 0 and 255."""

    images: ImageSet
    masks: torch.Tensor

    def __len__(self) -> int:
        return len(self.images)


def load_masked(
    rows: Sequence[TrainingImage], *, kind: str, split: Split, resolution: int
) -> MaskedSet:
    """Load the images of a split that have a mask of this kind, at twice the resolution."""
    masked = [row for row in rows if kind in row.masks]
    if not any(row.split == split for row in masked):
        raise RemediableError(
            f"no image of the {split} split has a mask of the kind {kind!r}",
            remedy="Choose a cohort with such masks, or import more of its patients.",
        )
    images = load_images(masked, split=split, resolution=resolution)
    masks = [read_mask(Path(row.masks[kind]), side=2 * resolution) for row in images.rows]
    return MaskedSet(images, torch.from_numpy(255 * np.stack(masks).astype(np.uint8))[:, None])


def frame(image: np.ndarray, *, side: int) -> np.ndarray:
    """Returns the central square of an 8-bit grey image (H x W), resized: uint8, side x side."""
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS))


def frame_mask(mask: np.ndarray, *, side: int) -> np.ndarray:
    """Returns the central square of a mask (bool, H x W), resized: bool, side x side."""
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(ImageOps.fit(picture, (side, side), Image.Resampling.NEAREST)) > 127


def unframe(framed: torch.Tensor, *, width: int, height: int) -> np.ndarray:
    """Returns probabilities of a central square (R x R) back on the whole image: float, H x W.

    What was outside the square is 0: nothing is known of it.
    """
    side = min(width, height)
    square = functional.interpolate(framed[None, None], (side, side), mode="bilinear")[0, 0]
    left, top = (width - side) // 2, (height - side) // 2
    whole = torch.zeros(height, width)
    whole[top : top + side, left : left + side] = square
    return whole.numpy()


def as_input(images: Sequence[np.ndarray], *, side: int) -> torch.Tensor:
    """8-bit grey images of any size as a network takes them: N x 1 x side x side in [-1, 1]."""
    framed = np.stack([frame(image, side=side) for image in images])
    return torch.from_numpy(framed)[:, None].float() / 127.5 - 1
