"""The denoiser: a UNet and its text encoder, trained together in latent space."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from generation.conditioning.prompts import training_prompt
from generation.diffusion.text_encoder import build_text_encoder, token_ids
from generation.specs import TrainingImage
from generation.training import processes
from generation.training.checkpoints import (
    Report,
    generator_for,
    learning_rate,
    load_state,
    save_state,
)

TRAIN_TIMESTEPS = 1_000


@dataclass(frozen=True, kw_only=True)
class DenoiserConfig:
    """What the denoiser is and how it is trained."""

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

    def parameters(self) -> list[torch.nn.Parameter]:
        return [*self.unet.parameters(), *self.text_encoder.parameters()]

    def load(self, weights: Iterable[torch.Tensor]) -> None:
        """Take over weights in the order of ``parameters``."""
        with torch.no_grad():
            for parameter, weight in zip(self.parameters(), weights, strict=True):
                parameter.copy_(weight)


def noise_scheduler() -> DDPMScheduler:
    """The noising that training and every sampler agree on.

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


def signal_to_noise(scheduler: DDPMScheduler, timesteps: torch.Tensor) -> torch.Tensor:
    """alpha_bar / (1 - alpha_bar) at each timestep."""
    alphas_bar = scheduler.alphas_cumprod.to(timesteps.device)[timesteps]
    return alphas_bar / (1 - alphas_bar)


def denoising_loss(
    denoiser: Denoiser,
    scheduler: DDPMScheduler,
    latents: torch.Tensor,
    tokens: torch.Tensor,
    *,
    snr_gamma: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Weighted squared error of the predicted velocity; latents N x C x H x W, tokens N x L."""
    count = len(latents)
    device = latents.device
    noise = torch.randn(latents.shape, generator=generator).to(device)
    # Stratified timesteps: one in each of N equal parts, which makes the loss less noisy.
    position = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    timesteps = (position * TRAIN_TIMESTEPS).long().clamp(max=TRAIN_TIMESTEPS - 1)
    timesteps = timesteps.to(device)
    noised = scheduler.add_noise(latents, noise, timesteps)
    target = scheduler.get_velocity(latents, noise, timesteps)
    with torch.autocast(device.type, torch.bfloat16):
        context = denoiser.text_encoder(tokens.to(device))[0]
        velocity = denoiser.unet(noised, timesteps, context).sample
    errors = (velocity.float() - target).square().mean(dim=(1, 2, 3))
    weights = loss_weights(signal_to_noise(scheduler, timesteps), gamma=snr_gamma)
    return (weights * errors).mean()


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

    ``latents`` is versions x N x C x H x W, ``rows`` the N images they are of;
    training goes on where the latents are.
    Under torchrun every process takes its part of the batch; two of them with a
    thread each hold up better on two busy cores than two threads of one.
    """
    share = config.batch_size // processes.count()
    if not share:
        raise ValueError(f"a batch of {config.batch_size} for {processes.count()} processes")
    denoiser = build_denoiser(config, tokenizer)
    denoiser.unet.to(latents.device)
    denoiser.text_encoder.to(latents.device)
    scheduler = noise_scheduler()
    parameters = denoiser.parameters()
    averaged = [parameter.detach().clone() for parameter in parameters]
    optimizer = torch.optim.AdamW(parameters, betas=(0.9, 0.99), weight_decay=1e-2, fused=True)
    step = 0
    if state := load_state(checkpoint):
        denoiser.load(state["weights"])
        averaged = [weight.to(latents.device) for weight in state["averaged"]]
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    denoiser.unet.train()
    denoiser.text_encoder.train()
    while step < config.steps:
        seed = config.seed + 1 + processes.rank()
        generator = generator_for(seed, step)
        torch.manual_seed(generator.initial_seed())  # dropout draws from the global generator
        chosen = torch.randint(len(rows), (share,), generator=generator)
        version = torch.randint(len(latents), (share,), generator=generator)
        randomness = random.Random(generator.initial_seed())
        prompts = batch_prompts(rows, chosen, config.prompt_dropout, randomness)
        tokens = token_ids(tokenizer, prompts)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(
                step, peak=config.peak_learning_rate, warm_up=config.warm_up, total=config.steps
            )
        loss = denoising_loss(
            denoiser,
            scheduler,
            latents[version, chosen],
            tokens,
            snr_gamma=config.snr_gamma,
            generator=generator,
        )
        optimizer.zero_grad()
        loss.backward()
        processes.average_gradients(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        decay = min(config.ema_decay, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(averaged, list[torch.Tensor](parameters), 1 - decay)
        report(step, {"loss": loss.item()})
        due = step % config.checkpoint_every == 0 or step == config.steps
        if due and processes.rank() == 0:
            save_state(checkpoint, training_state(denoiser, averaged, optimizer, step))
    denoiser.load(averaged)
    denoiser.unet.eval()
    denoiser.text_encoder.eval()
    return denoiser


def batch_prompts(
    rows: tuple[TrainingImage, ...],
    chosen: torch.Tensor,
    dropout: float,
    randomness: random.Random,
) -> list[str]:
    """Prompts of a batch, some of them empty for classifier-free guidance."""
    return [
        "" if randomness.random() < dropout else training_prompt(rows[index], randomness)
        for index in chosen.tolist()
    ]


def training_state(
    denoiser: Denoiser,
    averaged: list[torch.Tensor],
    optimizer: torch.optim.Optimizer,
    step: int,
) -> dict[str, Any]:
    return {
        "weights": [parameter.detach() for parameter in denoiser.parameters()],
        "averaged": averaged,
        "optimizer": optimizer.state_dict(),
        "step": step,
    }
