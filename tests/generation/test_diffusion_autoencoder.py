from pathlib import Path

import pytest
import torch

from generation.diffusion.autoencoder import (
    AutoencoderConfig,
    build_autoencoder,
    gradient_difference,
    kl_to_standard_normal,
    sharpen_decoder,
)
from generation.diffusion.latents import encode, normalise_latents
from generation.specs import TrainingImage
from generation.training.images import ImageSet, augment, plain


def test_the_kl_has_the_value_computed_by_hand() -> None:
    """0.5 (mean^2 + variance - 1 - log variance), with mean 1 and variance e: 0.5 (e - 1)."""
    kl = kl_to_standard_normal(torch.ones(1, 1), torch.ones(1, 1))
    assert kl.item() == pytest.approx(0.5 * (torch.e - 1))


def test_the_gradient_difference_has_the_value_computed_by_hand() -> None:
    """Against black, (0, 2; 0, 0): along rows |2| and |0|, mean 1; along columns |0| and |-2|."""
    image = torch.tensor([[[[0.0, 2.0], [0.0, 0.0]]]])
    assert gradient_difference(image, torch.zeros_like(image)).item() == pytest.approx(2)


def test_normalising_the_latents_changes_no_decoded_picture() -> None:
    autoencoder = build_autoencoder(AutoencoderConfig(resolution=32, steps=1)).eval()
    images = torch.rand(6, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        before = autoencoder.decode(autoencoder.encode(images).latent_dist.mean).sample
        normalised = normalise_latents(autoencoder, encode(autoencoder, images))
        posterior = autoencoder.encode(images).latent_dist
        after = autoencoder.decode(posterior.mean).sample
    assert torch.allclose(before, after, atol=1e-4)
    assert torch.allclose(posterior.mean, normalised, atol=0.1)  # encoded in bfloat16
    assert normalised.mean(dim=(0, 2, 3)).abs().max() < 1e-4
    assert (normalised.std(dim=(0, 2, 3)) - 1).abs().max() < 1e-3


def test_sharpening_the_decoder_leaves_the_latents_as_they_are(tmp_path: Path) -> None:
    config = AutoencoderConfig(resolution=32, steps=2, batch_size=2, crop=32)
    autoencoder = build_autoencoder(config)
    pixels = torch.randint(256, (4, 1, 64, 64), generator=torch.Generator().manual_seed(0))
    row = TrainingImage(path="", image_id="", patient="", split="train")
    images = ImageSet(pixels.byte(), (row,) * 4)
    before = encode(autoencoder, plain(images.pixels))
    decoder = autoencoder.decoder.conv_out.weight.clone()
    sharpened = sharpen_decoder(
        autoencoder, images, config, checkpoint=tmp_path / "decoder.pt", report=lambda *_: None
    )
    assert torch.equal(encode(sharpened, plain(images.pixels)), before)
    assert not torch.equal(sharpened.decoder.conv_out.weight, decoder)


def test_augmented_images_are_never_mirrored() -> None:
    """A picture bright on its right half stays so, whatever is drawn."""
    pixels = torch.zeros(50, 1, 64, 64, dtype=torch.uint8)
    pixels[..., 32:] = 255
    made = augment(pixels, torch.Generator().manual_seed(0))
    assert (made[..., 24:].mean(dim=(1, 2, 3)) > made[..., :8].mean(dim=(1, 2, 3))).all()


def test_a_plain_image_is_the_mean_of_two_by_two_pixels() -> None:
    pixels = torch.tensor([[[[0, 255], [255, 0]]]], dtype=torch.uint8)
    assert plain(pixels).item() == pytest.approx(0)
