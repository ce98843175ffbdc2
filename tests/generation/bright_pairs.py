"""Readers who like bright images, and a trunk that sees brightness."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from generation.specs import Preference


class Brightness(nn.Module):
    """The mean and the spread of an image."""

    input_side = 16

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.stack([images.mean(dim=(1, 2, 3)), images.std(dim=(1, 2, 3))], 1)


def write_pairs(folder: Path, *, prompts: int) -> list[Preference]:
    """Readers who like bright images; four a prompt, all pairs of different scores."""
    generator = np.random.default_rng(0)
    pairs = []
    for number in range(prompts):
        scored = []
        for index in range(4):
            brightness = generator.uniform(20, 235)
            path = folder / f"{number}-{index}.png"
            pixels = generator.normal(brightness, 5, (32, 32)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(path)
            scored.append((round(brightness / 51), str(path)))
        pairs += [
            Preference(
                winner=winner,
                loser=loser,
                prompt=f"chest x-ray, edema, {number + 20} years",
                winner_score=high,
                loser_score=low,
            )
            for high, winner in scored
            for low, loser in scored
            if high > low
        ]
    return pairs
