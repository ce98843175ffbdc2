"""Is a candidate a copy of a training image?

Images are compared by the cosine similarity of embeddings that were trained to
know an image again after cropping, turning, windowing and blurring. Pixel
distance would not do: a generated image is softer than a real one and a little
displaced, which hides a copy from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from generation.measures.features import VERSION, FeatureNet, as_input, describe_images
from generation.measures.reference import Reference, load_reference

SCORER_VERSION = VERSION


@dataclass(frozen=True)
class NearestTrainingImage:
    """Finds the training image that a picture is most like."""

    net: FeatureNet
    reference: Reference

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load from the ``quality`` folder of a model made by pretrain."""
        return cls(FeatureNet.load(folder), load_reference(folder))

    @property
    def threshold(self) -> float:
        """A picture that is more similar than this counts as a copy."""
        return self.reference.threshold

    def similarity(self, images: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns similarity in [-1, 1] to the nearest training image, and its index; N each.

        ``images`` are 8-bit grey, H x W. The index counts in
        ``reference.train_image_ids``.
        """
        _, embeddings = describe_images(self.net, as_input(images))
        nearest = (embeddings @ self.reference.train_embeddings.T).max(dim=1)
        return nearest.values, nearest.indices

    def copies_share(self, images: Sequence[np.ndarray]) -> float:
        values, _ = self.similarity(images)
        return (values > self.threshold).double().mean().item()
