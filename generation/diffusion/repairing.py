"""Drawing regions of an image again by the model that made it, and keeping the rest.

At every step, what lies outside of the regions is put back as the original with as much
noise as there is then (blended latent diffusion, Avrahami et al. 2022, arXiv 2206.02779), so
that what is drawn inside fits it. The autoencoder would change the rest a little; so pixels
outside of the regions are the original's own in the end, and inside them a narrow rim leads
from the one to the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import PIL.Image
import torch
from scipy.ndimage import distance_transform_edt

from generation.conditioning.regions import scaled, shares_of
from generation.errors import RemediableError
from generation.grey import to_grey
from generation.specs import RepairSpec

RIM = 1 / 32
"""The width of the rim as a part of the image's side."""


@dataclass(frozen=True)
class Blend:
    """A callback of a pipeline's steps; all are N x C x h x w, ``redrawn`` N x 1 x h x w."""

    original: torch.Tensor
    noise: torch.Tensor
    redrawn: torch.Tensor

    def __call__(
        self, pipeline: Any, step: int, timestep: Any, tensors: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """Put the original back outside of the regions, as noisy as the next step expects."""
        latents, upcoming = tensors["latents"], pipeline.scheduler.timesteps[step + 1 : step + 2]
        kept = self.original.to(latents)
        if len(upcoming):
            kept = pipeline.scheduler.add_noise(kept, self.noise.to(latents), upcoming)
        redrawn = self.redrawn.to(latents)
        return {"latents": redrawn * latents + (1 - redrawn) * kept}


def blending(
    pipeline: Any, repairs: Sequence[RepairSpec], *, generators: Sequence[torch.Generator]
) -> dict[str, Any]:
    """Return what a pipeline is called with, beside its conditions, to repair N images."""
    original = _encode(pipeline, repairs)
    height, width = original.shape[2:]
    shares = [
        shares_of(scaled(repair.regions, 1 / pipeline.vae_scale_factor), (height, width))
        for repair in repairs
    ]
    noise = torch.cat(
        [torch.randn(1, *original.shape[1:], generator=generator) for generator in generators]
    )
    redrawn = torch.from_numpy(np.stack(shares) > 0)[:, None].float()
    return {
        "latents": noise.to(pipeline.device, pipeline.unet.dtype),
        "callback_on_step_end": Blend(original, noise, redrawn),
    }


def _encode(pipeline: Any, repairs: Sequence[RepairSpec]) -> torch.Tensor:
    vae = pipeline.vae
    pictures = [_original(repair) for repair in repairs]
    pixels = torch.from_numpy(np.stack(pictures))[:, None].float() / 127.5 - 1
    pixels = pixels.to(vae.device, vae.dtype).expand(-1, vae.config.in_channels, -1, -1)
    latents: torch.Tensor = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
    return latents


def put_in(repair: RepairSpec, made: np.ndarray) -> np.ndarray:
    """Give the original with the made picture in its regions: uint8, H x W."""
    original = _original(repair)
    if original.shape != made.shape:
        raise RemediableError(
            f"an image of {original.shape[1]} x {original.shape[0]} pixels cannot be repaired "
            f"at {made.shape[1]} x {made.shape[0]}",
            remedy="Repair it at its own size.",
        )
    inside = shares_of(repair.regions, made.shape) >= 0.5
    if inside.all():
        return made
    share = (distance_transform_edt(inside) / max(1.0, RIM * max(made.shape))).clip(0, 1)
    return np.rint(original + share * (made.astype(np.float64) - original)).astype(np.uint8)


def _original(repair: RepairSpec) -> np.ndarray:
    with PIL.Image.open(repair.image) as picture:
        return np.array(to_grey(picture))
