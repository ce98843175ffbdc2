"""Pictures that are more or less like real ones to the second taste, and a model's quality folder.

A picture of quality 1 has the spectrum and the grey values of real chest X-rays in random
places; lower quality mixes white noise in.
"""

import io
from pathlib import Path

import numpy as np
import PIL.Image
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from generation.diffusion.loading import BUNDLED_FOLDER
from generation.measures.appearance import SIDE
from generation.measures.features import FeatureNet, as_input, describe_images
from generation.measures.reference import Reference, save_reference
from generation.rewards.tastes import DECILES, TONE_MEAN

TRAINING = 24
HELD_OUT = 40


def picture(seed: int, *, quality: float = 1.0) -> np.ndarray:
    """8-bit grey, 128 x 128."""
    randomness = np.random.default_rng(seed)
    noise = randomness.normal(size=(SIDE, SIDE))
    smooth = sum(gaussian_filter(noise, width) * width**1.6 for width in (0.7, 1.5, 3, 6, 12, 24))
    mixed = quality * smooth / smooth.std() + (1 - quality) * randomness.normal(size=noise.shape)
    place = rankdata(mixed).reshape(noise.shape) / noise.size
    grey = np.interp(place, (0, *DECILES, 1), (0.02, *TONE_MEAN, 0.95))
    return np.asarray(255 * grey).round().astype(np.uint8)


def training_picture(number: int) -> np.ndarray:
    return picture(10_000 + number)


def as_png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def save_quality(folder: Path) -> None:
    """The bundled feature network, with a reference of synthetic pictures instead of real ones."""
    net = FeatureNet.load(BUNDLED_FOLDER / "quality")
    net.save(folder)
    training = [training_picture(number) for number in range(TRAINING)]
    held_out = [picture(20_000 + number) for number in range(HELD_OUT)]
    _, train_embeddings = describe_images(net, as_input(training))
    features, embeddings = describe_images(net, as_input(held_out))
    nearest = (embeddings @ train_embeddings.T).amax(dim=1)
    reference = Reference(
        train_embeddings,
        tuple(f"train-{number}.png" for number in range(TRAINING)),
        features,
        (1 + nearest.max().item()) / 2,
    )
    save_reference(reference, folder)
