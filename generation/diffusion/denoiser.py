"""The denoiser: a UNet and its text encoder, trained together in latent space."""

import random
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.training_utils import compute_snr
from transformers import CLIPTextModel, CLIPTokenizer

from generation.conditioning.prompts import training_prompt
from generation.diffusion.text_encoder import build_text_encoder, token_ids
from generation.specs import TrainingImage
from generation.training import processes
from generation.training.checkpoints import Report
from generation.training.loop import Figures, Plan, Trainee, train
from generation.training.schedules import warm_up_then_cosine

TRAIN_TIMESTEPS = 1_000


@dataclass(frozen=True, kw_only=True)
class DenoiserConfig:
    """The settings say what the denoiser is and how it is trained."""

    latent_side: int
    latent_channels: int
    steps: int
    seed: int = 0
    batch_size: int = 16
    widths: tuple[int, ...] = (32, 64, 128, 192)
    heads: int = 4
    dropout: float = 0.05
    text_width: int = 128
    text_layers: int = 3
    peak_learning_rate: float = 5e-4
    warm_up: int = 200
    prompt_dropout: float = 0.12
    snr_gamma: float = 5.0
    ema_decay: float = 0.999
    checkpoint_every: int = 100


@dataclass(frozen=True)
class Denoiser:
    """The two networks that are trained together."""

    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel


def noise_scheduler() -> DDPMScheduler:
    """Returns the noising that training and every sampler agree on.

    The cosine schedule (Nichol and Dhariwal, 2102.09672) leaves more of the
    steps to moderate noise, which small latents need, and ends in pure noise.
    """
    scheduler: DDPMScheduler = DDPMScheduler(
        num_train_timesteps=TRAIN_TIMESTEPS,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        steps_offset=1,
        clip_sample=False,
    )
    return scheduler


def build_denoiser(config: DenoiserConfig, tokenizer: CLIPTokenizer) -> Denoiser:
    torch.manual_seed(config.seed)
    stages = len(config.widths)
    unet = UNet2DConditionModel(
        sample_size=config.latent_side,
        in_channels=config.latent_channels,
        out_channels=config.latent_channels,
        down_block_types=(*("DownBlock2D",) * 2, *("CrossAttnDownBlock2D",) * (stages - 2)),
        up_block_types=(*("CrossAttnUpBlock2D",) * (stages - 2), *("UpBlock2D",) * 2),
        block_out_channels=config.widths,
        layers_per_block=1,
        attention_head_dim=config.heads,
        cross_attention_dim=config.text_width,
        norm_num_groups=16,
        dropout=config.dropout,
    )
    text_encoder = build_text_encoder(tokenizer, width=config.text_width, layers=config.text_layers)
    return Denoiser(unet, text_encoder)


def loss_weights(snr: torch.Tensor, *, gamma: float) -> torch.Tensor:
    """Weights of the v error by signal-to-noise ratio: (min(snr, gamma) + 1) / (snr + 1).

    Min-SNR (Hang et al., 2303.09556) as a limit on clean timesteps only: at the
    noisy ones, where the layout of the body is decided, the v error counts in full.
    """
    return (snr.clamp(max=gamma) + 1) / (snr + 1)


