from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from diffusers.training_utils import compute_snr

from generation.diffusion.denoiser import (
    Denoiser,
    DenoiserConfig,
    loss_weights,
    noise_scheduler,
    train_denoiser,
)
from generation.diffusion.text_encoder import MAX_TOKENS, token_ids, train_tokenizer
from generation.specs import TrainingImage

PROMPTS = ["chest x-ray, pneumonia, PA view, female, 60 years", "chest x-ray, no finding"]


def test_the_loss_weights_are_one_at_noisy_timesteps_and_limited_at_clean_ones() -> None:
    """(min(snr, 5) + 1) / (snr + 1): 1 at 0 and 5; (5 + 1) / (11 + 1) at 11."""
    weights = loss_weights(torch.tensor([0.0, 5.0, 11.0]), gamma=5.0)
    assert weights.tolist() == pytest.approx([1.0, 1.0, 0.5])


def test_the_noise_schedule_ends_in_noise() -> None:
    snr = compute_snr(noise_scheduler(), torch.tensor([0, 999]))
    assert snr[0] > 1_000
    assert snr[1] < 1e-5


def test_words_of_the_prompts_are_one_token_each() -> None:
    tokenizer = train_tokenizer(PROMPTS * 2)
    assert "pneumonia</w>" in tokenizer.tokenize(PROMPTS[0])


def test_no_character_is_unknown_to_the_tokenizer() -> None:
    tokenizer = train_tokenizer(PROMPTS)
    ids = tokenizer("Röntgen 胸部 \U0001fac1").input_ids
    assert ids.count(tokenizer.eos_token_id) == 1
    assert ids[-1] == tokenizer.eos_token_id


def test_prompts_are_padded_to_the_length_the_text_encoder_takes() -> None:
    tokenizer = train_tokenizer(PROMPTS)
    assert token_ids(tokenizer, PROMPTS).shape == (2, MAX_TOKENS)


class KilledError(Exception):
    """Stands for the end of the process."""


def _train(checkpoint: Path, *, killed_after: int | None = None) -> Denoiser:
    def report(step: int, figures: Mapping[str, float]) -> None:
        if step == killed_after:
            raise KilledError

    config = DenoiserConfig(
        latent_side=8,
        latent_channels=4,
        steps=5,
        batch_size=4,
        widths=(16, 16, 16),
        heads=1,
        text_width=32,
        text_layers=1,
        checkpoint_every=2,
    )
    rows = tuple(
        TrainingImage(path="", image_id=name, patient=name, split="train") for name in "abc"
    )
    latents = torch.randn(2, 3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    tokenizer = train_tokenizer(PROMPTS)
    return train_denoiser(latents, rows, tokenizer, config, checkpoint=checkpoint, report=report)


def test_a_killed_training_ends_with_the_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = _train(tmp_path / "unbroken.pt")
    with pytest.raises(KilledError):
        _train(tmp_path / "broken.pt", killed_after=3)
    resumed = _train(tmp_path / "broken.pt")
    for one, other in (
        (unbroken.unet, resumed.unet),
        (unbroken.text_encoder, resumed.text_encoder),
    ):
        for name, weight in one.state_dict().items():
            assert torch.allclose(weight, other.state_dict()[name], atol=1e-6)
