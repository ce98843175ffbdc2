import pytest
import torch

from generation.diffusion.denoiser import loss_weights, noise_scheduler, signal_to_noise
from generation.diffusion.text_encoder import MAX_TOKENS, token_ids, train_tokenizer

PROMPTS = ["chest x-ray, pneumonia, PA view, female, 60 years", "chest x-ray, no finding"]


def test_the_loss_weights_are_one_at_noisy_timesteps_and_limited_at_clean_ones() -> None:
    """(min(snr, 5) + 1) / (snr + 1): 1 at 0 and 5; (5 + 1) / (11 + 1) at 11."""
    weights = loss_weights(torch.tensor([0.0, 5.0, 11.0]), gamma=5.0)
    assert weights.tolist() == pytest.approx([1.0, 1.0, 0.5])


def test_the_noise_schedule_ends_in_noise() -> None:
    snr = signal_to_noise(noise_scheduler(), torch.tensor([0, 999]))
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