def target_and_weights(
    scheduler: DDPMScheduler,
    latents: torch.Tensor,
    noise: torch.Tensor,
    timesteps: torch.Tensor,
    *,
    gamma: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Give what a model is to predict, and how much its squared error counts, N.

    Of an epsilon error the weights are min-SNR (Hang et al. 2023, arXiv 2303.09556).
    """
    snr = compute_snr(scheduler, timesteps)
    if scheduler.config.prediction_type == "v_prediction":
        return scheduler.get_velocity(latents, noise, timesteps), loss_weights(snr, gamma=gamma)
    return noise, snr.clamp(max=gamma) / snr.clamp(min=1e-8)


def stratified_timesteps(count: int, *, total: int, generator: torch.Generator) -> torch.Tensor:
    """Draw a timestep in each of N equal parts, which makes the loss less noisy: N."""
    position = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    return (position * total).long().clamp(max=total - 1)


def denoising_loss(
    denoiser: Denoiser,
    scheduler: DDPMScheduler,
    latents: torch.Tensor,
    tokens: torch.Tensor,
    *,
    snr_gamma: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Weighted squared error of what is predicted; latents N x C x H x W, tokens N x L."""
    count, device = len(latents), latents.device
    total = scheduler.config.num_train_timesteps
    noise = torch.randn(latents.shape, generator=generator).to(device)
    timesteps = stratified_timesteps(count, total=total, generator=generator).to(device)
    noised = scheduler.add_noise(latents, noise, timesteps)
    target, weights = target_and_weights(scheduler, latents, noise, timesteps, gamma=snr_gamma)
    with torch.autocast(device.type, torch.bfloat16):
        context = denoiser.text_encoder(tokens.to(device))[0]
        predicted = denoiser.unet(noised, timesteps, context).sample
    errors = (predicted.float() - target).square().mean(dim=(1, 2, 3))
    return (weights * errors).mean()


class DenoiserTrainee(Trainee):
    """A denoiser with the latents and the prompts that it learns from.

    ``latents`` is versions x N x C x H x W, ``rows`` the N images they are of; noise is added
    as ``scheduler`` does it, or as models that are trained from nothing have it.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        latents: torch.Tensor,
        rows: tuple[TrainingImage, ...],
        tokenizer: CLIPTokenizer,
        config: DenoiserConfig,
        scheduler: DDPMScheduler | None = None,
    ) -> None:
        super().__init__(unet=denoiser.unet, text_encoder=denoiser.text_encoder)
        self.denoiser = denoiser
        self.latents = latents
        self.rows = rows
        self.tokenizer = tokenizer
        self.config = config
        self.scheduler = scheduler or noise_scheduler()
        self.share = processes.share_of(config.batch_size)

    def draw(self, generator: torch.Generator) -> tuple[torch.Tensor, list[str]]:
        """Draw this process's share of a batch: versions of images, B x C x H x W, and prompts."""
        chosen = torch.randint(len(self.rows), (self.share,), generator=generator)
        version = torch.randint(len(self.latents), (self.share,), generator=generator)
        randomness = random.Random(generator.initial_seed())
        prompts = batch_prompts(self.rows, chosen, self.config.prompt_dropout, randomness)
        return self.latents[version, chosen], prompts

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        latents, prompts = self.draw(generator)
        loss = denoising_loss(
            self.denoiser,
            self.scheduler,
            latents,
            token_ids(self.tokenizer, prompts),
            snr_gamma=self.config.snr_gamma,
            generator=generator,
        )
        return loss, {"loss": loss}


def train_denoiser(
    latents: torch.Tensor,
    rows: tuple[TrainingImage, ...],
    tokenizer: CLIPTokenizer,
    config: DenoiserConfig,
    *,
    checkpoint: Path,
    report: Report,
) -> Denoiser:
    """Train, or take up again; return the averaged weights in evaluation mode.

    Training goes on where the latents are. Under torchrun every process takes its part of
    the batch; two of them with a thread each hold up better on two busy cores than two
    threads of one.
    """
    denoiser = build_denoiser(config, tokenizer)
    denoiser.unet.to(latents.device)
    denoiser.text_encoder.to(latents.device)
    plan = Plan(
        steps=config.steps,
        seed=config.seed + 1 + processes.rank(),  # every process draws a batch of its own
        learning_rate=config.peak_learning_rate,
        schedule=warm_up_then_cosine(warm_up=config.warm_up, total=config.steps),
        betas=(0.9, 0.99),
        weight_decay=1e-2,
        clipped_norm=1.0,
        ema_decay=config.ema_decay,
        checkpoint_every=config.checkpoint_every,
        is_shared=True,
    )
    trainee = DenoiserTrainee(denoiser, latents, rows, tokenizer, config)
    train(trainee, plan, checkpoint=checkpoint, report=report)
    return denoiser


def batch_prompts(
    rows: tuple[TrainingImage, ...],
    chosen: torch.Tensor,
    dropout: float,
    randomness: random.Random,
) -> list[str]:
    """Make the prompts of a batch, some of them empty for classifier-free guidance."""
    return [
        "" if randomness.random() < dropout else training_prompt(rows[index], randomness)
        for index in chosen.tolist()
    ]
