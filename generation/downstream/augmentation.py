"""Random changes that downstream models are trained with, of images and their masks alike.

Never mirrored: the heart belongs at the right of the picture.
"""

import torch
from torch.nn import functional

MAX_ROTATION_RAD = 0.17
FIELD = (0.75, 1.5)
"""What an augmented version shows, as a share of the side of its image: cohorts differ
in how much of arms, neck and belly is in their pictures."""
MAX_SHIFT = 0.2
MAX_LOG_GAMMA = 0.4
MAX_LOG_CONTRAST = 0.3
MAX_BRIGHTNESS = 0.2
MAX_NOISE = 0.05
BLURRED_SHARE = 0.3
MAX_BLUR = 2.5
MAX_SHADING = 0.35
SHADING_SIDE = 4
BLACK_SHARE = 0.5


class Draws:
    """They are random numbers, one an image: tensors of shape N."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self.count = count
        self.generator = generator

    def uniform(self, low: float, high: float) -> torch.Tensor:
        return torch.rand(self.count, generator=self.generator) * (high - low) + low


def augment_together(
    pixels: torch.Tensor, masks: torch.Tensor | None, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Turn, scale, shift and re-window: uint8, N x 1 x 2R x 2R each, to half the side.

    Images come as float in [-1, 1], masks as float of 0 and 1. What lies outside an
    image is black, or drawn out from its edge, and no part of a mask.
    """
    draws = Draws(len(pixels), generator)
    grid = random_grid(draws, side=pixels.shape[-1] // 2)
    images = rewindow(surround(pixels.float() / 255, grid, draws), draws)
    if masks is None:
        return images, None
    warped = functional.grid_sample(masks.float() / 255, grid, align_corners=False)
    return images, (warped > 0.5).float()


def random_grid(draws: Draws, *, side: int) -> torch.Tensor:
    """Returns sampling grids, N x side x side x 2."""
    angle = draws.uniform(-MAX_ROTATION_RAD, MAX_ROTATION_RAD)
    field = draws.uniform(*FIELD)
    shift_x, shift_y = (draws.uniform(-MAX_SHIFT, MAX_SHIFT) for _ in range(2))
    cosine, sine = field * angle.cos(), field * angle.sin()
    rows = [torch.stack(row, -1) for row in ((cosine, -sine, shift_x), (sine, cosine, shift_y))]
    return functional.affine_grid(
        torch.stack(rows, 1), [draws.count, 1, side, side], align_corners=False
    )


def surround(images: torch.Tensor, grid: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Sample the grid; around a random half of the images is black, around others their edge."""
    black, drawn_out = (
        functional.grid_sample(images, grid, padding_mode=mode, align_corners=False)
        for mode in ("zeros", "border")
    )
    chosen = draws.uniform(0, 1) < BLACK_SHARE
    return torch.where(chosen.view(-1, 1, 1, 1), black, drawn_out)


def rewindow(images: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Changes gamma, shading, contrast, brightness, sharpness and noise: [0, 1] to [-1, 1]."""

    def each(values: torch.Tensor) -> torch.Tensor:
        return values.view(-1, 1, 1, 1)

    images = images.clamp(0, 1) ** each(draws.uniform(-MAX_LOG_GAMMA, MAX_LOG_GAMMA).exp())
    images = soften(images, draws) * (1 + shading(draws, side=images.shape[-1])) * 2 - 1
    images = images * each(draws.uniform(-MAX_LOG_CONTRAST, MAX_LOG_CONTRAST).exp())
    images = images + each(draws.uniform(-MAX_BRIGHTNESS, MAX_BRIGHTNESS))
    noise = torch.randn(images.shape, generator=draws.generator)
    return (images + noise * each(draws.uniform(0, MAX_NOISE))).clamp(-1, 1)


def shading(draws: Draws, *, side: int) -> torch.Tensor:
    """Returns a smooth unevenness of exposure, N x 1 x side x side around 0."""
    shape = (draws.count, 1, SHADING_SIDE, SHADING_SIDE)
    coarse = (torch.rand(shape, generator=draws.generator) * 2 - 1) * MAX_SHADING
    return functional.interpolate(coarse, (side, side), mode="bicubic", align_corners=True)


def soften(images: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Take detail out of a random part of the images, as generated ones lack it."""
    factor = 1 + (MAX_BLUR - 1) * torch.rand(1, generator=draws.generator).item()
    small = functional.interpolate(images, scale_factor=1 / factor, mode="bilinear", antialias=True)
    soft = functional.interpolate(small, images.shape[-2:], mode="bilinear")
    chosen = draws.uniform(0, 1) < BLURRED_SHARE
    return torch.where(chosen.view(-1, 1, 1, 1), soft, images)
