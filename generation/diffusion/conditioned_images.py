"""What a ControlNet is trained on: latents of augmented images, with masks placed alike."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from generation.conditioning.masks import MASK_KINDS, read_mask
from generation.diffusion.latents import encode
from generation.errors import RemediableError
from generation.specs import TrainingImage
from generation.training.checkpoints import Report, generator_for, load_state, save_state
from generation.training.images import (
    ImageSet,
    augment_placed,
    draw_placements,
    place,
)


@dataclass(frozen=True)
class ConditionedImages:
    """They are N images in V augmented versions.

    ``latents`` is float, V x N x C x h x w; ``placements`` float, V x N x 2 x 3; ``masks``
    bool, N x K x R x R, a channel for each mask kind.
    """

    latents: torch.Tensor
    placements: torch.Tensor
    masks: torch.Tensor
    rows: tuple[TrainingImage, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def control(self, version: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Returns the masks of these versions of these images (indexes, shape B): float, B x K x R
        x R.
        """
        masks = self.masks[chosen].float()
        placed = place(masks, self.placements[version, chosen], side=masks.shape[-1])
        return (placed > 0.5).float()


def load_masks(rows: tuple[TrainingImage, ...], *, side: int) -> torch.Tensor:
    """Read every image's masks, framed like it: bool, N x K x side x side; no mask is all zero."""
    masks = np.zeros((len(rows), len(MASK_KINDS), side, side), dtype=bool)
    for number, row in enumerate(rows):
        for kind, path in row.masks.items():
            if kind not in MASK_KINDS:
                raise RemediableError(
                    f"{path} is a mask of {kind!r}, for which there is no channel",
                    remedy=f"Mask kinds are {', '.join(MASK_KINDS)}.",
                )
            masks[number, MASK_KINDS.index(kind)] = read_mask(Path(path), side=side)
    return torch.from_numpy(masks)


def condition_images(
    autoencoder: AutoencoderKL,
    images: ImageSet,
    *,
    versions: int,
    seed: int,
    cache: Path,
    report: Report,
) -> ConditionedImages:
    """Encode augmented versions of the images, or take those that ``cache`` keeps."""
    masks = load_masks(images.rows, side=images.pixels.shape[-1] // 2)
    state = load_state(cache)
    if state is None:
        latents, placements = [], []
        for version in range(versions):
            generator = generator_for(seed, version)
            placed = draw_placements(len(images), generator)
            augmented = augment_placed(images.pixels, placed, generator)
            latents.append(encode_scaled(autoencoder, augmented))
            placements.append(placed)
            report(version + 1, {})
        state = {"latents": torch.stack(latents).bfloat16(), "placements": torch.stack(placements)}
        save_state(cache, state)
    return ConditionedImages(state["latents"].float(), state["placements"], masks, images.rows)


def encode_scaled(autoencoder: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """Latents as the UNet sees them, of grey images N x 1 x R x R: float, on the CPU."""
    config = autoencoder.config
    means = encode(autoencoder, images.expand(-1, config.in_channels, -1, -1))
    shift = getattr(config, "shift_factor", None) or 0.0
    return ((means - shift) * config.scaling_factor).cpu()
