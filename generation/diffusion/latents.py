"""Latents of augmented training images, made once, so that the denoiser trains without the VAE."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL

from generation.training.checkpoints import Report, generator_for, load_state, save_state
from generation.training.images import ImageSet, augment

ENCODE_AT_ONCE = 64


@torch.no_grad()
def encode(autoencoder: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """Posterior means of N x 1 x R x R images: float, N x C x R/4 x R/4."""
    parts = []
    for part in images.split(ENCODE_AT_ONCE):
        with torch.autocast(autoencoder.device.type, torch.bfloat16):
            posterior = autoencoder.encode(part.to(autoencoder.device)).latent_dist
        parts.append(posterior.mean.float())
    return torch.cat(parts)


@torch.no_grad()
def normalise_latents(autoencoder: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """Give each latent channel mean 0 and deviation 1 over the sample, inside the autoencoder.

    The shift and the scale are folded into the convolutions next to the latent
    space, so any pipeline with a ``scaling_factor`` of 1 decodes what it denoised.
    Returns the normalised sample, N x C x H x W.
    """
    mean = latents.mean(dim=(0, 2, 3))
    deviation = latents.std(dim=(0, 2, 3)).clamp_min(1e-3)
    channels = latents.shape[1]
    into, out_of = autoencoder.quant_conv, autoencoder.post_quant_conv
    out_of.bias.add_(out_of.weight[:, :, 0, 0] @ mean)
    out_of.weight.mul_(deviation.view(1, -1, 1, 1))
    into.weight[:channels].div_(deviation.view(-1, 1, 1, 1))
    into.bias[:channels].sub_(mean).div_(deviation)
    into.bias[channels:].sub_(2 * deviation.log())
    return (latents - mean.view(1, -1, 1, 1)) / deviation.view(1, -1, 1, 1)


def cache_latents(
    autoencoder: AutoencoderKL,
    images: ImageSet,
    *,
    versions: int,
    seed: int,
    cache: Path,
    report: Report,
) -> torch.Tensor:
    """Encode augmented versions of every image: float, versions x N x C x H x W.

    The first call also normalises the autoencoder; the cache keeps both.
    """
    if state := load_state(cache):
        autoencoder.load_state_dict(state["autoencoder"])
        kept: torch.Tensor = state["latents"]
        return kept.to(autoencoder.device).float()
    made = []
    for version in range(versions):
        generator = generator_for(seed, version)
        made.append(encode(autoencoder, augment(images.pixels, generator)))
        report(version + 1, {})
    latents = normalise_latents(autoencoder, torch.cat(made))
    latents = latents.view(versions, len(images), *latents.shape[1:])
    state = {"latents": latents.bfloat16(), "autoencoder": autoencoder.state_dict()}
    save_state(cache, state)
    return latents
