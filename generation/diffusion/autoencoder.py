"""The KL autoencoder: grey-scale images to latents of a quarter of the side, and back."""

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch.nn import functional

from generation.training.checkpoints import Report
from generation.training.images import ImageSet, augment
from generation.training.loop import Figures, Plan, Trainee, train
from generation.training.schedules import warm_up_then_cosine


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """The settings say what the autoencoder is and how it is trained.

    It needs many steps more than it needs pixels, so it trains on small crops and,
    for the last share of the steps, on whole images, to which it then is used.
    """

    resolution: int
    steps: int
    seed: int = 0
    batch_size: int = 8
    crop: int = 64
    whole_image_share: float = 0.1
    latent_channels: int = 4
    widths: tuple[int, ...] = (16, 32, 64)
    peak_learning_rate: float = 1.5e-3
    warm_up: int = 100
    gradient_weight: float = 1.0
    kl_weight: float = 1e-5
    checkpoint_every: int = 250


def build_autoencoder(config: AutoencoderConfig) -> AutoencoderKL:
    stages = len(config.widths)
    torch.manual_seed(config.seed)
    autoencoder: AutoencoderKL = AutoencoderKL(
        in_channels=1,
        out_channels=1,
        down_block_types=("DownEncoderBlock2D",) * stages,
        up_block_types=("UpDecoderBlock2D",) * stages,
        block_out_channels=config.widths,
        layers_per_block=1,
        latent_channels=config.latent_channels,
        norm_num_groups=8,
        sample_size=config.resolution,
        scaling_factor=1.0,
        mid_block_add_attention=False,
    )
    return autoencoder


def gradient_difference(images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of the finite differences along both axes; N x C x H x W each."""
    difference = images - targets
    return difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()


def reconstruction_loss(
    images: torch.Tensor, targets: torch.Tensor, *, gradient_weight: float
) -> torch.Tensor:
    """Returns L1 and, at full, half and quarter size, L1 on image gradients; N x 1 x H x W in [-1,
    1].
    """
    loss = functional.l1_loss(images, targets)
    for scale in (1, 2, 4):
        pooled = functional.avg_pool2d(images, scale), functional.avg_pool2d(targets, scale)
        loss = loss + gradient_weight * gradient_difference(*pooled) / scale
    return loss


def kl_to_standard_normal(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """Returns KL(N(mean, variance) || N(0, 1)) in nats, averaged over all latent values."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def crop(images: torch.Tensor, side: int, generator: torch.Generator) -> torch.Tensor:
    """Cut one random square out of every image: N x C x side x side."""
    room = images.shape[-1] - side + 1
    top, left = torch.randint(room, (2,), generator=generator).tolist()
    return images[..., top : top + side, left : left + side]


class AutoencoderTrainee(Trainee):
    """An autoencoder learns to give images back, with what of it is not frozen."""

    def __init__(
        self, autoencoder: AutoencoderKL, images: ImageSet, config: AutoencoderConfig
    ) -> None:
        super().__init__(autoencoder=autoencoder)
        self.autoencoder = autoencoder
        self.images = images
        self.config = config

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        config, device = self.config, self.autoencoder.device
        # A batch of random images: B x 1 x R x R, or small crops of them but for the last steps.
        chosen = torch.randint(len(self.images), (config.batch_size,), generator=generator)
        targets = augment(self.images.pixels[chosen], generator)
        if step < config.steps * (1 - config.whole_image_share):
            targets = crop(targets, min(config.crop, config.resolution), generator)
        targets = targets.to(device)
        # There and back, in half precision; the losses are in float32.
        with torch.autocast(device.type, torch.bfloat16):
            posterior = self.autoencoder.encode(targets).latent_dist  # B x C x R/4 x R/4
            outputs = self.autoencoder.decode(posterior.sample(generator)).sample
        reconstruction = reconstruction_loss(
            outputs.float(), targets, gradient_weight=config.gradient_weight
        )
        kl = kl_to_standard_normal(posterior.mean.float(), posterior.logvar.float())
        loss = reconstruction + config.kl_weight * kl
        return loss, {"reconstruction": reconstruction, "kl": kl}


def train_autoencoder(
    images: ImageSet,
    config: AutoencoderConfig,
    *,
    device: torch.device,
    checkpoint: Path,
    report: Report,
) -> AutoencoderKL:
    """Train, or take up again, and return the autoencoder in evaluation mode."""
    autoencoder = build_autoencoder(config).to(device)
    trainee = AutoencoderTrainee(autoencoder, images, config)
    train(trainee, plan_of(config), checkpoint=checkpoint, report=report)
    return autoencoder


def sharpen_decoder(
    autoencoder: AutoencoderKL,
    images: ImageSet,
    config: AutoencoderConfig,
    *,
    checkpoint: Path,
    report: Report,
) -> AutoencoderKL:
    """Train the decoder on alone: the latents, and so a denoiser of them, stay as they are."""
    autoencoder.encoder.requires_grad_(False)
    autoencoder.quant_conv.requires_grad_(False)
    trainee = AutoencoderTrainee(autoencoder, images, config)
    train(trainee, plan_of(config), checkpoint=checkpoint, report=report)
    return autoencoder


def plan_of(config: AutoencoderConfig) -> Plan:
    return Plan(
        steps=config.steps,
        seed=config.seed,
        learning_rate=config.peak_learning_rate,
        schedule=warm_up_then_cosine(warm_up=config.warm_up, total=config.steps),
        weight_decay=1e-4,
        clipped_norm=1.0,
        checkpoint_every=config.checkpoint_every,
    )
